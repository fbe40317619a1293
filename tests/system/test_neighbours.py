"""Hostile neighbours: the pidfile's directory belongs to the unprivileged user.

Nothing of root's is written, nobody is signalled, and the start is neither blocked nor fooled.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from daemon import as_nobody, freeze, lock_holder
from lab.upsd import wait_for

pytestmark = pytest.mark.root

NOBODY = 65534

# The guard looks at its lock at each wake-up, and every 40 s where nothing wakes it up.
LOOKS = 60


def wait_looked(what, daemon, pid):
    """The guard has its lock and its pidfile again, soon, because it is woken up."""
    def there():
        os.kill(pid, signal.SIGCHLD)
        return daemon.pid() == pid

    wait_for(what, there)


# takes an fcntl lock on a file, says so, and keeps it; r: a read lock, w: a write lock
LOCKER = """import fcntl, sys, time
f = open(sys.argv[1], "r+" if sys.argv[2] == "w" else "r")
fcntl.lockf(f, fcntl.LOCK_EX if sys.argv[2] == "w" else fcntl.LOCK_SH)
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def enemy(daemon):
    """The user who owns the directory; runs a command or plants a file there."""
    os.chown(daemon.pid_dir, NOBODY, NOBODY)
    with contextlib.ExitStack() as stack:
        class Enemy:
            files = {"lock": daemon.lockfile, "pid": daemon.pidfile}

            @staticmethod
            def shell(script, *args):
                subprocess.run(["sh", "-ec", script, "sh", *map(str, args)],
                               preexec_fn=as_nobody, check=True)

            @staticmethod
            def start(*command, **options):
                process = subprocess.Popen(command, preexec_fn=as_nobody,
                                           stdout=subprocess.PIPE, **options)
                stack.callback(process.wait)
                stack.callback(process.kill)
                return process

            def hold(self, path, kind):
                process = self.start("/usr/bin/python3", "-c", LOCKER, str(path), kind)
                assert process.stdout.readline() == b"held\n"
                return process

        yield Enemy()


def started(daemon, upsd):
    """It runs, once, soon, and its files are root's own."""
    began = time.monotonic()
    result = daemon.start()
    assert result.returncode == 0, result.stderr
    # nothing holds it up for long; on a busy machine a start takes seconds by itself
    assert time.monotonic() - began < 10
    assert daemon.pid() and upsd.logins() == 1
    for path in (daemon.pidfile, daemon.lockfile):
        st = path.lstat()
        assert (st.st_uid, st.st_nlink) == (0, 1) and path.is_file() and not path.is_symlink()
    assert daemon.lockfile.stat().st_mode & 0o777 == 0o600
    assert daemon.status() == 0
    return result


@pytest.fixture
def victim(tmp_path):
    """A file of root's that only root may touch, and that has to stay as it is."""
    path = tmp_path / "passwd"
    path.write_text("root:x:0:0\n")
    path.chmod(0o600)
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_text() == "root:x:0:0\n"
    assert (after.st_mode, after.st_uid, after.st_mtime_ns, after.st_ino) == (
        before.st_mode, before.st_uid, before.st_mtime_ns, before.st_ino)


NAMES = ("upsmon.pid", "upsmon.pid.new", "upsmon.lock", "upsmon.status", "upsmon.status.new",
         "upsmon.reload", "upsmon.reload.new")


@pytest.mark.parametrize("target", ["file", "/dev/null", "/dev/full", "loop", "nowhere"])
def test_symlinks(daemon, upsd, enemy, victim, target):
    """Row 6: the pidfile is written in place, and follows links."""
    target = {"file": victim, "loop": "upsmon.lock", "nowhere": "/nonexistent/file"}.get(
        target, target)
    for name in NAMES:
        enemy.shell('ln -s "$1" "$2"', target, daemon.pid_dir / name)
    started(daemon, upsd)
    assert daemon.command("-c", "reload").returncode == 0
    assert daemon.command("-c", "stop").returncode == 0
    assert not os.path.lexists("/nonexistent")


def test_hard_links(daemon, upsd, enemy, victim):
    """Kernels without protected_hardlinks let anybody link what he cannot read."""
    for name in NAMES:
        os.link(victim, daemon.pid_dir / name)
    started(daemon, upsd)
    assert daemon.command("-c", "reload").returncode == 0
    assert daemon.command("-c", "stop").returncode == 0


def test_fifos(daemon, upsd, enemy):
    for name in NAMES:
        enemy.shell('mkfifo "$1"', daemon.pid_dir / name)
    started(daemon, upsd)


@pytest.mark.parametrize("full", [False, True])
def test_directories(daemon, upsd, enemy, full):
    for name in NAMES:
        enemy.shell('mkdir -p "$1"' + (' && echo x >"$1"/file' if full else ""),
                    daemon.pid_dir / name)
    started(daemon, upsd)
    # what was in them is moved, not destroyed
    assert bool(list(daemon.pid_dir.glob("upsmon.*.away.*/file"))) == full


@pytest.mark.parametrize("content", ["1", "-1", "-" + "9" * 30, "0", "9" * 10000000,
                                     "\0\0\0\0", "%s%n", "2147483648"],
                         ids=str.split("init all number zero huge nul format big"))
def test_pidfiles(daemon, upsd, enemy, content):
    """init, everybody (kill -1), nobody, and a file that fills the disk."""
    source = daemon.dir / "content"
    source.write_text(content + "\n")
    enemy.shell('cat "$1" >"$2"', source, daemon.pidfile)
    for command in ("stop", "reload", "fsd"):
        assert daemon.command("-c", command).returncode == 1
    assert daemon.status() == 1
    started(daemon, upsd)


def test_write_lock_on_a_file_of_his(daemon, upsd, enemy):
    """His lock is not root's."""
    enemy.shell('echo 1 >"$1"; echo 1 >"$2"', daemon.pidfile, daemon.lockfile)
    holder = enemy.hold(daemon.lockfile, "w")
    assert daemon.status() == 1
    assert daemon.command("-c", "stop").returncode == 1
    started(daemon, upsd)
    assert daemon.pid() != holder.pid and holder.poll() is None


def test_read_lock_on_the_lock(daemon, upsd, enemy):
    """Once, the file could be read by everybody: he still has it open, and locks it."""
    daemon.lockfile.write_text("1\n")
    daemon.lockfile.chmod(0o644)
    holder = enemy.hold(daemon.lockfile, "r")
    daemon.lockfile.chmod(0o600)
    assert daemon.status() == 3
    started(daemon, upsd)
    assert holder.poll() is None


def test_read_lock_on_the_pidfile(daemon, upsd, enemy):
    """Whoever may read a file may lock it: the pidfile is not the lock."""
    started(daemon, upsd)
    enemy.hold(daemon.pidfile, "r")
    assert daemon.command("-c", "stop").returncode == 0
    started(daemon, upsd)
    # and the lock itself cannot be opened by him
    assert subprocess.run(["cat", daemon.lockfile], preexec_fn=as_nobody, check=False,
                          capture_output=True).returncode != 0


def test_directory_that_he_keeps_locked(daemon, upsd, enemy):
    """Starts take turns by a lock on the directory; they do not wait for ever."""
    fd = os.open(daemon.pid_dir, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        started(daemon, upsd)
    finally:
        os.close(fd)


def test_upsmon_of_his(daemon, upsd, enemy, tmp_path):
    """A process that is called upsmon, and a pidfile that names it, keep nobody down."""
    his = tmp_path / "upsmon"
    shutil.copy("/bin/sleep", his)
    process = enemy.start(his, "600")
    wait_for("its name", lambda: pathlib.Path(
        f"/proc/{process.pid}/comm").read_text() == "upsmon\n")
    enemy.shell('echo "$1" >"$2"', process.pid, daemon.pidfile)
    assert daemon.status() == 1
    result = started(daemon, upsd)
    assert f"pid {process.pid} is another upsmon, and not the one that wrote it" in result.stderr
    assert process.poll() is None


def test_twenty_starts_among_planted_files(daemon, upsd, enemy):
    """All find the same planted lock at once, and one of them must not remove another's."""
    for _ in range(5):
        enemy.shell('rm -f "$1"; mkdir -p "$2"; echo x >"$2"/f; ln -s / "$1"', daemon.pidfile,
                    daemon.lockfile)
        starts = [subprocess.Popen([daemon.binary, "-B"], env=daemon.env,
                                   stderr=subprocess.DEVNULL) for _ in range(20)]
        assert sorted(start.wait(60) for start in starts) == [0] + [1] * 19
        assert upsd.logins() == 1
        assert daemon.command("-c", "stop").returncode == 0
        daemon.lockfile.unlink()


# -- while it runs -----------------------------------------------------------

# The guard may look between two steps, and puts a lock there: what takes its place is made
# elsewhere and comes by a rename, and a directory, which replaces no file, tries until it gets in.
@pytest.mark.parametrize("script", [
    'rm -f "$1"/upsmon.*', 'rm -f "$1"/upsmon.lock', 'mv "$1"/upsmon.lock "$1"/lock.away',
    'mkdir "$1"/his; echo >"$1"/his/x; '
    'until rm -f "$1"/upsmon.lock; mv -fT "$1"/his "$1"/upsmon.lock 2>/dev/null; do :; done',
    'ln -s /dev/zero "$1"/his; mv -fT "$1"/his "$1"/upsmon.lock'],
    ids="all lock rename mkdir symlink".split())
def test_lock_that_is_removed_is_taken_anew(daemon, upsd, enemy, script):
    daemon.run()
    pid = daemon.pid()
    enemy.shell(script, daemon.pid_dir)
    wait_looked("the lock", daemon, pid)
    daemon.wait_log("was removed or linked under this upsmon; it is taken anew")
    assert daemon.start().returncode == 1
    assert upsd.logins() == 1


def remove_directory(path):
    """rm -r, without the guard putting its files back between two steps of it."""
    def removed():
        shutil.rmtree(away, ignore_errors=True)
        return not away.exists()

    away = path.rename(path.with_name("away"))
    # into the one that it has open it may still write
    wait_for("the directory to be gone", removed)


def test_directory_that_is_made_anew(daemon, upsd):
    """rm -r /run/nut; mkdir /run/nut, as a packager's script may do."""
    daemon.run()
    pid = daemon.pid()
    remove_directory(daemon.pid_dir)
    daemon.wait_log("cannot be taken anew", LOOKS)
    daemon.pid_dir.mkdir()
    wait_looked("the lock", daemon, pid)
    assert daemon.command("-c", "stop").returncode == 0


def test_pidfile_that_is_removed_is_written_anew(daemon, enemy):
    daemon.run()
    pid = daemon.pid()
    daemon.pidfile.unlink()
    wait_looked("the pidfile", daemon, pid)
    # at once: what the guard has put back is root's, and he cannot write to it
    enemy.shell('echo 1 >"$1".his; mv -f "$1".his "$1"', daemon.pidfile)
    wait_looked("the pidfile", daemon, pid)


@pytest.mark.parametrize("other", ["away", "upsmon.pid"])
def test_lock_whose_name_comes_and_goes(daemon, enemy, tmp_path, other):
    """Opening and closing the lock drops it: who renames at the right moment brings that about."""
    flap = tmp_path / "flap"
    subprocess.run(["gcc", "-O2", "-o", flap, pathlib.Path(__file__).with_name("flap.c")],
                   check=True)
    daemon.run()
    pid = daemon.pid()
    for _ in range(12):
        flapper = enemy.start(flap, daemon.lockfile, daemon.pid_dir / other, "300")
        while flapper.poll() is None:
            # it looks at each wake-up
            os.kill(pid, signal.SIGCHLD)
            time.sleep(0.002)
        wait_looked("lock and pidfile", daemon, pid)
    assert daemon.start().returncode == 1
    assert daemon.foreground.poll() is None


def test_start_beside_one_whose_lock_was_removed(daemon, upsd, enemy):
    """Its pidfile still names it, and it has the removed lock open: it is no stranger."""
    daemon.write(daemon.conf.read_text() + "POLLFREQ 30\nPOLLFREQALERT 30\n")
    daemon.run()
    pid = daemon.pid()
    # before it has looked
    freeze(pid)
    enemy.shell('rm -f "$1"', daemon.lockfile)
    result = daemon.start()
    os.kill(pid, signal.SIGCONT)
    assert result.returncode == 1
    assert f"pid {pid} is an upsmon without a lock" in result.stderr
    assert upsd.logins() == 1


def test_of_two_the_one_without_the_name_leaves(daemon, upsd, enemy):
    """Lock and pidfile removed, and another one started before the first has looked."""
    daemon.run()
    first = daemon.foreground
    enemy.shell('rm -f "$1"/upsmon.*', daemon.pid_dir)
    result = daemon.start()
    if result.returncode == 0:
        assert first.wait(LOOKS) == 1
        assert "another has it now" in daemon.log()
        wait_for("one login", lambda: upsd.logins() == 1)
        assert daemon.pid() != first.pid
    else:
        # the first one was quicker; the pidfile comes after the lock
        wait_for("its pidfile", lambda: daemon.pid() == first.pid)
    first.kill()
    first.wait()
    assert daemon.command("-c", "stop").returncode in (0, 1)


def test_of_two_stopped_the_first_leaves(daemon, upsd, enemy):
    """The same, sure of the order: the first is held while the second starts."""
    daemon.run()
    first = daemon.foreground
    freeze(first.pid)
    enemy.shell('rm -f "$1"/upsmon.*', daemon.pid_dir)
    assert daemon.start().returncode == 0
    second = lock_holder(daemon.lockfile)
    os.kill(first.pid, signal.SIGCONT)
    assert first.wait(LOOKS) == 1
    assert f"another has it now: upsmon is running: pid {second} holds the lock" in daemon.log()
    assert daemon.pid() == second
    assert daemon.status() == 0
    wait_for("one login", lambda: upsd.logins() == 1)


def links(path):
    try:
        return path.stat().st_nlink
    except FileNotFoundError:
        return 0


def link_to_lock(daemon):
    """In the place of the pidfile; false if the guard was there between the two steps."""
    daemon.pidfile.unlink(missing_ok=True)
    try:
        os.link(daemon.lockfile, daemon.pidfile)
    except (FileExistsError, FileNotFoundError):
        return False
    return True


def test_second_name_for_the_lock(daemon, enemy):
    """A pidfile that is the lock: reading it and closing it would drop the lock."""
    daemon.run()
    pid = daemon.pid()
    for _ in range(3):
        wait_for("the link", lambda: link_to_lock(daemon), step=0)
        os.kill(pid, signal.SIGCHLD)
        wait_for("another lock", lambda: links(daemon.lockfile) == 1, LOOKS)
        wait_looked("the pidfile", daemon, pid)
        assert daemon.start().returncode == 1
    assert daemon.command("-c", "stop").returncode == 0
    assert daemon.foreground.wait(20) == 0


def test_second_name_for_the_lock_elsewhere(daemon, enemy):
    """The pidfile still names the one that has it: no other one starts, no signal is sent."""
    daemon.write(daemon.conf.read_text() + "POLLFREQ 30\nPOLLFREQALERT 30\n")
    daemon.run()
    freeze(daemon.pid())
    os.link(daemon.lockfile, daemon.pid_dir / "mine")
    assert daemon.status() == 0
    result = daemon.command("-c", "stop")
    assert result.returncode == 1 and "is not signalled" in result.stderr
    result = daemon.start()
    assert result.returncode == 1
    assert f"pid {daemon.foreground.pid} is an upsmon without a lock" in result.stderr
    assert daemon.foreground.poll() is None
    os.kill(daemon.foreground.pid, signal.SIGCONT)
    wait_for("a lock of its own", lambda: daemon.pid() == daemon.foreground.pid, LOOKS)


def test_removed_lock_is_seen_without_a_server(make_daemon):
    """No poll is answered, so nothing wakes the guard up: it looks all the same."""
    daemon = make_daemon(port=1)
    daemon.run()
    pid = daemon.pid()
    remove_directory(daemon.pid_dir)
    daemon.pid_dir.mkdir()
    wait_for("the lock", lambda: daemon.pid() == pid, LOOKS)


def test_pidfile_that_cannot_be_written_keeps_nobody_down(daemon):
    """It is for people; the lock tells, and the board is protected."""
    daemon.pidfile.touch()
    subprocess.run(["mount", "--bind", daemon.pidfile, daemon.pidfile], check=True)
    try:
        result = daemon.start()
        assert result.returncode == 0
        assert "cannot write the pidfile, and go on without" in result.stderr
        assert daemon.status() == 0
        assert daemon.start().returncode == 1
    finally:
        # busy for as long as the guard has a look at it
        wait_for("the umount", lambda: subprocess.run(
            ["umount", daemon.pidfile], check=False).returncode == 0)
    # once it can be written, it is
    wait_for("the pidfile", daemon.pid, LOOKS)
    assert daemon.command("-c", "stop").returncode == 0
