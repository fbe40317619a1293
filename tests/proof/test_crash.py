"""Every crash point: a start, a stop, a reload or an upgrade that dies at its n-th system call.

strike.py kills one process just before its call number 1, 2, 3, ... until the operation gets
through without being hit. What lies between two calls cannot be seen by anybody else, so these
are all moments at which a crash or a power cut can leave a state behind. After each one the next
plain start works, at once, alone, and without anything of the dead one beside it.

The files are never cleaned between two points: each start also meets what the crash before it
left. An upgrade goes from one build to the other, and the guard is followed through its exec.
"""

import os
import signal
import subprocess
import time
from collections import namedtuple

import pytest

import counts
from daemon import lock_holder
from figures import report
from installed import Installed, runs
from lab.upsd import wait_for
from processes import HERE, PYTHON, Rest, end_marked, guards, mark_of, marked

# order: the `-c` command that is under way when the process dies, None for the start itself.
# victim: the "guard"; its child, the "monitor"; and of an upgrade the "rehearsal", which is the
# first process that the guard starts in it, and the "successor" of the monitor, the second.
# step: every so many-th call.
Operation = namedtuple("Operation", "order victim step")
OPERATIONS = [Operation(order, victim, counts.CRASH_STEP)
              for order in (None, "stop", "reload") for victim in ("guard", "monitor")
              if (order, victim) != ("stop", "monitor")]
# a monitor that stops makes no more than a few calls
OPERATIONS += [Operation("stop", "monitor", 1)]
OPERATIONS += [Operation("upgrade", "guard", counts.UPGRADE_CRASH_STEP),
               Operation("upgrade", "rehearsal", counts.UPGRADE_CRASH_STEP),
               Operation("upgrade", "monitor", counts.CRASH_STEP),
               Operation("upgrade", "successor", counts.CRASH_STEP)]
# Which of those that the tracer sees is the victim: 0 is the one that it began with.
PLACES = {(None, "monitor"): 1, ("upgrade", "rehearsal"): 1, ("upgrade", "successor"): 2}

# What the program itself is late by comes again at the same call, and what a busy machine adds
# does not: a point fails when it was late so many times.
TRIES = 5


class Late(Exception):
    """The next start works, and not within the second."""


def name_of(operation):
    return f"{operation.order or 'start'}-{operation.victim}"


class Crash:
    """One daemon and the points of one operation."""

    def __init__(self, daemon, operation, builds):
        self.daemon = daemon
        self.operation = operation
        self.installed = Installed(daemon, builds) if operation.order == "upgrade" else None
        self.code = None
        self.pid = None
        self.tracer = None
        self.said = b""
        self.points = 0
        self.survived = 0
        self.slowest = 0.0

    # -- the tracer --------------------------------------------------------------

    def follow(self, call, *what):
        process = PLACES.get((self.operation.order, self.operation.victim), 0)
        # its own environment: it must not carry the mark before it is upsmon
        self.said = b""
        self.tracer = subprocess.Popen(
            [*PYTHON, HERE / "strike.py", "--process", str(process), "--call", str(call), *what],
            env=self.daemon.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=open(self.daemon.dir / "log", "ab"))
        os.set_blocking(self.tracer.stdout.fileno(), False)
        wait_for("the tracer", lambda: "attached" in self.heard() or self.tracer.poll(), step=0.002)
        assert self.tracer.poll() is None or self.struck(), self.daemon.log()

    def heard(self):
        self.said += self.tracer.stdout.read() or b""
        return self.said.decode()

    def struck(self):
        return "struck" in self.heard()

    def processes(self):
        return marked(mark_of(self.daemon), (self.tracer.pid,))

    def end(self):
        """Everything that is left: the daemon, and whoever followed it."""
        if self.tracer:
            self.tracer.kill()
            self.tracer.wait()
            self.tracer.stdout.close()
            self.tracer = None
        end_marked(mark_of(self.daemon))

    # -- one point -----------------------------------------------------------------

    def strike(self, call):
        """The operation, struck at this call; False: it was through before it came to that."""
        order, victim, _ = self.operation
        if order is None:
            self.follow(call, self.daemon.binary, "-F")
            # each is asked once: a daemon that has started may be struck in the next moment
            outcome = wait_for("the strike or the start", lambda: self.struck() and "struck"
                               or self.daemon.pid() and "started"
                               or self.tracer.poll() is not None and "ended", step=0.002)
            assert outcome != "ended" or self.struck(), self.daemon.log()
            return self.struck()
        self.daemon.started()
        self.pid = self.daemon.pid()
        if self.installed:
            self.installed.put_next()
        self.follow(call, "--attach",
                    str(self.daemon.monitor() if victim == "monitor" else self.pid))
        # killed under its hands, it may say either
        self.code = self.daemon.command("-c", order).returncode
        assert self.code in (0, 1)
        # an order is through when all of them have come to rest after it
        rest = Rest(mark_of(self.daemon), (self.tracer.pid,))
        wait_for("the strike or the end", lambda: self.struck() or rest.reached()
                 or self.tracer.poll() is not None, step=0.005)
        return self.struck()

    def outlived(self):
        """The guard is there in spite of it: its monitor was struck, and it will have another.

        A guard that was not ready gives up without a monitor, and one that was told to stop stops.
        """
        if self.operation.victim == "guard":
            return False
        wait_for("what becomes of the guard", lambda: not lock_holder(self.daemon.lockfile) or (
            self.operation.order != "stop" and self.daemon.pid()), step=0.002)
        return bool(lock_holder(self.daemon.lockfile))

    def check_upgrade(self, where):
        """The guard outlives the others: it runs what the answer said, and can do it again."""
        old, new = (self.installed.builds[(self.installed.turn + n) % 2] for n in (1, 0))
        # from the exec on it is the new one; before that, the old one goes on
        assert runs(self.pid, old if self.code else new), where
        assert self.code == {"rehearsal": 1, "successor": 0}.get(self.operation.victim,
                                                                  self.code), where
        wait_for(f"a monitor: {where}", self.daemon.monitor, step=0.002)
        result = self.installed.upgrade()
        assert result.returncode == 0 and runs(self.pid, new), (where, result.stderr)
        assert self.daemon.pid() == self.pid, where

    def recover(self, call):
        """The next plain start works within the second, and is alone within the second."""
        where = (name_of(self.operation), call, self.code, self.heard(), self.daemon.log()[-2000:])
        survives = self.installed and self.operation.victim != "guard"
        assert not survives or self.daemon.pid() == self.pid, where
        if self.outlived():
            assert self.daemon.status() == 0, where
            if self.installed:
                self.check_upgrade(where)
            if self.survived % counts.REFUSED_EVERY == 0:
                assert self.daemon.start().returncode == 1, where
            self.survived += 1
            assert guards(self.daemon, (self.tracer.pid,)) == [self.daemon.pid()], where
            assert self.daemon.command("-c", "stop").returncode == 0, where
        began = time.monotonic()
        result = self.daemon.start()
        assert result.returncode == 0, (where, result.stderr)
        took = time.monotonic() - began
        wait_for(f"one daemon and nothing else: {where}", self.is_alone, step=0.002)
        alone = time.monotonic() - began
        assert self.daemon.status() == 0, where
        if alone > counts.CRASH_SECONDS:
            raise Late(f"started after {took:.2f} s, alone after {alone:.2f} s: {where}")
        self.slowest = max(self.slowest, took)

    def is_alone(self):
        """Exactly one guard, which has the lock and the pidfile, and what it has started."""
        return self.tracer.poll() is not None and \
            guards(self.daemon) == [self.daemon.pid()] == [lock_holder(self.daemon.lockfile)]

    def once(self, call):
        try:
            if not self.strike(call):
                return False
            self.recover(call)
            self.points += 1
            return True
        finally:
            self.end()

    def point(self, call):
        tries = 1
        while True:
            try:
                return self.once(call)
            except Late:
                if tries == TRIES:
                    raise
                tries += 1


@pytest.mark.root
@pytest.mark.parametrize("hand", range(counts.CRASH_HANDS))
@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
def test_crash_at_every_call(operation, hand, binary, binaries, make_quiet):
    began = time.monotonic()
    # of an upgrade: from this build to the other, and back
    others = [path for path in binaries if path != binary]
    crash = Crash(make_quiet(binary), operation, [binary, *others])
    call = 1 + hand * operation.step
    while crash.point(call):
        call += counts.CRASH_HANDS * operation.step
    assert crash.points and not crash.daemon.down.exists()
    report(f"crashes: {operation.order or 'start'}, the {operation.victim} killed at every call",
           rounds=crash.points, guard_went_on=crash.survived,
           max_start_seconds=crash.slowest, seconds=time.monotonic() - began)


@pytest.mark.root
def test_start_right_after_kill_9(binary, make_quiet):
    """`kill -9 PID; upsmon`, as a person types it, and a script: nobody waits for the death.

    A process that was killed holds its locks until the kernel has come to it, so that the start
    can meet the lock of a dead man.
    """
    daemon = make_quiet(binary)
    began, slowest, late = time.monotonic(), 0.0, 0
    for n in range(counts.KILL_ROUNDS):
        daemon.started()
        os.kill(daemon.pid(), signal.SIGKILL)
        start = time.monotonic()
        result = daemon.start()
        slowest = max(slowest, time.monotonic() - start)
        assert result.returncode == 0, (n, result.stderr)
        wait_for("one daemon", lambda: guards(daemon) == [daemon.pid()], step=0.002)
        late += time.monotonic() - start > counts.CRASH_SECONDS
        end_marked(mark_of(daemon))
    # a few may be the machine's, if it is busy; the program's own would be most of them
    assert late <= counts.KILL_ROUNDS // 10, (late, slowest)
    report("crashes: a start right after kill -9", rounds=counts.KILL_ROUNDS,
           max_start_seconds=slowest, seconds=time.monotonic() - began)
