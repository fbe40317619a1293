"""Stand-in for procd: services, their instances, and what triggers a script."""

import fnmatch
import signal
import subprocess
import threading
import time


class Instance:
    """One process, started again when it ends."""

    def __init__(self, procd, name, params):
        self.procd, self.name, self.params = procd, name, params
        self.process = None
        self.halted = False
        self.started = 0  # how often
        self.crashes = 0
        self.changed = threading.Condition()
        threading.Thread(target=self._life, daemon=True).start()

    def _life(self):
        while not self.halted:
            threshold, pause, retry = (int(v) for v in self.params.get("respawn") or (3600, 5, 5))
            begin = time.monotonic()
            environment = dict(p.split("=", 1) for p in self.params.get("env", []))
            self.process = self.procd.spawn(self.params["command"], environment)
            self.started += 1
            self.procd.log_from(self.process, self.params)
            self.process.wait()
            if self.halted or "respawn" not in self.params:
                break
            self.crashes = self.crashes + 1 if time.monotonic() - begin < threshold else 0
            if 0 < retry < self.crashes:
                break
            with self.changed:
                self.changed.wait_for(lambda: self.halted, pause)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """TERM, and KILL if that was not enough."""
        with self.changed:
            self.halted = True
            self.changed.notify_all()
        if not self.running():
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(int((self.params.get("term_timeout") or ["5"])[0]))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Service:
    def __init__(self, script):
        self.script = script
        self.instances = {}
        self.triggers = []  # (event, key, value, milliseconds, [script, ...])


def _records(data):
    """count, words: again and again"""
    words = data.decode().split("\0")[:-1]
    while words:
        count = int(words.pop(0))
        yield words[:count]
        del words[:count]


class Procd:
    """spawn(command, environment) starts a process in the router; log(text) logs a line."""

    def __init__(self, spawn, log, read):
        self.spawn, self.log, self.read = spawn, log, read
        self.services = {}

    def log_from(self, process, params):
        level = {"stdout": "daemon.info", "stderr": "daemon.err"}
        for stream in ("stdout", "stderr"):
            pipe = getattr(process, stream)
            wanted = (params.get(stream) or ["0"])[0] == "1"

            def copy(pipe=pipe, level=level[stream], wanted=wanted):
                for line in pipe:
                    if wanted:
                        self.log(f"{level} {line.rstrip()}")
            threading.Thread(target=copy, daemon=True).start()

    def run(self, args):
        method, *rest = args
        return getattr(self, "do_" + method)(*rest)

    def _message(self, path):
        service, instances, params = None, {}, None
        name = None
        for word, *rest in _records(self.read(path)):
            if word == "service":
                name, service = rest[0], Service(rest[1])
            elif word == "instance":
                params = instances.setdefault(rest[0], {})
            elif word == "set":
                params[rest[0]] = rest[1:]
            elif word == "append":
                params.setdefault(rest[0], []).extend(rest[1:])
            elif word == "trigger":
                service.triggers.append((rest[0], rest[1], rest[2], int(rest[3]), rest[4:]))
        return name, service, instances

    def do_set(self, path):
        name, fresh, instances = self._message(path)
        old = self.services.get(name)
        fresh.instances = old.instances if old else {}
        self.services[name] = fresh
        for gone in [n for n in fresh.instances if n not in instances]:
            fresh.instances.pop(gone).stop()
        self._update(fresh, instances)
        return 0, ""

    def do_add(self, path):
        name, fresh, instances = self._message(path)
        old = self.services.setdefault(name, fresh)
        old.triggers = fresh.triggers
        self._update(old, instances)
        return 0, ""

    def _update(self, service, instances):
        """One that is as it was goes on; one that is not running is started."""
        for name, params in instances.items():
            now = service.instances.get(name)
            if now and now.params == params and now.running():
                continue
            if now:
                now.stop()
            service.instances[name] = Instance(self, name, params)

    def do_delete(self, name, instance=""):
        service = self.services.get(name)
        if not service:
            return 4, ""
        for key in [k for k in service.instances if instance in ("", k)]:
            service.instances.pop(key).stop()
        if not instance:
            del self.services[name]
        return 0, ""

    def do_running(self, name, instance=""):
        service = self.services.get(name)
        found = [i for k, i in (service.instances if service else {}).items()
                 if instance in ("", k, "*")]
        return (0 if any(i.running() for i in found) else 1), ""

    def event(self, kind, run, **data):
        """What happens when this event comes: runs the scripts of the triggers that match, after
        their delay; returns how long each has waited, in milliseconds."""
        waited = []
        for service in list(self.services.values()):
            for event, key, value, delay, script in service.triggers:
                if fnmatch.fnmatch(kind, event) and (not key or data.get(key) == value):
                    waited.append(delay)
                    run(*script)
        return waited

    def stop(self):
        for service in list(self.services.values()):
            for instance in list(service.instances.values()):
                instance.stop()
        self.services.clear()
