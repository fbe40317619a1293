"""One scenario, played to both sides at once: the same upsd, the same configuration, one tap each.

Scenarios without a shutdown share one upsd. Where one may come, each side has an upsd of its own,
because FSD stays set in the server, and a primary waits for the logins of others.
"""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from peer import Peer
from tap import Tap

from lab.upsd import PRIMARY, SECONDARY, Upsd, wait_for

# These concern the host, not a UPS.
GLOBAL = ("SHUTDOWN", "SHUTDOWN_HOSTSYNC", "NOPARENT")

# How long nothing must have happened until it counts as the end: longer than a poll. The steps
# before it have waited for all that was to come.
QUIET = 1.4


@dataclass
class Outcome:
    sequence: str  # notifications, FSD said to the server, SHUTDOWNCMD
    texts: dict    # NOTIFYTYPE: message
    log: str


class Side:
    def __init__(self, name, binary, directory, upsd, scenario):
        self.name = name
        self.upsd = upsd
        self.tap = Tap(upsd.port)
        self.upsmon = Peer(binary, directory)
        self.mark = 0
        self.upses = scenario.monitored or scenario.upses
        self.upsmon.configure(self.tap.port, self.upses, scenario.user or (
            PRIMARY if scenario.role == "primary" else SECONDARY), scenario.role,
            scenario.extra, **scenario.times)

    def end(self):
        self.upsmon.end()
        self.tap.end()

    def system(self, ups):
        return f"{ups}@127.0.0.1:{self.tap.port}"

    def new_polls(self, ups, status):
        """Polls since the last change that were answered with this status."""
        told = (f'"{status}"', f'"FSD {status}"')
        replies = [reply for line, reply in list(self.tap.requests)[self.mark:]
                   if line == f"GET VAR {ups} ups.status"]
        return sum(reply.endswith(told) for reply in replies)

    def outcome(self):
        names = {self.system(u): "" if len(self.upses) == 1 else f"({u})" for u in self.upses}
        words, texts = [], {}
        for kind, name, message in self.upsmon.records():
            if kind in GLOBAL and not name:
                words.append(kind)
            else:
                words.append(kind + names.get(name, f"({name})"))
            for system, short in names.items():
                message = message.replace(system, short or "UPS")
            texts[kind] = message
        # one connection a UPS: the order between two of them is nobody's
        for line in sorted({line for line, reply in self.tap.said("FSD ")
                            if reply.startswith("OK")}):
            words.append(f"->{line.replace(' ', ':')}")
        if self.upsmon.down.exists():
            words.append("SHUTDOWNCMD")
            if len(self.upsmon.down.read_text().splitlines()) > 1:
                words.append("AGAIN")
        elif self.upsmon.exited() is not None:
            words.append(f"exit:{self.upsmon.exited()}")
        return Outcome(" ".join(words) or "-", texts, self.upsmon.log())


class Stage:
    def __init__(self, scenario, directory, binaries):
        self.scenario = scenario
        self.dir = directory  # where an unprivileged process may go
        self.binaries = binaries  # name: path
        self.servers = []
        self.sides = []
        self.expected = {}
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            for i in range(len(self.binaries) if self.scenario.apart else 1):
                server = Upsd(self.dir / f"upsd-{i}", self.scenario.upses)
                self.stack.callback(server.stop)
                self.servers.append(server)
            self.each_server(Upsd.start)
            for name, binary in self.binaries.items():
                server = self.servers[len(self.sides) % len(self.servers)]
                side = Side(name, binary, self.dir / name, server, self.scenario)
                self.stack.callback(side.end)
                self.sides.append(side)
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def play(self):
        for step in self.scenario.steps:
            step(self)
        self.quiet()
        return {side.name: side.outcome() for side in self.sides}

    def each_server(self, work):
        """At once: a driver takes seconds to start, and a second to change its status."""
        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(work, self.servers))

    # -- steps ---------------------------------------------------------------

    def start(self):
        for side in self.sides:
            side.upsmon.run()

    def status(self, text, ups):
        for side in self.sides:
            side.mark = len(side.tap.requests)
        self.expected[ups] = text
        self.each_server(lambda server: server.set_status(text, ups))

    def _each(self, what, condition, seconds, must=True):
        """Waits for all sides; one that has finished is not waited for."""
        until = time.monotonic() + seconds
        for side in self.sides:
            left = max(0.1, until - time.monotonic())
            try:
                wait_for(f"{side.name}: {what}",
                         lambda s=side: s.upsmon.finished() or condition(s), left)
            except TimeoutError as error:
                if must:
                    raise TimeoutError(f"{error}; its log:\n{side.upsmon.log()}") from None

    def seen(self, polls=1):
        """Each has polled all its UPSes since the last change, and got what was set."""
        for ups in self.scenario.monitored or self.scenario.upses:
            self._each(f"{polls} polls of {ups}", lambda s, u=ups: s.new_polls(
                u, self.expected.get(u, "OL")) >= polls, 30)

    def event(self, kind, count, seconds, must):
        self._each(f"{count} {kind}", lambda s: s.upsmon.events().count(kind) >= count, seconds,
                   must)

    def down(self, seconds, must):
        self._each("SHUTDOWNCMD", lambda s: False, seconds, must)

    def server(self, up):
        for side in self.sides:
            side.mark = len(side.tap.requests)
        if up:
            for server in self.servers:
                server.start_server()
            for server in self.servers:
                for ups in self.scenario.upses:
                    wait_for("the driver", lambda s=server, u=ups:
                             s.status(u) == self.expected.get(u, "OL"))
        for side in self.sides:
            side.tap.open() if up else side.tap.close()
        if not up:
            for server in self.servers:
                server.stop_server()

    def other_login(self):
        """A secondary that is logged in and never leaves."""
        for server in self.servers:
            connection = self.stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port)))
            f = connection.makefile("rw")
            for line in (f"USERNAME {SECONDARY[0]}", f"PASSWORD {SECONDARY[1]}", "LOGIN ups"):
                f.write(line + "\n")
                f.flush()
                assert f.readline().startswith("OK")

    def quiet(self):
        """Until nothing has been notified, said or run for a while."""
        last, since = None, time.monotonic()
        while time.monotonic() - since < QUIET:
            now = [(side.upsmon.records(), side.tap.said("FSD "), side.upsmon.down.exists())
                   for side in self.sides]
            # a command that waits for its turn on a busy machine has something to say, too
            if now != last or any(side.upsmon.is_busy() for side in self.sides):
                last, since = now, time.monotonic()
            time.sleep(0.1)
