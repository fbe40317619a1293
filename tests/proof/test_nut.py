"""Living with NUT's own upsmon and with the tools that know upsmon by its pidfile and its name.

NUT's place for the pidfile is compiled in, so both live in a room of their own with an empty /run.
"""

import os
import pathlib
import signal
import sys

import pytest

import counts
from daemon import lock_holder
from lab.upsd import wait_for
from processes import end_marked, marked, tops

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "compare"))
from peer import PEER, TYPES, cannot_run  # noqa: E402 (the path comes first)

PROOF = "beside NUT"
pytestmark = [
    pytest.mark.root,
    pytest.mark.usefixtures("one_case"),
    pytest.mark.skipif(bool(cannot_run()) or not os.access(PEER, os.X_OK),
                       reason=cannot_run() or f"{PEER} is not there")]

START_STOP = "start-stop-daemon"


class Nut:
    """NUT's upsmon in the same room, with a configuration that watches nothing either."""

    def __init__(self, room, directory):
        self.room = room
        directory.mkdir()
        conf = directory / "upsmon.conf"
        conf.write_text("MONITOR ups@127.0.0.1:1 1 u p primary\nSHUTDOWNCMD /bin/true\n"
                        "RUN_AS_USER nobody\n" + "".join(f"NOTIFYFLAG {t} IGNORE\n" for t in TYPES))
        conf.chmod(0o644)
        self.env = {"PATH": os.environ["PATH"], "NUT_CONFPATH": str(directory)}
        self.mark = f"NUT_CONFPATH={directory}"
        self.pidfile = room.path("/run/nut/upsmon.pid")

    def command(self, *args):
        return self.room.call([PEER, *args], self.env)

    def started(self):
        result = self.command()
        assert result.returncode == 0, result.stdout + result.stderr
        wait_for("NUT's pidfile", lambda: self.pidfile.exists() and self.pidfile.stat().st_size,
                 step=0.005)
        # a parent of root's, and the child that its pidfile names
        wait_for("both", lambda: len(self.processes()) == 2, step=0.005)
        return int(self.pidfile.read_text())

    def processes(self):
        return marked(self.mark)

    def killed(self):
        end_marked(self.mark)


@pytest.fixture
def ours(make_quiet, binary):
    """Also in /run/nut of the room."""
    daemon = make_quiet(binary)
    daemon.env.update(NUT_PIDPATH="/run/nut", NUT_ALTPIDPATH="/run/nut",
                      PROOF_MARK=str(daemon.dir))
    daemon.conf.chmod(0o644)
    yield daemon
    end_marked(f"PROOF_MARK={daemon.dir}")


@pytest.fixture
def room(rooms):
    return rooms()


@pytest.fixture
def nut(room, place):
    nut = Nut(room, place / "nut")
    yield nut
    end_marked(nut.mark)


@pytest.fixture(params=range(counts.ROOM_ROUNDS), autouse=True)
def round_number(request):
    return request.param


def ask(room, ours, *args):
    return room.call([ours.binary, *args], ours.env)


def start(room, ours):
    result = ask(room, ours, "-B")
    assert result.returncode == 0, result.stderr
    guard = tops(marked(f"PROOF_MARK={ours.dir}"))
    assert guard == [lock_holder(room.path("/run/nut/upsmon.lock"))]
    return guard[0]


def gone(room, ours):
    """A clean end: nothing runs, nothing is locked, no pidfile stays."""
    wait_for("a clean end", lambda: not marked(f"PROOF_MARK={ours.dir}"), step=0.005)
    assert not lock_holder(room.path("/run/nut/upsmon.lock"))
    assert not room.path("/run/nut/upsmon.pid").exists()
    assert ask(room, ours, "-c", "status").returncode == 3


# -- beside a running one --------------------------------------------------------

def test_refuses_beside_a_running_nut(room, ours, nut):
    """It takes no lock. Its pidfile names its unprivileged child, and that is named to people."""
    child = nut.started()
    before = nut.processes()
    result = ask(room, ours, "-B")
    assert result.returncode == 1
    assert f"pid {child} is an upsmon" in result.stderr
    assert ask(room, ours, "-c", "status").returncode == 0
    for order in ("stop", "reload", "fsd"):
        result = ask(room, ours, "-c", order)
        assert result.returncode == 1 and "signalled" in result.stderr
        assert ask(room, ours, "-c", order, "-P", str(child)).returncode == 1
    assert nut.processes() == before
    assert int(nut.pidfile.read_text()) == child


def test_starts_after_a_killed_nut(room, ours, nut):
    """Only its stale file is left."""
    child = nut.started()
    nut.killed()
    assert int(nut.pidfile.read_text()) == child
    assert ask(room, ours, "-c", "status").returncode == 1
    start(room, ours)
    assert ask(room, ours, "-c", "stop").returncode == 0
    gone(room, ours)


def test_starts_after_a_nut_that_was_stopped(room, ours, nut):
    """It never removes its pidfile, and ours says so and starts."""
    nut.started()
    assert nut.command("-c", "stop").returncode == 0
    wait_for("NUT's end", lambda: not nut.processes(), step=0.01)
    start(room, ours)
    assert ask(room, ours, "-c", "stop").returncode == 0
    gone(room, ours)


def test_nuts_stale_number_is_a_nutlet_elsewhere(room, ours, nut, make_quiet, place):
    """The number in NUT's stale file was given to a nutlet of another configuration: it holds its
    own lock elsewhere, so it is not NUT, and keeps nobody down."""
    child = nut.started()
    nut.killed()
    # that of an earlier life of ours would name another pid
    other = make_quiet(ours.binary, "other")
    room.at_pid(child, [other.binary, "-F"], other.env, stderr=open(other.dir / "log", "wb"))
    wait_for("the other", lambda: "ready" in other.log(), step=0.005)
    assert int(nut.pidfile.read_text()) == child
    assert ask(room, ours, "-c", "status").returncode == 1
    assert ask(room, ours, "-c", "stop").returncode == 1
    start(room, ours)
    assert ask(room, ours, "-c", "stop").returncode == 0
    assert "stopping" not in other.log()
    assert room.call([other.binary, "-c", "status"], other.env).returncode == 0


def test_nuts_stale_number_is_a_sleep(room, ours, nut):
    """Row 1. No note of ours says whose the file is: here only the name can tell."""
    child = nut.started()
    nut.killed()
    sleep = room.at_pid(child, ["sleep", "600"], {})
    wait_for("its name", lambda: room.path(f"/proc/{child}/comm").read_text() == "sleep\n",
             step=0.005)
    assert ask(room, ours, "-c", "status").returncode == 1
    assert ask(room, ours, "-c", "stop").returncode == 1
    start(room, ours)
    assert ask(room, ours, "-c", "stop").returncode == 0
    gone(room, ours)
    assert sleep.poll() is None


def test_nut_refuses_beside_ours(room, ours, nut):
    """It goes by our pidfile and our name, as it should."""
    start(room, ours)
    result = nut.command()
    assert result.returncode != 0
    assert "already running" in result.stdout + result.stderr
    assert not nut.processes()


# -- who knows ours by pidfile and name --------------------------------------------

def test_nuts_stop_stops_ours(room, ours, nut):
    start(room, ours)
    result = nut.command("-c", "stop")
    assert result.returncode == 0, result.stdout + result.stderr
    gone(room, ours)


def test_start_stop_daemon_knows_ours(room, ours):
    known = ["--pidfile", "/run/nut/upsmon.pid", "--name", "upsmon"]
    start(room, ours)
    assert room.call([START_STOP, "--status", *known], ours.env).returncode == 0
    # it does not start a second one
    again = room.call([START_STOP, "--start", *known, "--exec", ours.binary, "--", "-B"], ours.env)
    assert again.returncode == 1
    assert len(tops(marked(f"PROOF_MARK={ours.dir}"))) == 1
    assert room.call([START_STOP, "--stop", "--retry", "TERM/30", *known], ours.env).returncode == 0
    gone(room, ours)
    assert room.call([START_STOP, "--status", *known], ours.env).returncode == 3


def test_start_stop_daemon_after_a_crash(room, ours):
    """1: dead with a pidfile, as our own status says."""
    guard = start(room, ours)
    os.kill(guard, signal.SIGKILL)
    wait_for("its end", lambda: not marked(f"PROOF_MARK={ours.dir}"), step=0.005)
    known = ["--pidfile", "/run/nut/upsmon.pid", "--name", "upsmon"]
    assert room.call([START_STOP, "--status", *known], ours.env).returncode == 1
    started = room.call([START_STOP, "--start", *known, "--exec", ours.binary, "--", "-B"],
                        ours.env)
    assert started.returncode == 0, started.stderr
    assert len(tops(marked(f"PROOF_MARK={ours.dir}"))) == 1


def test_pidof_knows_ours(room, ours):
    """Guard and monitor, and in this room nobody else."""
    start(room, ours)
    found = room.call(["pidof", "upsmon"], ours.env)
    inside = {outside: pid for pid, outside in room.pids().items()}
    assert set(map(int, found.stdout.split())) == \
        {inside[pid] for pid in marked(f"PROOF_MARK={ours.dir}")}
    assert ask(room, ours, "-c", "stop").returncode == 0
    assert room.call(["pidof", "upsmon"], ours.env).returncode == 1
