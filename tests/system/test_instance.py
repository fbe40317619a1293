"""Is upsmon running?  The lock, the pidfile, the name, and who gets a signal."""

import fcntl
import os
import pathlib
import pwd
import signal
import subprocess
import time

import pytest

from daemon import (DEFAULT_USER, alive, as_nobody, children, freeze, lock_holder, settle,
                    uid_of)
from lab.upsd import wait_for

# Debian's own; /usr/sbin/upsmon is a wrapper that wants /etc/nut/nut.conf
NUT_UPSMON = "/lib/nut/upsmon"


@pytest.fixture
def sleeper():
    """A process that has nothing to do with upsmon."""
    process = subprocess.Popen(["sleep", "600"])
    # it runs a moment before it has its name
    comm = pathlib.Path(f"/proc/{process.pid}/comm")
    wait_for("its name", lambda: comm.read_text() == "sleep\n", step=0.005)
    yield process
    process.kill()
    process.wait()


def test_background_start_returns_when_ready(daemon, upsd):
    result = daemon.start()
    assert result.returncode == 0, result.stderr
    # nothing has to be waited for: login, pidfile and lock are there
    assert daemon.pid()
    assert upsd.logins() == 1
    assert daemon.status() == 0


@pytest.mark.root
def test_two_processes_one_of_them_unprivileged(daemon):
    daemon.started()
    assert uid_of(daemon.pid()) == 0
    user = pwd.getpwnam(DEFAULT_USER)
    assert uid_of(daemon.monitor()) == user.pw_uid
    assert open(f"/proc/{daemon.monitor()}/status").read().count(f"Groups:\t{user.pw_gid}") == 1


def test_one_process(daemon, upsd):
    daemon.run("-p")
    assert [c for c in children(daemon.pid()) if alive(c)] == []
    upsd.set_status("OB LB")
    daemon.wait_down()
    daemon.wait_events("ONBATT", "LOWBATT", "FSD", "SHUTDOWN")
    assert daemon.command("-c", "stop").returncode == 0
    assert daemon.foreground.wait(20) == 0


def test_start_with_nothing_open(daemon, upsd):
    """Some callers close 0, 1 and 2; the lock must not land there and be lost."""
    code = subprocess.run(["sh", "-c", 'exec "$0" -B <&- >&- 2>&-', daemon.binary], env=daemon.env,
                          timeout=30, check=False).returncode
    assert code == 0
    assert daemon.pid() and upsd.logins() == 1
    links = {os.readlink(f"/proc/{daemon.pid()}/fd/{fd}") for fd in (0, 1, 2)}
    assert links == {"/dev/null"}
    assert daemon.start().returncode == 1


def test_pid_is_what_a_supervisor_sees(daemon):
    daemon.run()
    assert daemon.pid() == daemon.foreground.pid
    assert daemon.pidfile.read_text() == f"{daemon.foreground.pid}\n"


def test_second_start_is_refused(daemon):
    daemon.started()
    pid = daemon.pid()
    result = daemon.start()
    assert result.returncode == 1
    assert f"not started: upsmon is running: pid {pid} holds the lock" in result.stderr
    assert daemon.pid() == pid


def test_twenty_starts_at_once_leave_one(daemon, upsd):
    """Row 3: 20 starts at once leave 4 daemons running."""
    starts = [subprocess.Popen([daemon.binary, "-B"], env=daemon.env, stderr=subprocess.DEVNULL)
              for _ in range(20)]
    codes = [start.wait(60) for start in starts]
    assert sorted(codes) == [0] + [1] * 19
    assert daemon.pid()
    assert upsd.logins() == 1


def test_stop(daemon, upsd):
    daemon.run()
    result = daemon.command("-c", "stop")
    assert result.returncode == 0, result.stderr
    # `stop` returns when it is gone, so that a start may follow at once
    assert not lock_holder(daemon.lockfile)
    assert not daemon.pidfile.exists()
    assert daemon.foreground.wait(20) == 0
    assert upsd.logins() == 0
    assert daemon.status() == 3


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_clean_end_is_zero(daemon, sig):
    daemon.run()
    os.kill(daemon.pid(), sig)
    assert daemon.foreground.wait(20) == 0
    assert not daemon.pidfile.exists()


def test_term_to_everybody_as_init_does(daemon):
    """Row 7: TERM to the parent orphans the child, and the restart is refused."""
    daemon.run()
    pids = [daemon.monitor(), daemon.pid()]
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    assert daemon.foreground.wait(20) == 0
    wait_for("both gone", lambda: not any(alive(pid) for pid in pids))
    assert "monitor" not in daemon.log().split("stopping")[1]
    assert daemon.start().returncode == 0


def test_signals_to_the_monitor_change_nothing(daemon):
    daemon.run()
    monitor = daemon.monitor()
    for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT):
        os.kill(monitor, sig)
    settle(1)
    assert daemon.monitor() == monitor
    assert not daemon.down.exists()


def test_guard_killed(daemon, upsd):
    """kill -9 of the guard: no orphan stays, and the next start works at once."""
    daemon.run()
    guard, monitor = daemon.pid(), daemon.monitor()
    os.kill(guard, signal.SIGKILL)
    daemon.foreground.wait()
    wait_for("the monitor's end", lambda: not alive(monitor))
    daemon.wait_events("NOPARENT")
    assert daemon.status() == 1
    result = daemon.start()
    assert result.returncode == 0
    assert f"stale pidfile: nobody has pid {guard}" in result.stderr
    wait_for("login", lambda: upsd.logins() == 1)


# -- the stale pidfile -------------------------------------------------------

def test_stale_pidfile_that_names_a_stranger(daemon, sleeper):
    """Row 1, the reason for this project: nut#2463."""
    daemon.pidfile.write_text(f"{sleeper.pid}\n")
    assert daemon.status() == 1
    result = daemon.start()
    assert result.returncode == 0
    assert f"pid {sleeper.pid} belongs to sleep and is not upsmon" in result.stderr
    assert daemon.pid() not in (None, sleeper.pid)
    assert daemon.command("-c", "stop").returncode == 0
    assert sleeper.poll() is None


@pytest.fixture
def nuts_own_place():
    """NUT's place for the pidfile is the machine's, and another test may be there."""
    if not os.access(NUT_UPSMON, os.X_OK):
        pytest.skip("NUT's upsmon is not there")
    # not the directory itself: upsmon's starts take turns by its lock
    with open(NUT_UPSMON, "rb") as turns:
        fcntl.flock(turns, fcntl.LOCK_EX)
        pidfile = pathlib.Path("/run/nut/upsmon.pid")
        if pidfile.exists():
            pytest.skip("NUT's upsmon is in use on this machine")
        pidfile.parent.mkdir(exist_ok=True)
        yield pidfile


@pytest.mark.root
def test_stale_pidfile_keeps_nuts_own_upsmon_down(daemon, sleeper, tmp_path, nuts_own_place):
    """The same with NUT's upsmon of Debian: the refusal that we fix."""
    conf = tmp_path / "nut"
    conf.mkdir()
    (conf / "upsmon.conf").write_text(
        "MONITOR ups@127.0.0.1:9 1 u p primary\nSHUTDOWNCMD /bin/true\nRUN_AS_USER nobody\n")
    pidfile = nuts_own_place
    environment = dict(os.environ, NUT_CONFPATH=str(conf))
    try:
        # its place for the pidfile is compiled in
        pidfile.write_text(f"{sleeper.pid}\n")
        theirs = subprocess.run([NUT_UPSMON, "-F"], env=environment, timeout=20,
                                capture_output=True, text=True, check=False)
        # ours with the very same file in the very same place
        daemon.env["NUT_PIDPATH"] = "/run/nut"
        ours = daemon.start()
        assert daemon.command("-c", "stop").returncode == 0
    except subprocess.TimeoutExpired as running:
        pytest.skip(f"this NUT's upsmon starts all the same: {running.stderr}")
    finally:
        pidfile.unlink(missing_ok=True)
        pathlib.Path("/run/nut/upsmon.lock").unlink(missing_ok=True)
    assert theirs.returncode != 0
    assert "A previous upsmon instance is already running" in theirs.stdout + theirs.stderr
    assert ours.returncode == 0
    assert f"pid {sleeper.pid} belongs to sleep and is not upsmon" in ours.stderr


@pytest.mark.parametrize("content", ["", "\n", "abc\n", "-1\n", "0\n", "99999999999999\n", "12 34\n",
                                     "1.5\n", "7" * 100000])
def test_stale_pidfile_without_a_number(daemon, content):
    daemon.pidfile.write_text(content)
    assert daemon.status() == 1
    result = daemon.start()
    assert result.returncode == 0
    assert "stale pidfile: it is empty or holds no number" in result.stderr


def test_stale_pidfile_that_names_nobody(daemon):
    daemon.pidfile.write_text("4194303\n")
    assert daemon.status() == 1
    assert "nobody has pid 4194303" in daemon.start().stderr
    assert daemon.pid()


def test_stale_pidfile_that_names_the_starter(daemon):
    """Row 2: a stale pidfile that holds the new process's own pid, or its parent's."""
    daemon.pidfile.write_text(f"{os.getpid()}\n")
    result = daemon.start()
    assert result.returncode == 0
    assert f"pid {os.getpid()} is this very process" in result.stderr


def test_stale_pidfile_that_names_init(daemon):
    daemon.pidfile.write_text("1\n")
    assert daemon.start().returncode == 0
    assert daemon.pid() != 1


def test_stale_pidfile_that_names_a_zombie(daemon):
    """Row 4: any process named upsmon counts, a zombie too."""
    zombie = subprocess.Popen([daemon.binary, "-V"], stdout=subprocess.DEVNULL)
    wait_for("a zombie", lambda: not alive(zombie.pid))
    daemon.pidfile.write_text(f"{zombie.pid}\n")
    result = daemon.start()
    zombie.wait()
    assert result.returncode == 0
    assert f"nobody has pid {zombie.pid}" in result.stderr


def test_a_second_upsmon_elsewhere_is_a_stranger(daemon, make_daemon, upsd):
    """The number of a dead nutlet was given to an upsmon of another configuration."""
    daemon.started()
    os.kill(daemon.pid(), signal.SIGKILL)
    wait_for("its end", lambda: not lock_holder(daemon.lockfile))
    other = make_daemon("other", port=upsd.port)
    other.started()
    # as if the kernel had given the number again: both notes of the dead one say it
    daemon.pidfile.write_text(f"{other.pid()}\n")
    daemon.lockfile.write_text(f"{other.pid()}\n")
    result = daemon.start()
    assert result.returncode == 0
    assert "is another upsmon, and not the one that wrote it" in result.stderr
    assert other.pid()


def test_upsmon_without_a_lock_counts_by_its_name(daemon, tmp_path):
    """NUT's own upsmon takes no lock.  Its name is all there is, and no signal goes there."""
    theirs = tmp_path / "upsmon"
    theirs.write_bytes(pathlib.Path("/bin/sleep").read_bytes())
    theirs.chmod(0o755)
    process = subprocess.Popen([theirs, "600"])
    try:
        wait_for("its name", lambda: pathlib.Path(
            f"/proc/{process.pid}/comm").read_text() == "upsmon\n")
        daemon.pidfile.write_text(f"{process.pid}\n")
        assert daemon.status() == 0
        result = daemon.start()
        assert result.returncode == 1
        assert f"pid {process.pid} is an upsmon without a lock" in result.stderr
        result = daemon.command("-c", "stop")
        assert result.returncode == 1
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    assert daemon.start().returncode == 0


# -- what a child gets -------------------------------------------------------

def test_commands_inherit_nothing(daemon, upsd):
    """Neither the caller's descriptors nor ours."""
    notify = daemon.dir / "notify"
    notify.write_text(f"#!/bin/sh\nls -l /proc/self/fd >{daemon.dir}/fds; mv {daemon.dir}/fds "
                      f"{daemon.events_file}\n")
    daemon.dir.chmod(0o777)
    with open(daemon.conf) as extra:
        subprocess.run([daemon.binary, "-B"], env=daemon.env, pass_fds=[extra.fileno()],
                       stderr=subprocess.DEVNULL, timeout=30, check=True)
    upsd.set_status("OB")
    text = wait_for("the list", lambda: daemon.events_file.read_text())
    # 0, 1, 2 and the folder that ls reads
    assert len([line for line in text.splitlines() if "->" in line]) == 4, text


# -- -c and -P ---------------------------------------------------------------

def test_status_codes(daemon):
    assert daemon.status() == 3
    result = daemon.command("-c", "status")
    assert result.stdout == "upsmon is not running\n"
    daemon.started()
    result = daemon.command("-c", "status")
    assert result.returncode == 0
    assert result.stdout.splitlines()[0] == f"upsmon is running: pid {daemon.pid()} holds the lock"
    daemon.command("-c", "stop")
    assert daemon.status() == 3
    daemon.pidfile.write_text("1\n")
    assert daemon.status() == 1


@pytest.mark.root
def test_status_for_a_user_without_rights_is_unknown(daemon):
    daemon.started()
    # or it would write it anew
    freeze(daemon.pid())
    daemon.pidfile.unlink()
    result = daemon.command("-c", "status", preexec_fn=as_nobody)
    assert result.returncode == 4
    assert "cannot tell" in result.stdout


@pytest.mark.parametrize("word", ["", "f", "fs", "fsdx", "FSD", "kill"])
def test_no_prefixes_in_commands(daemon, word):
    """NUT matches any prefix, so that `-c ""` forces a shutdown."""
    daemon.run()
    result = daemon.command("-c", word)
    assert result.returncode == 2
    assert "the commands are stop, reload, fsd, upgrade and status" in result.stderr
    settle(0.5)
    assert not daemon.down.exists() and daemon.events() == []


def test_given_pid_must_be_the_daemon(daemon, sleeper):
    daemon.run()
    result = daemon.command("-c", "stop", "-P", str(sleeper.pid))
    assert result.returncode == 1
    assert f"pid {sleeper.pid} is not the upsmon that holds the lock" in result.stderr
    assert sleeper.poll() is None and daemon.foreground.poll() is None
    assert daemon.command("-c", "stop", "-P", str(daemon.pid())).returncode == 0


@pytest.mark.parametrize("command", ["stop", "reload", "fsd"])
def test_nothing_runs_nothing_is_signalled(daemon, sleeper, command):
    result = daemon.command("-c", command)
    assert result.returncode == 1
    assert "upsmon is not running" in result.stderr
    daemon.pidfile.write_text(f"{sleeper.pid}\n")
    result = daemon.command("-c", command)
    assert result.returncode == 1
    assert "belongs to sleep and is not upsmon" in result.stderr
    assert sleeper.poll() is None


# -- places ------------------------------------------------------------------

@pytest.mark.root
@pytest.mark.parametrize("variables, place", [
    ({"NUT_ALTPIDPATH": "a", "NUT_STATEPATH": "b"}, "a"),
    ({"NUT_ALTPIDPATH": "", "NUT_STATEPATH": "b"}, "b"),
    ({"NUT_PIDPATH": "c", "NUT_STATEPATH": "b"}, "b"),
])
def test_directories_for_a_user_who_is_not_root(daemon, variables, place):
    for name in "abc":
        (daemon.dir / name).mkdir()
        os.chown(daemon.dir / name, 65534, 65534)
    daemon.conf.chmod(0o644)
    for name in ("NUT_PIDPATH", "NUT_ALTPIDPATH"):
        daemon.env.pop(name)
    for name, value in variables.items():
        daemon.env[name] = str(daemon.dir / value) if value else ""
    daemon.pid_dir = daemon.dir / place
    daemon.pidfile = daemon.pid_dir / "upsmon.pid"
    daemon.lockfile = daemon.pid_dir / "upsmon.lock"
    result = daemon.command("-B", preexec_fn=as_nobody)
    assert result.returncode == 0, result.stderr
    assert uid_of(daemon.pid()) == 65534
    assert daemon.command("-c", "stop", preexec_fn=as_nobody).returncode == 0


def test_relative_places(daemon):
    """The background works from /, and finds them all the same."""
    del daemon.env["NUT_CONFPATH"]
    daemon.env.update(NUT_PIDPATH="run", NUT_ALTPIDPATH="run")
    result = daemon.command("-B", "-f", "upsmon.conf", cwd=daemon.dir)
    assert result.returncode == 0, result.stderr
    assert daemon.pid()
    daemon.write(daemon.conf.read_text() + "POLLFREQ 2\n")
    assert daemon.command("-c", "reload", cwd=daemon.dir).returncode == 0
    settle(0.5)
    assert daemon.command("-c", "stop", cwd=daemon.dir).returncode == 0


def test_warns_of_a_place_that_is_not_in_memory(daemon, tmp_path):
    fs = subprocess.run(["stat", "-f", "-c", "%T", tmp_path], capture_output=True, text=True,
                        check=True).stdout.strip()
    assert ("is not in memory" in daemon.start().stderr) == (fs not in ("tmpfs", "ramfs"))
    memory = pathlib.Path(f"/dev/shm/nutlet-test-{os.getpid()}")
    if not memory.parent.is_dir():
        return
    daemon.command("-c", "stop")
    memory.mkdir()
    try:
        daemon.env.update(NUT_PIDPATH=str(memory), NUT_ALTPIDPATH=str(memory))
        result = daemon.start()
        assert (result.returncode, result.stderr.count("in memory")) == (0, 0)
        assert daemon.command("-c", "stop").returncode == 0
    finally:
        for file in memory.iterdir():
            file.unlink()
        memory.rmdir()
