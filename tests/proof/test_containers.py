"""Real pid namespaces: a /run that several share, a /proc of somebody else, and none at all.

A pid says nothing across a border between namespaces, and the same number means different
processes on both sides. The lock is of the file, and holds on both sides; so upsmon may always
start when it should, never twice, and where it cannot prove which process it is about, it refuses
and signals nobody.
"""

import pathlib
import signal
import subprocess

import pytest

import counts
from lab.upsd import wait_for
from processes import end_marked, marked, tops

PROOF = "containers"
pytestmark = [pytest.mark.root, pytest.mark.usefixtures("one_case")]

AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]
# Calls itself upsmon, and takes each signal down.
RECORDER = ("import ctypes,os,signal,sys; ctypes.CDLL(None).prctl(15, b'upsmon', 0, 0, 0); "
            "[signal.signal(s, lambda s, f: open(sys.argv[1] + '.signals', 'a').write(str(s))) "
            "for s in (1, 2, 3, 10, 12, 14, 15)]; open(sys.argv[1] + '.ready', 'w'); "
            "[signal.pause() for _ in iter(int, 1)]")


class Recorder:
    """A process called upsmon that writes down each signal it gets."""

    def __init__(self, room, place, pid):
        self.files = place / f"recorder-{pid}"
        self.process = room.at_pid(pid, ["/usr/bin/python3", "-S", "-E", "-c", RECORDER,
                                         self.files], {})
        wait_for("the recorder", pathlib.Path(f"{self.files}.ready").exists, step=0.005)

    def untouched(self):
        return self.process.poll() is None and not pathlib.Path(f"{self.files}.signals").exists()


@pytest.fixture
def daemon(make_quiet, binary):
    """Its pid directory is /run/nut, whatever /run is in the room where it is asked."""
    daemon = make_quiet(binary)
    daemon.env.update(NUT_PIDPATH="/run/nut", NUT_ALTPIDPATH="/run/nut",
                      PROOF_MARK=str(daemon.dir))
    yield daemon
    end_marked(f"PROOF_MARK={daemon.dir}")


@pytest.fixture(params=range(counts.ROOM_ROUNDS), autouse=True)
def round_number(request):
    return request.param


def daemons(daemon):
    return tops(marked(f"PROOF_MARK={daemon.dir}"))


def ask(room, daemon, *args, as_user=()):
    return room.call([*as_user, daemon.binary, *args], daemon.env)


def only(daemon, pid):
    """It, and no other: a start that was refused may still be on its way out."""
    wait_for(f"{pid} alone", lambda: daemons(daemon) == [pid], 10, 0.005)


def start(room, daemon, *args, as_user=()):
    result = ask(room, daemon, "-B", *args, as_user=as_user)
    assert result.returncode == 0, result.stderr
    wait_for("one daemon", lambda: len(daemons(daemon)) == 1, 10, 0.005)
    return daemons(daemon)[0]


def foreground_at(room, daemon, pid):
    """-F with this very pid in the room, ready."""
    log = daemon.dir / "log"
    log.unlink(missing_ok=True)
    process = room.at_pid(pid, [daemon.binary, "-F"], daemon.env, stderr=open(log, "wb"))
    wait_for("it to be ready", lambda: "ready" in daemon.log() or process.poll() is not None,
             step=0.005)
    assert process.poll() is None, daemon.log()
    return process


def stopped(daemon):
    wait_for("the end of all", lambda: not daemons(daemon), step=0.005)


# -- one /run, several pid namespaces ------------------------------------------

def test_shared_run(daemon, rooms, place):
    """Two containers with one volume. Here the holder's number is a bystander's, called upsmon."""
    base = rooms("base")
    theirs = rooms("theirs", setup=":", within=base)
    ours = rooms("ours", setup=":", within=base)
    bystander = Recorder(ours, place, 50)
    own = foreground_at(theirs, daemon, 50)
    status = ask(ours, daemon, "-c", "status")
    assert status.returncode == 0 and "another pid namespace" in status.stdout
    result = ask(ours, daemon, "-B")
    assert result.returncode == 1 and "another pid namespace" in result.stderr
    for order in ("stop", "reload", "fsd"):
        for which in ((), ("-P", "50")):
            result = ask(ours, daemon, "-c", order, *which)
            assert result.returncode == 1 and "another pid namespace" in result.stderr
    assert own.poll() is None
    only(daemon, theirs.pids()[50])
    # a clean end there, and a crash: either way it starts here
    for sig in (signal.SIGTERM, signal.SIGKILL):
        theirs.kill(50, sig)
        own.wait(30)
        stopped(daemon)
        assert ask(ours, daemon, "-c", "status").returncode == (1 if sig == signal.SIGKILL else 3)
        start(ours, daemon)
        assert ask(ours, daemon, "-c", "stop").returncode == 0
        own = foreground_at(theirs, daemon, 50)
    assert bystander.untouched()


def test_shared_run_with_a_child(daemon, rooms):
    """A machine whose /run is its container's, too: the holder's number here is another one."""
    base = rooms("base")
    theirs = rooms("theirs", setup=":", within=base)
    pid = start(theirs, daemon)
    assert ask(base, daemon, "-c", "status").returncode == 0
    assert ask(base, daemon, "-B").returncode == 1
    only(daemon, pid)
    result = ask(base, daemon, "-c", "stop")
    assert result.returncode == 0, result.stderr
    stopped(daemon)


def test_stop_from_the_parent_namespace(daemon, rooms):
    """The machine itself sees into the room, and its number for the daemon is another one."""
    room = rooms()
    pid = start(room, daemon)
    outside = dict(daemon.env, NUT_PIDPATH=str(room.path("/run/nut")))

    def upsmon(*args):
        return subprocess.run([daemon.binary, *args], env=outside, timeout=30, text=True,
                              capture_output=True, check=False)

    assert upsmon("-c", "status").stdout.startswith(f"upsmon is running: pid {pid} holds the lock")
    refused = upsmon("-B")
    assert refused.returncode == 1 and f"pid {pid} holds the lock" in refused.stderr
    assert upsmon("-c", "stop").returncode == 0
    stopped(daemon)


@pytest.mark.parametrize("pid", [1, 7, 300])
def test_the_same_pid_in_a_new_container(daemon, rooms, pid):
    """A container that is made anew gives its processes the numbers of the last time."""
    base = rooms("base")
    for life in range(3):
        room = base if pid == 1 else rooms(f"life{life}", setup=":", within=base)
        if pid == 1:
            as_init(base, daemon)
        else:
            foreground_at(room, daemon, pid)
        assert base.path("/run/nut/upsmon.pid").read_text() == f"{pid}\n"
        assert daemon.log().count("this very") == (life > 0), daemon.log()
        end_marked(f"PROOF_MARK={daemon.dir}")
        if room is not base:
            room.end()


def as_init(base, daemon):
    """upsmon as the first process of a container, as `docker run ... upsmon -F` has it."""
    log = daemon.dir / "log"
    log.unlink(missing_ok=True)
    process = base.popen(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
                          daemon.binary, "-F"], daemon.env, stderr=open(log, "wb"))
    wait_for("it to be ready", lambda: "ready" in daemon.log() or process.poll() is not None,
             step=0.005)


# -- the /proc of somebody else, and no /proc ----------------------------------

def live_through(room, daemon, as_user=()):
    """What does not need /proc: start, refuse, status. Returns whether `stop` worked."""
    pid = start(room, daemon, as_user=as_user)
    assert ask(room, daemon, "-c", "status", as_user=as_user).returncode == 0
    refused = ask(room, daemon, "-B", as_user=as_user)
    assert refused.returncode == 1 and "holds the lock" in refused.stderr, refused.stderr
    only(daemon, pid)
    result = ask(room, daemon, "-c", "stop", as_user=as_user)
    if result.returncode == 0:
        stopped(daemon)
        return True
    # refused: then nothing has happened, and it says why
    assert "nothing is signalled" in result.stderr, result.stderr
    only(daemon, pid)
    assert ask(room, daemon, "-c", "status", as_user=as_user).returncode == 0
    return False


@pytest.mark.parametrize("bystander", ["nobody", "a kernel thread", "an upsmon"])
def test_proc_of_another_namespace(daemon, rooms, place, bystander):
    """unshare --pid --fork without --mount-proc: each number there means somebody else.

    The bystander has the daemon's own number in the namespace that /proc shows.
    """
    base = rooms("base")
    room = rooms("inner", setup=":", proc=False, within=base)
    pid = {"nobody": 3000, "a kernel thread": 30, "an upsmon": 300}[bystander]
    seen = Recorder(base, place, pid) if bystander == "an upsmon" else None
    foreground_at(room, daemon, pid)
    [guard] = daemons(daemon)
    assert ask(room, daemon, "-c", "status").returncode == 0
    refused = ask(room, daemon, "-B")
    assert refused.returncode == 1
    only(daemon, guard)
    result = ask(room, daemon, "-c", "stop")
    if result.returncode == 0:
        stopped(daemon)
    else:
        assert "nothing is signalled" in result.stderr and daemons(daemon) == [guard]
    assert not seen or seen.untouched()


def test_stale_pidfile_and_proc_of_another_namespace(daemon, rooms, place):
    """Nobody holds the lock; the number is an upsmon's in the /proc that is shown, and nobody's
    here. The file was left by a nutlet, as its note says; the start works."""
    base = rooms("base")
    room = rooms("inner", setup=":", proc=False, within=base)
    seen = Recorder(base, place, 300)
    for file in ("upsmon.pid", "upsmon.lock"):
        room.path(f"/run/nut/{file}").write_text("300\n")
    assert ask(room, daemon, "-c", "status").returncode == 1
    assert ask(room, daemon, "-c", "stop").returncode == 1
    live_through(room, daemon)
    assert seen.untouched()


@pytest.mark.parametrize("setup", ["umount -l /proc", "mount -t tmpfs none /proc"])
def test_no_proc(daemon, rooms, setup):
    """No /proc at all: the lock tells. What is stale cannot be named, and keeps nobody down."""
    base = rooms("base")
    room = rooms("inner", setup=setup, within=base)
    live_through(room, daemon)
    end_marked(f"PROOF_MARK={daemon.dir}")
    # left behind, with and without its note
    for text in ("30000\n", None, "1\n"):
        room.path("/run/nut/upsmon.pid").write_text(text or "30000\n")
        if text is None:
            room.path("/run/nut/upsmon.lock").unlink()
        assert ask(room, daemon, "-c", "stop").returncode == 1
        live_through(room, daemon)
        end_marked(f"PROOF_MARK={daemon.dir}")


def test_hidepid_for_a_user_without_rights(daemon, rooms):
    """hidepid=2 shows a user nothing but his own. Root's number in his pidfile is hidden, but
    not free; his start works all the same, and so do his orders."""
    base = rooms("base")
    room = rooms("inner", setup="mount -t proc -o hidepid=2 proc /proc && mkdir -m 755 /run/own && "
                 "chown nobody /run/own", within=base)
    daemon.env.update(NUT_PIDPATH="/run/own", NUT_ALTPIDPATH="/run/own")
    daemon.conf.chmod(0o644)
    hidden = room.at_pid(500, ["sleep", "600"], {})
    assert room.call([*AS_NOBODY, "test", "-e", "/proc/500"], daemon.env).returncode == 1
    for number in (500, 1, 30000):
        room.path("/run/own/upsmon.pid").write_text(f"{number}\n")
        assert ask(room, daemon, "-c", "stop", as_user=AS_NOBODY).returncode == 1
        assert live_through(room, daemon, as_user=AS_NOBODY)
    assert hidden.poll() is None


def test_root_daemon_asked_by_a_user_under_hidepid(daemon, rooms):
    """He may not read the lock and does not see the process: it is unknown, and nobody is hurt."""
    room = rooms("inner", setup="mount -t tmpfs tmpfs /run && mkdir -m 755 /run/nut && "
                 "mount -t proc -o hidepid=2 proc /proc")
    daemon.conf.chmod(0o644)
    pid = start(room, daemon)
    assert ask(room, daemon, "-c", "status", as_user=AS_NOBODY).returncode == 4
    assert ask(room, daemon, "-c", "stop", as_user=AS_NOBODY).returncode == 1
    assert ask(room, daemon, "-B", as_user=AS_NOBODY).returncode == 1
    only(daemon, pid)
    assert ask(room, daemon, "-c", "stop").returncode == 0
