"""Which processes belong to a test, told by the kernel and not by their names.

Every process that comes of a start has the start's environment, in which NUT_PIDPATH names the
pid directory of this one test: that is its mark. Forked children keep it, whatever they are
called and whoever is their parent. A process that has ended has none, so zombies do not count.
"""

import pathlib
import shlex
import subprocess
import time

from daemon import end_marked, marked, state_of, tops  # noqa: F401 (end_marked: for the tests)

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = ["/usr/bin/python3", "-S", "-E"]


def mark_of(daemon):
    return f"NUT_PIDPATH={daemon.pid_dir}"


def guards(daemon, but=()):
    return tops(marked(mark_of(daemon), but))


class Rest:
    """Whether all processes of a test have slept for a while: nobody has anything to do any more.

    By the clock alone it cannot be told: on a busy machine they wait for their turn, and one that
    is traced for its tracer.
    """

    SECONDS = 0.25

    def __init__(self, mark, but=()):
        self.mark = mark
        self.but = but
        self.since = None

    def reached(self):
        if any(state_of(pid) not in "SX" for pid in marked(self.mark, self.but)):
            self.since = None
            return False
        self.since = self.since or time.monotonic()
        return time.monotonic() > self.since + self.SECONDS


def herd(commands, env, log, prefix=()):
    """Runs commands at the same moment, to their end; returns their exit codes, in order.

    Each is forked already and waits at a pipe; closing it lets all of them go.
    """
    lines = ['exec 3<&0 4>&1 </dev/null >>"$1" 2>&1']
    lines += [f"(read -r _ <&3; {shlex.join(map(str, command))} 3<&- 4>&-; echo {i} $? >&4) &"
              for i, command in enumerate(commands)]
    lines += ["echo ready >&4", "wait"]
    shell = subprocess.Popen([*prefix, "sh", "-c", "\n".join(lines), "herd", str(log)], env=env,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert shell.stdout.readline() == "ready\n"
        out, _ = shell.communicate(timeout=120)
    finally:
        if shell.poll() is None:
            shell.kill()
            shell.wait()
    codes = dict(map(int, line.split()) for line in out.splitlines())
    return [codes[i] for i in range(len(commands))]
