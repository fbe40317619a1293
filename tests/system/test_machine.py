"""The machine misbehaves: what is said of it in upsmon(8), WHEN THE MACHINE MISBEHAVES."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from daemon import BINARIES, freeze, lock_holder, settle
from lab.upsd import wait_for

pytestmark = pytest.mark.root

CLOCK = pathlib.Path(__file__).resolve().parents[1] / "compare" / "clock.c"


@contextlib.contextmanager
def limit(kind, value, *pids):
    """A soft limit of running processes, set by their own user; taken back at the end of the block."""
    def set_to(pid, value):
        return subprocess.run(["prlimit", f"--pid={pid}", *value], check=True, text=True,
                              capture_output=True, preexec_fn=of_user(pid)).stdout

    old = {pid: set_to(pid, [f"--{kind}", "-o", "SOFT", "--noheadings"]).strip() for pid in pids}
    try:
        for pid in pids:
            set_to(pid, [f"--{kind}={value}:"])
        yield
    finally:
        for pid in pids:
            set_to(pid, [f"--{kind}={old[pid]}:"])


def of_user(pid):
    """A preexec function: the user and the group of a process."""
    of = os.stat(f"/proc/{pid}")

    def become():
        os.setgid(of.st_gid)
        os.setuid(of.st_uid)
    return become


# -- memory, descriptors, processes ------------------------------------------------------------

def test_no_memory_for_a_command(daemon, upsd):
    """Nothing in the daemon needs more; what it runs does, and is run again."""
    daemon.run()
    guard = daemon.pid()
    with limit("as", 4096, guard):
        upsd.set_status("OB LB")
        daemon.wait_log("SHUTDOWNCMD is tried again in")
        assert re.search("SHUTDOWNCMD (was ended by signal|failed with exit code)", daemon.log())
        assert not daemon.down.exists()
    daemon.wait_down()
    assert daemon.pid() == guard


def test_no_descriptors(daemon, upsd):
    """What is open stays open; what is run again comes through as soon as there are some."""
    daemon.run()
    wait_for("its login", lambda: upsd.logins() == 1)
    both = daemon.pid(), daemon.monitor()
    with limit("nofile", 3, *both):
        upsd.set_status("OB")
        daemon.wait_log("NOTIFYCMD for ONBATT failed")
        upsd.stop_server()
        daemon.wait_log("Too many open files")
        # dummy-ups does not survive a SET by a second server
        upsd.stop_driver("ups")
        upsd.start_driver("ups")
        upsd.start_server()
        wait_for("the UPS", lambda: upsd.status() == "OL")
        settle(1)
        assert upsd.logins() == 0
    wait_for("its login", lambda: upsd.logins() == 1)
    with limit("nofile", 3, *both):
        upsd.set_status("OB LB")
        daemon.wait_log("SHUTDOWNCMD is tried again in")
    daemon.wait_down()
    assert (daemon.pid(), daemon.monitor()) == both


def test_no_processes_for_the_monitor(daemon, upsd):
    """It needs none but for NOTIFYCMD and names; and the guard is root."""
    daemon.run()
    with limit("nproc", 0, daemon.monitor()):
        upsd.set_status("OB")
        daemon.wait_log("Resource temporarily unavailable")
        upsd.set_status("OB LB")
        daemon.wait_down()


# -- the place of the pidfile ------------------------------------------------------------------

@pytest.fixture
def small(daemon):
    """Its directory is a tmpfs of its own, which can be filled up."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", daemon.pid_dir],
                      capture_output=True, check=False).returncode != 0:
        pytest.skip("cannot mount here")
    daemon.pid_dir.chmod(0o755)
    yield daemon
    daemon.end()
    subprocess.run(["umount", daemon.pid_dir], check=True)


def fill(daemon):
    try:
        with open(daemon.pid_dir / "full", "wb", buffering=0) as f:
            while True:
                f.write(bytes(4096))
    except OSError:
        pass


def says(daemon, status):
    return f": {status};" in daemon.command("-c", "status").stdout


def test_run_that_fills_up(small, upsd):
    """Lock, watch and state go on; of the flag it is said.  (A file system on which the lock is open
    cannot become read-only.)"""
    small.write(small.conf.read_text().replace(str(small.flag), str(small.pid_dir / "killpower")))
    small.run()
    wait_for("its state", lambda: says(small, "OL"))
    fill(small)
    for status in ("OB", "OL", "OB"):
        upsd.set_status(status)
        wait_for("its state", lambda s=status: says(small, s))
    upsd.set_status("OB LB")
    small.wait_down()
    assert "-c status tells less" not in small.log()
    assert f"{small.pid_dir}/killpower: No space left on device" in small.log()


def test_run_that_is_full_before_it_starts(small, upsd):
    """The lock needs no room; the pidfile and the state come as soon as there is some."""
    fill(small)
    result = small.start()
    assert result.returncode == 0, result.stderr
    assert lock_holder(small.lockfile) and small.status() == 0
    (small.pid_dir / "full").unlink()
    # by its next look at the lock
    wait_for("the pidfile", small.pid, 60)
    upsd.set_status("OB")
    wait_for("its state", lambda: says(small, "OB"))
    upsd.set_status("OB LB")
    small.wait_down()


# -- the log -----------------------------------------------------------------------------------

@pytest.fixture
def own_dev(daemon, tmp_path):
    """In a mount namespace of its own, with a /dev of its own: the folder that comes back."""
    dev = tmp_path / "dev"
    dev.mkdir()
    (dev / "null").touch()
    binary = daemon.binary
    if not daemon.inside(f"mount --bind /dev/null {dev}/null\nmount --rbind {dev} /dev"):
        pytest.skip("cannot mount here")
    yield dev
    daemon.end()
    daemon.binary = binary


def syslog(dev):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(str(dev / "log"))
    os.chmod(dev / "log", 0o666)
    return s


def test_a_log_that_is_missing_and_comes(daemon, upsd, own_dev):
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    with syslog(own_dev) as log:
        upsd.set_status("OL")
        log.settimeout(30)
        heard = log.recv(4096)
        while b"on line power" not in heard:
            heard = log.recv(4096)
    assert re.match(rb"<29>upsmon\[\d+\]: UPS ups@.* on line power", heard)
    # and goes again
    os.unlink(own_dev / "log")
    upsd.set_status("OB LB")
    daemon.wait_down()


def test_a_log_that_takes_nothing(daemon, upsd, own_dev):
    """A syslogd that was stopped: its queue is full, and messages are dropped."""
    with syslog(own_dev) as log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        filler.connect(str(own_dev / "log"))
        with pytest.raises(BlockingIOError):
            while True:
                filler.send(b"x" * 1000)
        daemon.run()
        upsd.set_status("OB LB")
        daemon.wait_down()
        assert log.recv(4096) == b"x" * 1000


def test_a_standard_error_that_takes_nothing(daemon, upsd):
    """A terminal on which somebody has pressed ^S, a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, bytes(1024))
    os.set_blocking(writer, True)
    daemon.foreground = subprocess.Popen([daemon.binary, "-F"], env=daemon.env, stderr=writer,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.close(writer)
    try:
        wait_for("the daemon", daemon.pid)
        upsd.set_status("OB LB")
        daemon.wait_down()
    finally:
        os.close(reader)


# -- time --------------------------------------------------------------------------------------

@pytest.fixture
def sleeper(daemon, upsd, tmp_path, binary):
    """sleeper(seconds): both processes stop, and the clock has gone on by so much when they wake.

    Returns the function; what happens meanwhile is its second argument.  The dynamic build only: it
    takes its clock from a library.
    """
    if binary != BINARIES.get("host"):
        pytest.skip("only the dynamic build's clock can be set")
    library, slept = tmp_path / "clock.so", tmp_path / "slept"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, CLOCK], check=True)
    slept.write_text("0\n")
    daemon.env.update(LD_PRELOAD=str(library), CLOCK_ASLEEP=str(slept))

    def sleep(seconds, meanwhile, order=reversed):
        both = (daemon.pid(), daemon.monitor())
        for pid in both:
            freeze(pid)
        meanwhile()
        slept.write_text(f"{int(slept.read_text()) + seconds}\n")
        for pid in order(both):
            os.kill(pid, signal.SIGCONT)

    return sleep


HOUR = 3600


def restarted(upsd, status):
    """The server's side of an hour: the connections are gone."""
    def happens():
        upsd.set_status(status)
        upsd.stop_server()
        upsd.start_server()
    return happens


@pytest.mark.parametrize("order", [reversed, list], ids=["monitor first", "guard first"])
def test_an_hour_asleep_and_all_is_well(daemon, upsd, sleeper, order):
    daemon.run()
    wait_for("its login", lambda: upsd.logins() == 1)
    guard, monitor = daemon.pid(), daemon.monitor()
    sleeper(HOUR, lambda: settle(3), order)
    settle(8)
    assert (daemon.pid(), daemon.monitor()) == (guard, monitor)
    assert daemon.events() == [] and not daemon.down.exists()
    assert "does not answer" not in daemon.log()
    sleeper(HOUR, restarted(upsd, "OL"), order)
    wait_for("its login", lambda: upsd.logins() == 1, 60)
    settle(6)
    assert not daemon.down.exists() and "FSD" not in daemon.events()


def test_an_hour_asleep_on_battery_and_the_mains_are_back(daemon, upsd, sleeper):
    """Whatever has run out meanwhile, DEADTIME and TIMEOUT, only a fresh answer counts."""
    daemon.write(daemon.conf.read_text() + "TIMEOUT 600\n")
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    sleeper(HOUR, restarted(upsd, "OL"))
    wait_for("ONLINE", lambda: "ONLINE" in daemon.events(), 60)
    settle(3)
    assert not daemon.down.exists() and "FSD" not in daemon.events()


@pytest.mark.parametrize("before", ["OL", "OB"])
def test_an_hour_asleep_and_the_battery_is_low(daemon, upsd, sleeper, before):
    daemon.run()
    if before != "OL":
        upsd.set_status(before)
        daemon.wait_events("ONBATT")
    sleeper(HOUR, restarted(upsd, "OB LB"))
    daemon.wait_down(60)
