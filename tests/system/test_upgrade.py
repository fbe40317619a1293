"""upsmon -c upgrade: the running program is exchanged, and nobody notices.

pid, lock, pidfile and timers stay, and this host is logged in all along: the old monitor keeps
its login until the next one has its own.  What cannot take over changes nothing.
"""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import threading
import time

import pytest

from daemon import BINARIES, DEFAULT_USER, alive, as_nobody, children, lock_holder
from lab.upsd import Upsd, wait_for
from test_input import FakeServer

NUT_UPSMON = "/lib/nut/upsmon"
TOP = pathlib.Path(__file__).resolve().parents[2]


class Installed:
    """A daemon whose program file can be exchanged, as a package manager does it."""

    def __init__(self, daemon, directory):
        self.daemon = daemon
        self.program = directory / "sbin" / "upsmon"
        self.program.parent.mkdir()
        self.command_line = str(daemon.binary)
        shutil.copy(daemon.binary, self.program)
        daemon.binary = str(self.program)

    def put(self, source):
        """source: a path, or the text of a script."""
        fresh = self.program.with_name("upsmon.new")
        if isinstance(source, pathlib.Path):
            shutil.copy(source, fresh)
        else:
            fresh.write_text(source)
        fresh.chmod(0o755)
        fresh.rename(self.program)

    def upgrade(self, timeout=30):
        """Asked by a good binary, whatever lies on the disk."""
        return subprocess.run([self.command_line, "-c", "upgrade"], env=self.daemon.env,
                              capture_output=True, text=True, timeout=timeout, check=False)

    def runs(self, binary):
        """The running program is this file's content."""
        exe = pathlib.Path(f"/proc/{self.daemon.pid()}/exe").read_bytes()
        return exe == pathlib.Path(binary).read_bytes()


@pytest.fixture
def installed(daemon, tmp_path):
    return Installed(daemon, tmp_path)


def always_logged_in(upsd, changes=None):
    """After so many changes: one login for each, and never a moment without one."""
    if changes is not None:
        wait_for("the last login", lambda: upsd.login_history()[0] == 1 + changes)
    wait_for("one login", lambda: upsd.logins() == 1)
    assert upsd.login_history()[2] >= 1


def unharmed(installed, upsd, pid, changes=0):
    """The old one goes on: same process, same login, and it still shuts the machine down."""
    daemon = installed.daemon
    assert daemon.pid() == pid
    always_logged_in(upsd, changes)
    wait_for("one child", lambda: [child for child in children(pid) if alive(child)]
             == [daemon.monitor()])
    upsd.set_status("OB LB")
    daemon.wait_down()
    daemon.wait_events("ONBATT", "LOWBATT", "FSD", "SHUTDOWN")


@pytest.mark.parametrize("args", [(), ("-p",)])
def test_there_and_back_between_two_builds(installed, upsd, args):
    daemon = installed.daemon
    daemon.run(*args)
    pid, number = daemon.pid(), daemon.lockfile.stat().st_ino
    for build in ("uclibc", "host", "uclibc"):
        installed.put(BINARIES[build])
        result = installed.upgrade()
        assert result.returncode == 0, result.stderr
        assert "upgraded to nutlet upsmon" in result.stderr
        assert installed.runs(BINARIES[build])
        assert daemon.pid() == pid == daemon.foreground.pid
        assert daemon.lockfile.stat().st_ino == number
        assert daemon.start().returncode == 1
        # one process cannot be logged in twice: it drops its connection, and makes another
        wait_for("one login", lambda: upsd.logins() == 1)
    if not args:
        always_logged_in(upsd, 3)
    assert daemon.events() == []
    # and all of it works
    assert daemon.command("-c", "reload").returncode == 0
    upsd.set_status("OB LB")
    daemon.wait_down()
    daemon.wait_events("ONBATT", "LOWBATT", "FSD", "SHUTDOWN")


def test_stop_after_an_upgrade(installed, upsd):
    daemon = installed.daemon
    daemon.started()
    pid = daemon.pid()
    assert installed.upgrade().returncode == 0
    monitor = daemon.monitor()
    assert daemon.command("-c", "stop").returncode == 0
    assert not alive(pid) and not alive(monitor)
    assert not list(daemon.pid_dir.glob("upsmon.pid*"))
    assert upsd.logins() == 0
    assert daemon.status() == 3


def open_files(whose):
    """What the process whose() has open.  It opens and closes while we look: then once more."""
    for _ in range(1000):
        try:
            return [os.readlink(fd) for fd in pathlib.Path(f"/proc/{whose()}/fd").iterdir()]
        except FileNotFoundError:
            pass
    raise AssertionError("it never stands still")


@pytest.mark.root
def test_the_new_monitor_has_no_rights(installed):
    daemon = installed.daemon
    daemon.started()
    assert installed.upgrade().returncode == 0
    assert os.stat(f"/proc/{daemon.monitor()}").st_uid == pwd.getpwnam(DEFAULT_USER).pw_uid
    links = open_files(daemon.monitor)
    assert links and not any("lock" in link or "handover" in link for link in links)
    # the guard has none of the connections
    links = open_files(daemon.pid)
    tcp = pathlib.Path("/proc/net/tcp").read_text().split()
    assert not [link for link in links if link.startswith("socket:") and link[8:-1] in tcp]
    assert not any("handover" in link for link in links)


@pytest.mark.root
def test_a_monitor_that_is_born_in_a_rehearsal_has_no_rights_either(installed):
    """What the new guard believes is not within reach of a monitor."""
    daemon = installed.daemon
    daemon.run()
    before = daemon.monitor()
    installed.put("#!/bin/sh\nexec sleep 600\n")
    os.kill(daemon.pid(), signal.SIGUSR2)
    wait_for("the rehearsal", lambda: "rehearsing" in daemon.log())
    os.kill(before, signal.SIGKILL)
    wait_for("the next one", lambda: daemon.monitor() not in (None, before))
    daemon.wait_log("takes over")
    links = open_files(daemon.monitor)
    assert links and not any("lock" in link or "handover" in link for link in links)
    assert sum(link.startswith("pipe:") for link in links) == 2


@pytest.mark.root
def test_as_another_user(installed, upsd):
    """The whole of it without root."""
    daemon = installed.daemon
    os.chown(daemon.pid_dir, 65534, 65534)
    daemon.conf.chmod(0o644)
    result = daemon.command("-B", preexec_fn=as_nobody)
    assert result.returncode == 0, result.stderr
    result = daemon.command("-c", "upgrade", preexec_fn=as_nobody)
    assert result.returncode == 0, result.stderr
    always_logged_in(upsd, 1)
    assert daemon.command("-c", "stop", preexec_fn=as_nobody).returncode == 0


def test_timers_run_on(make_daemon, upsd, tmp_path):
    """On battery before, during and after: TIMEOUT counts from the first moment."""
    daemon = make_daemon(port=upsd.port, extra="TIMEOUT 6\nONBATTERYDELAY 3\n")
    installed = Installed(daemon, tmp_path)
    daemon.run()
    began = time.monotonic()
    upsd.set_status("OB")
    while time.monotonic() < began + 4:
        assert installed.upgrade().returncode == 0
    daemon.wait_events("ONBATT")
    daemon.wait_down()
    assert 5.5 < time.monotonic() - began < 10
    daemon.wait_events("ONBATT", "FSD", "SHUTDOWN")


def test_state_is_told_at_once(installed, upsd):
    daemon = installed.daemon
    daemon.env["NUT_PIDPATH"] = daemon.env["NUT_ALTPIDPATH"] = memory = \
        f"/dev/shm/nutlet-upgrade-{os.getpid()}"
    os.mkdir(memory)
    try:
        daemon.started()
        upsd.set_status("OB")
        wait_for("OB", lambda: "OB" in daemon.command("-c", "status").stdout)
        assert installed.upgrade().returncode == 0
        assert "OB" in daemon.command("-c", "status").stdout
        assert daemon.command("-c", "stop").returncode == 0
        assert [f.name for f in pathlib.Path(memory).iterdir()] == ["upsmon.lock"]
    finally:
        shutil.rmtree(memory)


def test_several_upses_and_one_of_them_dead(make_daemon, tmp_path):
    with Upsd(tmp_path / "upsd", ups=("a", "b")) as server:
        daemon = make_daemon(port=server.port, ups="a")
        daemon.write(daemon.conf.read_text()
                     + f"MONITOR b@127.0.0.1:{server.port} 1 monuser secret primary\n"
                     + "MONITOR c@127.0.0.1:1 0 monuser secret secondary\n")
        installed = Installed(daemon, tmp_path)
        daemon.run()
        for _ in range(3):
            assert installed.upgrade().returncode == 0
        wait_for("one login each", lambda: (server.logins("a"), server.logins("b")) == (1, 1))
        assert daemon.events().count("COMMBAD") == 1


def test_configuration_is_read_anew(installed, upsd):
    """An upgrade is a reload, too."""
    daemon = installed.daemon
    daemon.run()
    daemon.write(daemon.conf.read_text().replace(f"{daemon.down}", f"{daemon.down}.new"))
    assert installed.upgrade().returncode == 0
    always_logged_in(upsd, 1)
    upsd.set_status("OB LB")
    wait_for("the new command", pathlib.Path(f"{daemon.down}.new").exists, 15)


def test_relative_paths(installed):
    daemon = installed.daemon
    del daemon.env["NUT_CONFPATH"]
    daemon.env.update(NUT_PIDPATH="run", NUT_ALTPIDPATH="run")
    program = os.path.relpath(installed.program, daemon.dir)
    result = subprocess.run([program, "-B", "-f", "upsmon.conf"], cwd=daemon.dir, env=daemon.env,
                            stderr=subprocess.DEVNULL, timeout=30, check=False)
    assert result.returncode == 0
    for _ in range(2):
        assert daemon.command("-c", "upgrade", cwd=daemon.dir).returncode == 0
    assert daemon.pid()


def test_link_that_leads_to_another_version(installed):
    """/usr/sbin/upsmon as a link to one of several: the one that it leads to now."""
    daemon = installed.daemon
    link = installed.program.with_name("link")
    link.symlink_to(installed.program)
    daemon.binary = str(link)
    daemon.run()
    other = "uclibc" if installed.runs(BINARIES["host"]) else "host"
    link.unlink()
    link.symlink_to(BINARIES[other])
    assert installed.upgrade().returncode == 0
    assert installed.runs(BINARIES[other])
    # and its name is upsmon all the same
    assert pathlib.Path(f"/proc/{daemon.pid()}/comm").read_text() == "upsmon\n"


# -- what cannot take over ---------------------------------------------------

@pytest.mark.parametrize("program, why", [
    ("#!/bin/sh\necho not today >&2\nexit 3\n", "exit code 3, and was not ready: not today"),
    ("#!/bin/sh\nexit 0\n", "exit code 0, and was not ready"),
    ("#!/bin/sh\nkill -SEGV $$\n", "was ended by signal 11"),
    ("#!/bin/sh\nexec yes\n", "the new program is not ready within 10 s"),
    ("#!/bin/sh\nexec sleep 600\n", "the new program is not ready within 10 s"),
    ("#!/nonexistent/interpreter\n", "exit code 127, and was not ready: No such file"),
    ("\x7fELF and then nothing", "Exec format error"),
    ("", "and was not ready"),
    (None, "No such file or directory"),
    (TOP / "build" / "mipsel-uclibc" / "upsmon", "Exec format error"),
    (pathlib.Path(NUT_UPSMON), "and was not ready"),
], ids="script nothing crash flood hang interpreter cut empty gone mipsel nut".split())
def test_new_program_that_is_none(installed, upsd, program, why):
    daemon = installed.daemon
    daemon.run()
    pid = daemon.pid()
    if program is None:
        installed.program.unlink()
    elif isinstance(program, pathlib.Path) and not program.exists():
        pytest.skip(f"{program} is not there")
    else:
        installed.put(program)
    result = installed.upgrade()
    assert result.returncode == 1
    assert why in result.stderr
    assert f"no upgrade, and all goes on as before: {installed.program}" in daemon.log() \
        or "not ready within" in why
    assert why in daemon.log()
    unharmed(installed, upsd, pid)


def test_wrapper_must_exec(installed, upsd):
    """A script that runs upsmon as its child would leave the lock with the shell."""
    daemon = installed.daemon
    real = installed.program.with_name("upsmon.real")
    shutil.copy(installed.program, real)
    daemon.run()
    pid = daemon.pid()
    installed.put(f'#!/bin/sh\n{real} "$@"\nexit $?\n')
    result = installed.upgrade()
    assert result.returncode == 1
    assert "a script must exec it" in result.stderr
    assert daemon.pid() == pid
    installed.put(f'#!/bin/sh\nexec {real} "$@"\n')
    assert installed.upgrade().returncode == 0
    assert installed.runs(real)
    unharmed(installed, upsd, pid, changes=1)


def test_many_words_are_no_failure(installed, upsd):
    """The verdict of the rehearsal is its last line, however much was said before."""
    daemon = installed.daemon
    daemon.write(daemon.conf.read_text() + 100 * "NOTIFYFLAG NOSUCHTYPE SYSLOG\n")
    daemon.run()
    for _ in range(4):
        result = installed.upgrade()
        assert result.returncode == 0, result.stderr
    always_logged_in(upsd, 4)


def test_start_directory_that_is_gone(installed):
    """A relative configuration was found at the start, and needs no directory any more."""
    daemon = installed.daemon
    here = daemon.dir / "here"
    here.mkdir()
    shutil.copy(daemon.conf, here / "my.conf")
    first = subprocess.Popen([daemon.binary, "-F", "-f", "my.conf"], cwd=here, env=daemon.env,
                             stderr=subprocess.DEVNULL)
    try:
        wait_for("ready", daemon.pid)
        here.rename(daemon.dir / "moved")
        here.mkdir()
        (here / "my.conf").write_text(daemon.conf.read_text())
        shutil.rmtree(daemon.dir / "moved")
        result = installed.upgrade()
        assert result.returncode == 0, result.stderr
        assert daemon.pid() == first.pid
    finally:
        first.kill()
        first.wait()


def test_found_by_path(installed):
    """Started by its bare name: what a shell would find there now."""
    daemon = installed.daemon
    link = installed.program.with_name("link")
    link.mkdir()
    (link / "upsmon").symlink_to(installed.program)
    environment = dict(daemon.env, PATH=f"/nonexistent:{link}:{daemon.env['PATH']}")
    result = subprocess.run(["env", "upsmon", "-B"], env=environment, timeout=30, check=False,
                            stderr=subprocess.DEVNULL)
    assert result.returncode == 0
    other = "uclibc" if installed.runs(BINARIES["host"]) else "host"
    (link / "upsmon").unlink()
    (link / "upsmon").symlink_to(BINARIES[other])
    assert installed.upgrade().returncode == 0
    assert installed.runs(BINARIES[other])


def test_an_older_version_is_left_alone(daemon):
    """One that does not know USR2 would be ended by it."""
    code = ("import fcntl, sys, time, ctypes\nctypes.CDLL(None).prctl(15, b'upsmon')\n"
            "f = open(sys.argv[1], 'w+')\nfcntl.lockf(f, fcntl.LOCK_EX)\n"
            "print('held', flush=True)\ntime.sleep(600)\n")
    daemon.lockfile.touch(0o600)
    with subprocess.Popen(["/usr/bin/python3", "-c", code, str(daemon.lockfile)],
                          stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            result = daemon.command("-c", "upgrade")
            assert result.returncode == 1
            assert "is an older version" in result.stderr
            assert process.poll() is None
        finally:
            process.kill()


@pytest.mark.root
def test_new_program_without_the_right_to_run(installed, upsd):
    installed.daemon.run()
    pid = installed.daemon.pid()
    installed.program.chmod(0o644)
    result = installed.upgrade()
    assert result.returncode == 1
    assert "Permission denied" in result.stderr
    unharmed(installed, upsd, pid)


def test_broken_configuration(installed, upsd):
    daemon = installed.daemon
    daemon.run()
    pid, good = daemon.pid(), daemon.conf.read_text()
    daemon.write(good + "MONITOR soon\n")
    result = installed.upgrade()
    assert result.returncode == 1
    assert "has errors: see the log, or upsmon -t" in result.stderr
    daemon.write(good)
    unharmed(installed, upsd, pid)


def test_not_in_a_shutdown(installed, upsd):
    daemon = installed.daemon
    daemon.write(daemon.conf.read_text().replace("FINALDELAY 1", "FINALDELAY 5"))
    daemon.run()
    upsd.set_status("OB LB")
    wait_for("SHUTDOWN", lambda: "SHUTDOWN" in daemon.events())
    result = installed.upgrade()
    assert result.returncode == 1
    assert "a shutdown is under way" in result.stderr
    daemon.wait_down()


def test_shutdown_in_the_rehearsal_goes_first(installed):
    daemon = installed.daemon
    daemon.run()
    installed.put("#!/bin/sh\nexec sleep 600\n")
    with subprocess.Popen([installed.command_line, "-c", "upgrade"], env=daemon.env,
                          stderr=subprocess.PIPE, text=True) as client:
        wait_for("the rehearsal", lambda: "rehearsing" in daemon.log())
        began = time.monotonic()
        assert subprocess.run([installed.command_line, "-c", "fsd"], env=daemon.env,
                              check=False).returncode == 0
        assert client.wait(10) == 1
        assert "a shutdown has begun" in client.stderr.read()
    daemon.wait_down()
    assert time.monotonic() - began < 5


def test_stop_in_the_rehearsal(installed):
    daemon = installed.daemon
    daemon.run()
    installed.put("#!/bin/sh\nexec sleep 600\n")
    os.kill(daemon.pid(), signal.SIGUSR2)
    wait_for("the rehearsal", lambda: "rehearsing" in daemon.log())
    wait_for("its process", lambda: len(children(daemon.foreground.pid)) == 2)
    left = children(daemon.foreground.pid)
    assert subprocess.run([installed.command_line, "-c", "stop"], env=daemon.env,
                          check=False).returncode == 0
    assert daemon.foreground.wait(5) == 0
    wait_for("no process is left", lambda: not any(alive(pid) for pid in left))


def test_silent_server(make_daemon, tmp_path):
    """It owes an answer: that is waited for, and no longer than for any answer."""
    asked = threading.Event()

    def serve(connection):
        with connection.makefile("rw", newline="\n") as f:
            for line in f:
                if line.startswith("GET VAR") and asked.is_set():
                    continue
                f.write('VAR ups ups.status "OL"\n' if line.startswith("GET") else "OK\n")
                f.flush()

    server = FakeServer(serve)
    try:
        daemon = make_daemon(port=server.port)
        installed = Installed(daemon, tmp_path)
        daemon.run()
        asked.set()
        time.sleep(2)  # a poll is on its way by now
        began = time.monotonic()
        result = installed.upgrade()
        assert result.returncode == 0, result.stderr
        assert time.monotonic() - began < 8
    finally:
        server.close()


def test_rehearse_is_no_command_for_people(daemon):
    result = daemon.command("-c", "rehearse")
    assert result.returncode == 2
    assert "you may want -c upgrade" in result.stderr


def test_variable_of_somebody_else(daemon):
    """A descriptor that is no handover is said to be none, and the start is a plain one."""
    with open("/dev/null") as null:
        daemon.env["NUTLET_HANDOVER"] = str(null.fileno())
        result = subprocess.run([daemon.binary, "-B"], env=daemon.env, pass_fds=[null.fileno()],
                                capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 0
    assert "starting from nothing" in result.stderr
    assert daemon.pid() and daemon.start().returncode == 1


@pytest.mark.root
@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("hidden", ["memfd_create", "pidfd_open", "close_range"])
def test_older_kernels(daemon, upsd, hidden, request):
    """Without a system call that this kernel has: strace makes it fail with ENOSYS."""
    inject = ["strace", "-f", "-o", str(daemon.dir / "trace"), "-e", f"trace={hidden}", "-e",
              f"inject={hidden}:error=ENOSYS"]
    if hidden == "close_range":
        # strace follows the daemon, and stays as long as it does
        tracer = subprocess.Popen([*inject, daemon.binary, "-B"], env=daemon.env,
                                  stderr=subprocess.DEVNULL)
        request.addfinalizer(tracer.wait)
        request.addfinalizer(tracer.kill)
        wait_for("ready", daemon.pid)
    else:
        daemon.started()
    if hidden == "memfd_create":
        tracer = subprocess.Popen([*inject, "-p", str(daemon.pid())], stderr=subprocess.PIPE)
        try:
            tracer.stderr.readline()
            assert daemon.command("-c", "upgrade").returncode == 0
        finally:
            tracer.terminate()
            tracer.wait()
    elif hidden == "pidfd_open":
        for command in ("reload", "upgrade"):
            result = subprocess.run([*inject, daemon.binary, "-c", command], env=daemon.env,
                                    timeout=30, check=False, capture_output=True)
            assert result.returncode == 0, result.stderr
    assert "ENOSYS" in (daemon.dir / "trace").read_text()
    always_logged_in(upsd, {"memfd_create": 1, "pidfd_open": 2, "close_range": 0}[hidden])
    assert not list(daemon.pid_dir.glob("*handover*"))
    result = subprocess.run([*inject, daemon.binary, "-c", "stop"], env=daemon.env, timeout=30,
                            check=False, capture_output=True)
    assert result.returncode == 0
    assert not lock_holder(daemon.lockfile)


@pytest.mark.parametrize("order", ["reload", "upgrade"])
def test_answers_of_an_earlier_boot(installed, order):
    """On flash they outlive a power cut, and their times are larger than any of this boot."""
    daemon = installed.daemon
    (daemon.pid_dir / f"upsmon.{order}").write_text("99999999999 failed long ago\n")
    daemon.run()
    result = daemon.command("-c", order)
    assert result.returncode == 0, result.stderr


# -- many at once ------------------------------------------------------------

def test_all_orders_at_once(installed, upsd):
    """Upgrades, reloads and starts together: each upgrade and reload has its answer."""
    daemon = installed.daemon
    daemon.run()
    pid = daemon.pid()
    orders = [subprocess.Popen([installed.command_line, *args], env=daemon.env,
                               stderr=subprocess.DEVNULL)
              for args in 6 * [("-c", "upgrade"), ("-c", "reload"), ("-B",)]]
    codes = [order.wait(60) for order in orders]
    assert codes == 6 * [0, 0, 1]
    assert daemon.pid() == pid
    always_logged_in(upsd)


def test_monitor_that_dies_on_the_way(installed, upsd):
    """kill -9 of the monitor again and again, while upgrades go on: one daemon, one login."""
    daemon = installed.daemon
    daemon.run()
    pid = daemon.pid()
    over = threading.Event()

    def kill():
        while not over.is_set():
            monitor = daemon.monitor()
            if monitor:
                try:
                    os.kill(monitor, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            over.wait(0.13)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        codes = {installed.upgrade(60).returncode for _ in range(15)}
    finally:
        over.set()
        killer.join()
    assert codes <= {0, 1}
    assert daemon.pid() == pid
    wait_for("one login", lambda: upsd.logins() == 1, 20)
    assert installed.upgrade(60).returncode == 0
