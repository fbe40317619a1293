"""Every moment of a start and of an upgrade: held there, it is given an order, asked, or met by a
second start.

test_races.py hits a moment by chance; here each is hit on purpose. strike.py holds the guard just
before its n-th system call, somebody else acts, and then the guard goes on.
"""

import os
import subprocess
import time
from collections import namedtuple

import pytest

import counts
from daemon import lock_holder
from figures import report
from installed import Installed, runs
from lab.upsd import wait_for
from processes import HERE, PYTHON, Rest, guards, mark_of

# What happens while it is held. `waits`: for the one that is held, so it cannot be waited for.
# `running`: the exit code where it meets a daemon.
Action = namedtuple("Action", "name waits running")
ACTIONS = [Action("stop", True, 0), Action("reload", True, 0), Action("upgrade", True, 0),
           Action("fsd", False, 0), Action("status", False, 0), Action("start", False, 1)]


class Held:
    """Who is held before its n-th call; through: it was ready before it came to that."""

    def __init__(self, daemon, call, *what):
        self.daemon = daemon
        self.said = b""
        self.pidfile_was_there = daemon.pidfile.exists()
        self.tracer = subprocess.Popen(
            [*PYTHON, HERE / "strike.py", "--hold", "--call", str(call), *what],
            env=daemon.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=open(daemon.dir / "log", "ab"))
        os.set_blocking(self.tracer.stdout.fileno(), False)

    def heard(self):
        self.said += self.tracer.stdout.read() or b""
        return self.said

    def struck(self):
        return b"struck" in self.heard()

    def ended(self):
        """All that the tracer followed have."""
        return self.tracer.poll() is not None

    def go_on(self):
        self.tracer.stdin.close()

    def end(self):
        self.tracer.kill()
        self.tracer.wait()
        self.tracer.stdout.close()
        if not self.tracer.stdin.closed:
            self.tracer.stdin.close()


class HeldStart(Held):
    def __init__(self, daemon, call):
        super().__init__(daemon, call, daemon.binary, "-F")
        outcome = wait_for("the moment", lambda: self.struck() and "struck" or self.ended()
                           and "ended" or daemon.pid() and "started", step=0.002)
        self.through = not self.struck()
        assert not self.through or outcome == "started", daemon.log()

    def check_settled(self, where):
        assert not self.ended() and self.daemon.pid(), where


class HeldUpgrade(Held):
    """From one build to the other: daemon.binary is the new one while it is held."""

    def __init__(self, daemon, call, installed):
        daemon.started()
        self.pid = daemon.pid()
        self.fresh = installed.put_next()
        super().__init__(daemon, call, "--attach", str(self.pid))
        wait_for("the tracer", lambda: b"attached" in self.heard(), step=0.002)
        self.order = subprocess.Popen([daemon.binary, "-c", "upgrade"], env=daemon.env,
                                      stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # an upgrade is through when all have come to rest after its answer
        self.rest = Rest(mark_of(daemon), (self.tracer.pid,))
        wait_for("the moment", lambda: self.struck() or
                 (self.order.poll() is not None and self.rest.reached()), 60, 0.005)
        self.through = not self.struck()
        # over all of it, the exec too, nobody else can get the lock
        assert lock_holder(daemon.lockfile) == self.pid
        assert not self.through or self.order.poll() == 0

    def check_settled(self, where):
        assert self.order.wait(60) == 0, (where, self.order.stderr.read())
        assert self.daemon.pid() == self.pid and runs(self.pid, self.fresh), where
        wait_for(f"a monitor: {where}", self.daemon.monitor, step=0.002)

    def end(self):
        super().end()
        # somebody may have told the daemon to stop; then the order has no answer, and ends
        try:
            assert self.order.wait(30) in (0, 1)
        finally:
            self.order.kill()
            self.order.wait()
            self.order.stderr.close()


def act(daemon, held, action):
    """While it is held; returns whether there was a daemon, and what the other one said."""
    claimed = bool(lock_holder(daemon.lockfile))
    command = ["-B"] if action.name == "start" else ["-c", action.name]
    other = subprocess.Popen([daemon.binary, *command], env=daemon.env, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=open(daemon.dir / "other", "wb"))
    try:
        if action.waits:
            # signalled, it waits for the one that is held
            wait_for("it to act", lambda: other.poll() is not None or sleeps_in_poll(other.pid),
                     step=0.002)
        else:
            other.wait(30)
        held.go_on()
        code = other.wait(60)
    finally:
        other.kill()
        other.wait()
    return claimed, code


def sleeps_in_poll(pid):
    try:
        with open(f"/proc/{pid}/wchan") as f:
            return "poll" in f.read()
    except OSError:
        return False


def check(daemon, held, action, claimed, code):
    """What each action must have led to, whatever the moment was."""
    def settled():
        return held.ended() or daemon.pid()

    where = (action, held.said, daemon.log()[-1500:], (daemon.dir / "other").read_text())
    if action.name == "fsd" and claimed:
        # a shutdown goes first, whatever else is under way; a start may then never be ready
        assert code == 0, where
        wait_for(f"SHUTDOWNCMD: {where}", lambda: daemon.down.exists() and daemon.down.read_text())
        assert daemon.down.read_text() == "\n", where
        daemon.down.unlink()
        return
    loser = action.name == "start" and not claimed
    wait_for(f"the start to end or to be ready: {where}", held.ended if loser else settled,
             step=0.002)
    if action.name == "stop" and claimed:
        assert code == 0, where
        wait_for("the end", held.ended, step=0.002)
        assert not lock_holder(daemon.lockfile), where
        # who gave the order to upgrade is still on his way out
        wait_for(f"nothing left: {where}", lambda: not guards(daemon), 10, 0.002)
        return
    if loser:
        # the second was faster; the held one finds its lock
        assert code == 0, where
        wait_for("one daemon", lambda: guards(daemon) == [daemon.pid()], 10, 0.002)
        return
    held.check_settled(where)
    # a start that was refused may still be on its way out
    wait_for(f"one daemon: {where}",
             lambda: guards(daemon, (held.tracer.pid,)) == [daemon.pid()], 10, 0.002)
    # each round leaves the pidfile of its end
    stopped = {"status": 1 if held.pidfile_was_there else 3}
    assert code == (action.running if claimed else stopped.get(action.name, 1)), where


def every_moment(hold, daemon, action, call, step):
    """Returns how many there were."""
    moments = 0
    daemon.write(daemon.conf.read_text() + "HOSTSYNC 0\nFINALDELAY 0\n")
    while True:
        held = None
        try:
            held = hold(call)
            if held.through:
                break
            check(daemon, held, action, *act(daemon, held, action))
        finally:
            if held:
                held.end()
            daemon.end()
            wait_for("nothing left", lambda: not guards(daemon), step=0.002)
        moments += 1
        call += counts.CRASH_HANDS * step
    assert moments and not daemon.down.exists()
    return moments


@pytest.mark.root
@pytest.mark.parametrize("hand", range(counts.CRASH_HANDS))
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_moment_of_a_start(action, hand, binary, make_quiet):
    daemon = make_quiet(binary)
    began = time.monotonic()
    moments = every_moment(lambda call: HeldStart(daemon, call), daemon, action,
                           1 + hand * counts.MOMENT_STEP, counts.MOMENT_STEP)
    report(f"moments: {action.name} at every call of a start", rounds=moments,
           seconds=time.monotonic() - began)


@pytest.mark.root
@pytest.mark.parametrize("hand", range(counts.CRASH_HANDS))
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_moment_of_an_upgrade(action, hand, binary, binaries, make_quiet):
    """The guard is followed through its exec: nobody gets in, and both orders are carried out."""
    daemon = make_quiet(binary)
    installed = Installed(daemon, [binary, *(path for path in binaries if path != binary)])
    began = time.monotonic()
    moments = every_moment(lambda call: HeldUpgrade(daemon, call, installed), daemon, action,
                           1 + hand * counts.UPGRADE_MOMENT_STEP, counts.UPGRADE_MOMENT_STEP)
    report(f"moments: {action.name} at every call of an upgrade", rounds=moments,
           seconds=time.monotonic() - began)
