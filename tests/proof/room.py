"""A room: its own pid and mount namespace with an empty /run, as a container has them.

Its first process is a `sleep` that ignores SIGCHLD, so that the kernel reaps the orphans as any
real init would: otherwise each killed daemon would keep its number as a zombie.
"""

import os
import pathlib
import shlex
import signal
import subprocess

from lab.upsd import wait_for
from processes import HERE, PYTHON

EMPTY_RUN = "mount -t tmpfs tmpfs /run && mkdir -m 755 /run/nut"


class Room:
    def __init__(self, directory, name="room", setup=EMPTY_RUN, proc=True, within=None):
        """proc: a /proc of its own; within: another room, whose files this one shares (its /run,
        too) and in whose pid namespace its own is a child."""
        self.dir = pathlib.Path(directory)
        self.name = name
        self.within = within
        self.started = []
        self.init = None
        ready = self.dir / f"{name}.ready"
        script = (f"{setup} && echo >{shlex.quote(str(ready))} && "
                  "exec env --ignore-signal=CHLD sleep 3600")
        # setpriv: the room ends also when the test itself is killed
        self.outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *(within.enter() if within else ()),
             "unshare", "--mount", "--pid", "--fork", "--kill-child",
             *(["--mount-proc"] if proc else ()), "sh", "-c", script],
            stdin=subprocess.DEVNULL, stderr=open(self.dir / f"{name}.log", "ab"),
            start_new_session=True)
        wait_for(f"room {name}", lambda: self.outer.poll() is not None or ready.exists(),
                 step=0.005)
        assert self.outer.poll() is None, (self.dir / f"{name}.log").read_text()
        self.init = self._find_init()
        # not before: whoever ends while a shell is still the init there stays a zombie
        comm = pathlib.Path(f"/proc/{self.init}/comm")
        wait_for("its init", lambda: comm.read_text() == "sleep\n", step=0.005)

    def _find_init(self):
        """Its pid as seen from here: the last of the line of only children."""
        pid = self.outer.pid
        while True:
            text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not text:
                return pid
            pid = int(text[0])

    def enter(self):
        return ["nsenter", "-t", str(self.init), "-m", "-p", "--"]

    def path(self, inside):
        """A file of the room, as a path from outside."""
        return pathlib.Path(f"/proc/{self.init}/root{inside}")

    def call(self, command, env, timeout=60, **options):
        return subprocess.run([*self.enter(), *map(str, command)], env=env, timeout=timeout,
                              capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, **options)

    def popen(self, command, env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
              stderr=subprocess.DEVNULL):
        process = subprocess.Popen([*self.enter(), *map(str, command)], env=env, stdin=stdin,
                                   stdout=stdout, stderr=stderr, text=True)
        self.started.append(process)
        return process

    def pids(self):
        """pid inside -> pid as seen from here, of everything alive in the room."""
        space = os.readlink(f"/proc/{self.init}/ns/pid")
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{name}/ns/pid") != space:
                    continue
                status = pathlib.Path(f"/proc/{name}/status").read_text()
            except OSError:
                continue
            line = next(x for x in status.splitlines() if x.startswith("NSpid:"))
            found[int(line.split()[-1])] = int(name)
        return found

    def kill(self, inside, sig=signal.SIGKILL):
        """Signals a process by its number in the room, and for KILL waits until it is free."""
        os.kill(self.pids()[inside], sig)
        if sig == signal.SIGKILL:
            wait_for(f"the end of {inside}", lambda: inside not in self.pids(), step=0.005)

    def at_pid(self, pid, command, env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
               zombie=()):
        """Starts a command with this very pid in the room; returns when it has it.

        Only the command has the environment: whoever starts it must not carry its mark.
        """
        words = ["env", "-i", *(f"{name}={value}" for name, value in env.items()), *command]
        process = self.popen([*PYTHON, HERE / "at_pid.py", pid, *zombie, *words],
                             {"PATH": os.environ["PATH"]}, stdin=stdin,
                             stdout=subprocess.PIPE, stderr=stderr)
        assert process.stdout.readline() == f"{pid}\n"
        return process

    def end(self):
        try:
            os.killpg(self.outer.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.outer.wait()
        for process in self.started:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream:
                    stream.close()
