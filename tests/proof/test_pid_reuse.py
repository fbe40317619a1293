"""The pid of a dead daemon belongs to somebody else: for real, with the kernel's own numbers.

In a pid namespace of its own the next number can be chosen (at_pid.py). A daemon is killed with
SIGKILL, so that its pidfile and its note in the lock file stay, and then a stranger gets its very
number: a sleep, a shell, another upsmon, a zombie, the process that asks, and the process that
starts. No stranger may ever keep upsmon down, and none may ever get a signal.
"""

import os
import shutil
import signal
import subprocess
import time

import pytest

import counts
from daemon import lock_holder
from figures import report
from lab.upsd import wait_for
from processes import HERE, PYTHON, end_marked, mark_of

pytestmark = pytest.mark.root

# Writes down each signal that somebody may send by mistake, and stays. Called upsmon by its link.
RECORDER = """#!/bin/sh
for s in TERM HUP USR1 INT QUIT USR2 ALRM; do trap "echo $s >>$1.signals" $s; done
echo >$1.ready
while :; do read -r _; done
"""


def kill_if_there(pid):
    try:
        if pid:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Stage:
    """A room with a daemon that died in it, and whoever has its number now."""

    def __init__(self, room, daemon, other, place):
        self.room, self.daemon, self.other, self.place = room, daemon, other, place
        self.recorder = place / "recorder"
        self.recorder.write_text(RECORDER)
        self.recorder.chmod(0o755)
        self.pid = None
        self.guest = None

    # -- upsmon in the room ------------------------------------------------------

    def upsmon(self, *args):
        return self.room.call([self.daemon.binary, *args], self.daemon.env)

    def started(self):
        result = self.upsmon("-B")
        assert result.returncode == 0, result.stderr
        return int(self.daemon.pidfile.read_text())

    def crashed(self):
        """Starts one and kills it; its number is free then, and both files name it."""
        self.pid = self.started()
        self.room.kill(self.pid)
        wait_for("its monitor's end", lambda: not self.of_daemon(), step=0.005)
        assert int(self.daemon.pidfile.read_text()) == self.pid
        return self.pid

    def of_daemon(self):
        mark = mark_of(self.daemon).encode() + b"\0"
        found = []
        for inside, outside in self.room.pids().items():
            try:
                with open(f"/proc/{outside}/environ", "rb") as f:
                    if mark in f.read():
                        found.append(inside)
            except OSError:
                pass
        return found

    def only_daemon(self):
        """The pid in the room of the one that holds the lock."""
        holder = lock_holder(self.daemon.lockfile)
        inside = {outside: pid for pid, outside in self.room.pids().items()}
        assert inside.get(holder) == int(self.daemon.pidfile.read_text())
        return inside[holder]

    # -- the strangers -----------------------------------------------------------

    def recording(self, command):
        """A shell that takes each signal down; its standard input keeps it asleep."""
        (self.place / "guest.ready").unlink(missing_ok=True)
        (self.place / "guest.signals").unlink(missing_ok=True)
        self.guest = self.room.at_pid(self.pid, [*command, self.place / "guest"], {},
                                      stdin=subprocess.PIPE)
        wait_for("the stranger", (self.place / "guest.ready").exists, step=0.005)

    def shell(self):
        self.recording(["/bin/sh", self.recorder])

    def recorder_called_upsmon(self):
        """A shell of that name: prctl would do the same."""
        binary = self.place / "upsmon"
        if not binary.exists():
            shutil.copy("/bin/sh", binary)
        self.recording([binary, self.recorder])

    def sleep(self):
        self.guest = self.room.at_pid(self.pid, ["sleep", "3600"], {})
        wait_for("its name", lambda: self.name() == "sleep", step=0.005)

    @staticmethod
    def _written(daemon):
        """The number in its pidfile, as it is seen in the room."""
        try:
            return int(daemon.pidfile.read_text())
        except FileNotFoundError:
            return None

    def upsmon_elsewhere(self):
        """A nutlet that runs: its own configuration, its own pid directory."""
        self.guest = self.room.at_pid(self.pid, [self.other.binary, "-F"], self.other.env,
                                      stderr=open(self.other.dir / "log", "wb"))
        # the pidfile of its life before is replaced when it is ready
        try:
            wait_for("the other upsmon", lambda: self.pid == self._written(self.other) and
                     lock_holder(self.other.lockfile), step=0.005)
        except TimeoutError as error:
            raise AssertionError(self.other.log()) from error

    def zombie(self):
        self.guest = self.room.at_pid(self.pid, ["true"], {}, stdin=subprocess.PIPE,
                                      zombie=["--zombie"])
        assert self.guest.stdout.readline() == "zombie\n"

    def name(self):
        with open(f"/proc/{self.room.pids()[self.pid]}/comm") as f:
            return f.read().strip()

    def check_untouched(self, stranger):
        """It is there, and nobody has signalled it."""
        assert self.pid in self.room.pids()
        assert not (self.place / "guest.signals").exists(), \
            (self.place / "guest.signals").read_text()
        if stranger == "upsmon_elsewhere":
            # each of its signals leaves a line in its log, and HUP an answer, too
            log = self.other.log()
            assert not any(word in log for word in ("stopping", "read anew", "FSD", "upgrade")), log
            assert not (self.other.pid_dir / "upsmon.reload").exists()
            asked = self.room.call([self.other.binary, "-c", "status"], self.other.env)
            assert asked.returncode == 0, asked.stdout

    def guest_leaves(self):
        """His number is free again: the parent of a zombie reads the end of its input, and goes."""
        if self.guest.stdin:
            self.guest.stdin.close()
        kill_if_there(self.room.pids().get(self.pid))
        self.guest.wait(30)
        wait_for("the number to be free", lambda: self.pid not in self.room.pids(), step=0.005)


STRANGERS = ["sleep", "shell", "recorder_called_upsmon", "upsmon_elsewhere", "zombie"]


@pytest.fixture
def stage(rooms, make_quiet, binary, place):
    stage = Stage(rooms(), make_quiet(binary), make_quiet(binary, "other"), place)
    yield stage
    for daemon in (stage.daemon, stage.other):
        end_marked(mark_of(daemon))


@pytest.mark.parametrize("stranger", STRANGERS)
def test_stranger_on_the_pid(stage, stranger):
    began, slowest = time.monotonic(), 0.0
    for _ in range(counts.REUSE_ROUNDS):
        stage.crashed()
        getattr(stage, stranger)()
        result = stage.upsmon("-c", "status")
        assert result.returncode == 1, result.stdout
        for order in ("stop", "reload", "upgrade", "fsd"):
            assert stage.upsmon("-c", order).returncode == 1
            assert stage.upsmon("-c", order, "-P", str(stage.pid)).returncode == 1
        start = time.monotonic()
        assert stage.started() != stage.pid
        slowest = max(slowest, time.monotonic() - start)
        assert stage.only_daemon() != stage.pid
        assert stage.upsmon("-c", "status").returncode == 0
        assert stage.upsmon("-c", "reload").returncode == 0
        assert stage.upsmon("-c", "stop", "-P", str(stage.pid)).returncode == 1
        assert stage.upsmon("-c", "stop").returncode == 0
        # without its lock it may still be on its way out
        wait_for("its end", lambda: not stage.of_daemon(), 10, 0.005)
        if stranger != "zombie":
            stage.check_untouched(stranger)
        stage.guest_leaves()
    report(f"pid reuse: {stranger.replace('_', ' ')} on the recorded pid",
           rounds=counts.REUSE_ROUNDS, max_start_seconds=slowest, strangers_signalled=0,
           seconds=time.monotonic() - began)


def test_the_start_itself_has_the_pid(stage):
    """Row 2: init gives the same number at each boot, to the process it supervises."""
    began = time.monotonic()
    for _ in range(counts.REUSE_ROUNDS):
        pid = stage.crashed()
        stage.guest = stage.room.at_pid(pid, [stage.daemon.binary, "-F"], stage.daemon.env,
                                        stderr=open(stage.daemon.dir / "log", "wb"))
        wait_for("the lock and the pidfile", lambda: lock_holder(stage.daemon.lockfile) ==
                 stage.room.pids().get(pid) and "ready" in stage.daemon.log(), step=0.005)
        assert stage.only_daemon() == pid
        assert stage.upsmon("-c", "stop").returncode == 0
        assert stage.guest.wait(30) == 0
    report("pid reuse: -F on its own recorded pid", rounds=counts.REUSE_ROUNDS,
           seconds=time.monotonic() - began)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_the_way_to_the_start_has_the_pid(stage, before):
    """The recorded one is the shell that starts -B, -B's first process, or the daemon itself."""
    began = time.monotonic()
    for _ in range(counts.REUSE_ROUNDS):
        pid = stage.crashed()
        # shell, -B and the daemon get numbers in a row: nobody else forks in this room
        shell = stage.room.at_pid(
            pid - before, ["sh", "-c", '"$0" -B; exit $?', stage.daemon.binary], stage.daemon.env)
        assert shell.wait(30) == 0
        assert (stage.only_daemon() == pid) == (before == 2)
        assert stage.upsmon("-c", "stop").returncode == 0
    report(f"pid reuse: {('the shell', 'its -B', 'the daemon of -B')[before]} on the recorded pid",
           rounds=counts.REUSE_ROUNDS, seconds=time.monotonic() - began)


@pytest.mark.parametrize("left", ["pidfile and lock", "pidfile alone"])
@pytest.mark.parametrize("order", ["status", "stop", "reload", "upgrade", "fsd"])
def test_the_question_itself_has_the_pid(stage, order, left):
    """`-c status` is called upsmon, too, and must not take itself for the daemon; not either where
    no note in the lock file says who wrote the pidfile."""
    for _ in range(counts.REUSE_ROUNDS):
        pid = stage.crashed()
        if left == "pidfile alone":
            stage.daemon.lockfile.unlink()
        asked = stage.room.at_pid(pid, [stage.daemon.binary, "-c", order], stage.daemon.env)
        assert asked.wait(60) == 1
        stage.started()
        assert stage.upsmon("-c", "stop").returncode == 0
    report(f"pid reuse: -c {order} on the recorded pid", rounds=counts.REUSE_ROUNDS)


@pytest.mark.parametrize("stranger", ["recorder_called_upsmon", "upsmon_elsewhere"])
@pytest.mark.parametrize("order", ["stop", "reload", "upgrade"])
def test_pid_changes_hands_during_a_command(stage, order, stranger):
    """Row 5: the command is held before its n-th call, for each n. Meanwhile the daemon dies, and
    a stranger who is called upsmon gets its number. The command goes on, and must not reach him.

    The command has sent its signal before it ends, so there is nothing to wait for.
    """
    began, moments, call = time.monotonic(), 0, 1
    while True:
        stage.pid = stage.started()
        command = stage.room.popen(
            [*PYTHON, HERE / "strike.py", "--hold", "--call", call,
             stage.daemon.binary, "-c", order],
            stage.daemon.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said = command.stdout.readline() + command.stdout.readline()
        if "struck" not in said:
            assert said == "attached\n" and command.wait(60) == 0
            break
        # it may have had its signal already; then it stops of itself
        kill_if_there(stage.room.pids().get(stage.pid))
        wait_for("the daemon's end", lambda: stage.pid not in stage.room.pids(), step=0.005)
        getattr(stage, stranger)()
        command.stdin.close()
        command.wait(60)
        stage.check_untouched(stranger)
        stage.guest_leaves()
        end_marked(mark_of(stage.daemon))
        moments += 1
        call += counts.HANDOVER_STEP
    assert moments
    report(f"pid reuse: the pid changes hands at every call of -c {order}", rounds=moments,
           strangers_signalled=0, seconds=time.monotonic() - began)
