"""What the daemon tells: -c status for people and machines, -t, and its environment."""

import json
import os
import socket
import stat
import subprocess
import time

import pytest

from daemon import DEFAULT_USER, as_nobody, in_order_of_pids, settle
from lab.upsd import wait_for


def state(daemon):
    result = daemon.command("-c", "status", "-j")
    return result.returncode, json.loads(result.stdout)


def test_status_for_people(in_memory, upsd):
    in_memory.started()
    lines = in_memory.command("-c", "status").stdout.splitlines()
    assert lines[0] == f"upsmon is running: pid {in_memory.pid()} holds the lock"
    assert lines[1].startswith(f"{in_memory.system(upsd.port)} (primary, power value 1): OL; it answers")
    assert lines[1].endswith(", logged in")
    upsd.set_status("OB LB")
    in_memory.wait_down()
    # the command runs before the state is written
    wait_for("the phase", lambda: "shutting down: SHUTDOWNCMD" in in_memory.command("-c", "status").stdout)
    out = in_memory.command("-c", "status").stdout
    assert "OB LB" in out and "; critical: " in out
    # nobody is asked any more
    assert "; seen " in out and "it answers" not in out


def test_status_as_json(in_memory, upsd):
    in_memory.write(in_memory.conf.read_text() + "BATTERYLEVEL 20\nMINUTES 2\n")
    code, told = state(in_memory)
    assert code == 3
    assert told == {"running": False, "pid": None, "verdict": "upsmon is not running",
                    "phase": None, "ups": [], "timers": []}
    in_memory.started()
    code, told = state(in_memory)
    assert code == 0
    assert told["running"] and told["pid"] == in_memory.pid() and told["phase"] == "watching"
    assert told["ups"] == [{
        "system": in_memory.system(upsd.port), "role": "primary", "power_value": 1,
        "status": "OL", "communication": "ok", "charge": None, "runtime": None,
        "age": 0, "login": True, "critical": None}]
    upsd.set("battery.charge", "87")
    upsd.set_status("OB")
    wait_for("charge and runtime", lambda: state(in_memory)[1]["ups"][0]["runtime"] == 3600)
    assert state(in_memory)[1]["ups"][0]["charge"] == 87
    upsd.stop_server()
    wait_for("the loss", lambda: state(in_memory)[1]["ups"][0]["communication"] == "lost")
    wait_for("its age", lambda: state(in_memory)[1]["ups"][0]["age"] >= 2)


def test_several_upses_and_odd_names(in_memory, upsd):
    in_memory.write(in_memory.conf.read_text()
                    + f'MONITOR "a\\"b\\\\c@127.0.0.1:{upsd.port}" 0 u p secondary\n')
    in_memory.started()
    told = state(in_memory)[1]["ups"]
    assert [u["system"] for u in told] == [in_memory.system(upsd.port),
                                          f'a"b\\c@127.0.0.1:{upsd.port}']
    assert told[1]["age"] is None and told[1]["status"] == ""


def test_state_file_belongs_to_the_daemon(in_memory, memory):
    in_memory.started()
    file = memory / "upsmon.status"
    st = os.stat(file)
    assert stat.S_IMODE(st.st_mode) == 0o644 and st.st_uid == os.geteuid()
    in_memory.command("-c", "stop")
    assert not file.exists()


@pytest.mark.root
def test_planted_state_file_is_not_believed(in_memory, memory):
    os.chown(memory, 65534, 65534)
    in_memory.started()
    file = memory / "upsmon.status"
    victim = memory / "victim"
    victim.write_text("precious")

    def planted():
        try:
            (memory / "upsmon.status.new").symlink_to(victim)
        except FileExistsError:
            return False
        return True

    # the daemon writes its own at each poll
    wait_for("a moment without it", planted, step=0)
    settle(1.5)
    assert victim.read_text() == "precious"
    wait_for("the real one", file.exists)
    # a file of somebody else's says nothing
    subprocess.run(["sh", "-c", f"echo 'upsmon 1 3' >{memory}/his; mv -f {memory}/his {file}"],
                   preexec_fn=as_nobody, check=True)
    assert "down" not in in_memory.command("-c", "status").stdout


def test_no_state_file_on_flash(daemon):
    """A directory that is not in memory gets no file that is written at each poll."""
    fs = subprocess.run(["stat", "-f", "-c", "%T", daemon.pid_dir], capture_output=True, text=True,
                        check=True).stdout.strip()
    if fs in ("tmpfs", "ramfs"):
        pytest.skip("the test directory is in memory")
    daemon.started()
    settle(1.5)
    # the monitor's lock is root's to give, and is written once, empty
    assert sorted({*os.listdir(daemon.pid_dir)} - {"upsmon.monitor"}) == ["upsmon.lock",
                                                                          "upsmon.pid"]
    status = daemon.command("-c", "status")
    assert status.returncode == 0
    assert f"{daemon.pid_dir} is not in memory" in status.stdout


# -- -t ----------------------------------------------------------------------

def check(daemon, *texts, code=0):
    result = daemon.command("-t")
    assert result.returncode == code, result.stderr
    for text in texts:
        assert text in result.stderr
    return result


def test_check_of_a_sound_file(daemon):
    result = check(daemon)
    assert result.stderr == ""
    assert result.stdout == f"{daemon.conf}: sound, 1 UPS\n"
    assert daemon.pid() is None


def test_check_says_everything_that_is_wrong(daemon):
    good = daemon.conf.read_text()
    n = good.count("\n")
    daemon.write(good + "POLLFREQ x\nMONITOR y\nNOSUCH\n")
    result = check(daemon, f":{n + 1}: warning: POLLFREQ", f":{n + 2}: error: expected: MONITOR",
                   f':{n + 3}: warning: there is no directive "NOSUCH"', code=1)
    assert "upsmon would not start with it" in result.stdout


@pytest.mark.parametrize("lines, text", [
    ("HOSTSYNC 1\nPOLLFREQ 5\n", "HOSTSYNC 1 is shorter than POLLFREQ 5"),
    ("DEADTIME 1\n", "DEADTIME 1 is shorter than two polls"),
    ("SHUTDOWNCMD /no/such/program now\n", "SHUTDOWNCMD: /no: not found"),
    ("SHUTDOWNCMD \"'/no/such program' now\"\n", "SHUTDOWNCMD: /no: not found"),
    ("SHUTDOWNCMD nosuchprogram -h now\n", "SHUTDOWNCMD: nosuchprogram: not found"),
    ("SHUTDOWNCMD \"nosuchprogram; sync\"\n", "SHUTDOWNCMD: nosuchprogram: not found"),
    ("SHUTDOWNCMD /etc now\n", "SHUTDOWNCMD: /etc: Is a directory"),
    ("MONITOR b@b 1 u p secondary\nMINSUPPLIES 2\n", "MINSUPPLIES 2 cannot be kept without"),
])
def test_check_warns_of_what_is_unwise(daemon, lines, text):
    daemon.write(daemon.conf.read_text() + lines)
    check(daemon, "warning: ", text)


def test_check_warns_of_readable_passwords(daemon):
    daemon.conf.chmod(0o644)
    check(daemon, "everybody may read the passwords in it; chmod 640")


@pytest.mark.root
def test_check_of_the_user(daemon):
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nosuchuser\n")
    check(daemon, f'RUN_AS_USER: there is no user "nosuchuser"; {DEFAULT_USER} is used')


def test_check_leaves_a_running_daemon_alone(daemon):
    daemon.started()
    pid = daemon.pid()
    check(daemon)
    assert daemon.pid() == pid


# -- the environment ---------------------------------------------------------

def test_notify_socket(daemon, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify.sock"))
        s.settimeout(30)
        daemon.env["NOTIFY_SOCKET"] = str(tmp_path / "notify.sock")
        daemon.run()
        assert s.recv(100) == b"READY=1"
        daemon.command("-c", "stop")
        assert s.recv(100) == b"STOPPING=1"


def test_the_order_of_events_outlives_the_last_pid():
    """Of the tests themselves: daemon.events() goes by pids."""
    assert in_order_of_pids([(7, "b"), (5, "a"), (9, "c")], 32768) == ["a", "b", "c"]
    assert in_order_of_pids([(300, "LOWBATT"), (32767, "ONBATT")], 32768) == ["ONBATT", "LOWBATT"]
    assert in_order_of_pids([], 32768) == []


@pytest.mark.parametrize("background", [True, False])
def test_ready_fd(daemon, background):
    """As s6 has it: a newline when it is ready, and then the end."""
    # a number of the caller's own choice, and the one at which it is kept
    for place in (9, 3):
        ours, theirs = os.pipe()
        process = subprocess.Popen(
            ["sh", "-c", f'exec {place}>&1 >/dev/null; exec "$0" "$1"', daemon.binary,
             "-B" if background else "-F"],
            env={**daemon.env, "NUTLET_READY_FD": str(place)}, stdin=subprocess.DEVNULL,
            stdout=theirs, stderr=subprocess.DEVNULL)
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as pipe:
            assert pipe.read(1) == b"\n"
            assert daemon.pidfile.exists()
            # and nobody keeps it open
            assert pipe.read(1) == b""
            assert daemon.command("-c", "stop").returncode == 0
        process.wait(30)


def test_bad_ready_fd_is_no_reason_not_to_start(daemon):
    daemon.env["NUTLET_READY_FD"] = "99"
    assert "NUTLET_READY_FD=99: Bad file descriptor" in daemon.start().stderr
    assert daemon.pid()


def test_bad_notify_socket_is_no_reason_not_to_start(daemon):
    daemon.env["NOTIFY_SOCKET"] = "nonsense"
    assert "NOTIFY_SOCKET=nonsense is not the path of a socket" in daemon.start().stderr
    assert daemon.pid()


def test_the_journal_hears_priorities(daemon):
    """JOURNAL_STREAM is device and inode of what standard error is, if that is the journal."""
    log = daemon.dir / "log"
    log.touch()
    daemon.env["JOURNAL_STREAM"] = f"{log.stat().st_dev}:{log.stat().st_ino}"
    daemon.write(daemon.conf.read_text() + "DEADTIM 5\n")
    daemon.run()
    daemon.wait_log("<5>upsmon: ready")
    assert "<4>upsmon: " in daemon.log()
    assert all(line.startswith("<") for line in daemon.log().splitlines())
    daemon.command("-c", "stop")
    # an inherited variable whose stream is another one
    daemon.env["JOURNAL_STREAM"] = "1:1"
    log.unlink()
    daemon.run()
    assert "\nupsmon: ready" in daemon.log() and "<5>" not in daemon.log()


def test_debug_level_and_debug_min(daemon):
    daemon.env["NUT_DEBUG_LEVEL"] = "1"
    daemon.run()
    daemon.wait_log("sending GET VAR")
    daemon.command("-c", "stop")
    daemon.env["NUT_DEBUG_LEVEL"] = "lots"
    (daemon.dir / "log").unlink()
    daemon.run()
    daemon.wait_log("NUT_DEBUG_LEVEL=lots is not a number")
    assert "sending" not in daemon.log()
    daemon.write(daemon.conf.read_text() + "DEBUG_MIN 1\n")
    daemon.command("-c", "reload")
    daemon.wait_log("sending GET VAR")


def test_connect_timeout_from_the_environment(daemon, upsd):
    """An address that answers nothing: a listener whose queue is full."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        port = s.getsockname()[1]
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        daemon.configure(port)
        daemon.env["NUT_DEFAULT_CONNECT_TIMEOUT"] = "1"
        daemon.run()
        assert "cannot connect: no answer in time" in daemon.log()
        for filler in fillers:
            filler.close()


def test_messages_stay_on_stderr_where_that_is_wanted(daemon):
    daemon.env["NUT_DEBUG_SYSLOG"] = "stderr"
    with open(daemon.dir / "log", "wb") as log:
        process = subprocess.run([daemon.binary, "-B"], env=daemon.env, stderr=log, check=False)
    assert process.returncode == 0
    daemon.command("-c", "stop")
    daemon.wait_log("stopped")


def test_name_check_can_be_left_out_and_the_lock_cannot(daemon):
    """NUT_IGNORE_CHECKPROCNAME: for programs that go by another name."""
    holder = subprocess.Popen(
        ["/usr/bin/python3", "-c", "import fcntl,sys,time; f=open(sys.argv[1],'w');"
         "fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); time.sleep(600)",
         str(daemon.lockfile)], stdout=subprocess.PIPE)
    try:
        holder.stdout.readline()
        result = daemon.command("-c", "stop")
        assert result.returncode == 1
        assert f"pid {holder.pid} holds the lock, and is called python3" in result.stderr
        assert holder.poll() is None
        daemon.env["NUT_IGNORE_CHECKPROCNAME"] = "no"
        assert daemon.command("-c", "stop").returncode == 1
        daemon.env["NUT_IGNORE_CHECKPROCNAME"] = "yes"
        assert daemon.command("-c", "stop").returncode == 0
        assert holder.wait(20) != 0
    finally:
        holder.kill()
        holder.wait()
    # without the lock there is no proof, whatever the variable says
    daemon.pidfile.write_text(f"{os.getpid()}\n")
    assert daemon.command("-c", "stop").returncode == 1
