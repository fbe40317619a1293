"""What people have: scripts, configurations, servers and networks of NAS and router owners.

Each of these left a board unprotected that NUT's upsmon protects.
"""

import os
import pathlib
import pwd
import random
import signal
import socket
import subprocess
import time

import pytest

from daemon import DEFAULT_USER, alive, as_user, children, freeze, settle, uid_of
from lab.upsd import PRIMARY, wait_for
from test_input import FakeServer

NOBODY = pwd.getpwnam("nobody").pw_uid


def own_namespace(daemon, setup):
    """Runs the daemon where the mounts of `setup` are its own; nobody else sees them."""
    assert daemon.inside(setup)
    daemon.launch()


# -- NOTIFYCMD that shuts down: the idiom of NUT's own documentation ----------------------

def script(daemon, text):
    path = daemon.dir / "script"
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    daemon.write(daemon.conf.read_text().replace(f"NOTIFYCMD {daemon.dir}/notify",
                                                 f"NOTIFYCMD {path}"))
    # what the script says must have a place
    result = daemon.dir / "result"
    result.touch()
    result.chmod(0o666)
    return result


@pytest.mark.root
@pytest.mark.parametrize("environment", ["env", "env NUT_PIDPATH=/nowhere",
                                         "env -u NUT_ALTPIDPATH", "env -u NUT_PIDPATH"])
def test_fsd_by_the_user_of_notifycmd(daemon, upsd, environment):
    """With what the daemon has put into its environment, or what is left of it."""
    daemon.env["NUT_STATEPATH"] = "/nowhere"
    result = script(daemon, f'[ "$NOTIFYTYPE" = ONBATT ] || exit 0\n'
                            f'{environment} {daemon.binary} -c fsd 2>{daemon.dir}/result\n'
                            f'echo "code $?" >>{daemon.dir}/result\n')
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_down()
    wait_for("its end", lambda: "code" in result.read_text())
    assert result.read_text() == "code 0\n"
    assert f"of user {NOBODY}" in daemon.log()
    assert "shutdown: asked for by -c fsd" in daemon.log()


@pytest.mark.root
def test_fsd_without_an_environment(daemon, upsd):
    """A script that starts from nothing finds root's upsmon at its compiled-in place."""
    result = script(daemon, f'[ "$NOTIFYTYPE" = ONBATT ] || exit 0\n'
                            f'env -i {daemon.binary} -c status >{daemon.dir}/result 2>&1\n'
                            f'echo "status $?" >>{daemon.dir}/result\n'
                            f'env -i {daemon.binary} -c fsd >>{daemon.dir}/result 2>&1\n'
                            f'echo "fsd $?" >>{daemon.dir}/result\n')
    del daemon.env["NUT_PIDPATH"], daemon.env["NUT_ALTPIDPATH"]
    own_namespace(daemon, "mount -t tmpfs tmpfs /run; mkdir -m 755 /run/nut")
    daemon.wait_log("ready, watching")
    upsd.set_status("OB")
    daemon.wait_down()
    wait_for("its end", lambda: "fsd" in result.read_text())
    text = result.read_text()
    assert "upsmon is running: pid" in text and daemon.system(upsd.port) in text, text
    assert "status 0\n" in text and "fsd 0\n" in text, text


@pytest.mark.root
def test_status_in_a_notifycmd(daemon, upsd):
    result = script(daemon, f'{daemon.binary} -c status >{daemon.dir}/result 2>&1\n'
                            f'echo "code $?" >>{daemon.dir}/result\n')
    place = pathlib.Path(f"/dev/shm/nutlet-status-{os.getpid()}")
    daemon.env["NUT_PIDPATH"] = daemon.env["NUT_ALTPIDPATH"] = str(place)
    place.mkdir()
    try:
        daemon.started()
        upsd.set_status("OB")
        wait_for("its end", lambda: "code" in result.read_text())
        assert "code 0\n" in result.read_text(), result.read_text()
        assert "OB; it answers" in result.read_text(), result.read_text()
        assert daemon.command("-c", "stop").returncode == 0
    finally:
        for file in place.iterdir():
            file.unlink()
        place.rmdir()


@pytest.mark.root
@pytest.mark.parametrize("order", ["stop", "reload", "upgrade"])
def test_the_user_may_ask_for_nothing_else(daemon, upsd, order):
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.run()
    pid, monitor = daemon.pid(), daemon.monitor()
    result = daemon.command("-c", order, preexec_fn=as_user(NOBODY))
    assert result.returncode == 1
    assert "takes orders from its owner only" in result.stderr
    assert daemon.pid() == pid and daemon.monitor() == monitor and not daemon.down.exists()


@pytest.mark.root
def test_another_user_may_not_even_that(daemon, upsd):
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.run()
    result = daemon.command("-c", "fsd", preexec_fn=as_user(4711))
    assert result.returncode == 1
    settle(1)
    assert not daemon.down.exists() and "FSD" not in upsd.status()


@pytest.mark.root
def test_fsd_reaches_nobody_but_the_monitor(daemon):
    """Its number was given to somebody else, who is called upsmon: no lock, no signal."""
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.run()
    lock = daemon.pid_dir / "upsmon.monitor"
    assert lock.stat().st_uid == NOBODY and lock.stat().st_mode & 0o777 == 0o600
    guard = daemon.pid()
    os.kill(guard, signal.SIGKILL)
    wait_for("the end of the monitor", lambda: not alive(guard) and not children_of(guard))
    # what is left: a pidfile, and both lock files
    assert lock.exists() and daemon.pidfile.exists()
    stranger = subprocess.Popen(["/usr/bin/python3", "-c", "import signal, time, ctypes\n"
                                 "ctypes.CDLL(None).prctl(15, b'upsmon')\n"
                                 "signal.signal(signal.SIGUSR1, lambda *a: exit(7))\n"
                                 "print('up', flush=True)\ntime.sleep(600)"],
                                preexec_fn=as_user(NOBODY), stdout=subprocess.PIPE)
    try:
        assert stranger.stdout.readline() == b"up\n"
        daemon.pidfile.write_text(f"{stranger.pid}\n")
        result = daemon.command("-c", "fsd", preexec_fn=as_user(NOBODY))
        assert result.returncode == 1, result.stderr
        settle(0.3)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def children_of(pid):
    try:
        return children(pid)
    except (FileNotFoundError, ProcessLookupError):
        return []


@pytest.mark.root
def test_fsd_while_the_monitor_is_replaced(daemon, upsd):
    """Between two monitors nobody listens for a moment: the order waits, and is not lost."""
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.run()
    os.kill(daemon.monitor(), signal.SIGKILL)
    assert daemon.command("-c", "fsd", preexec_fn=as_user(NOBODY)).returncode == 0
    daemon.wait_down()


@pytest.mark.root
def test_fsd_while_the_monitor_hangs(daemon):
    """It is asked again until the guard knows: the monitor is replaced meanwhile."""
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.run()
    freeze(daemon.monitor())
    result = daemon.command("-c", "fsd", preexec_fn=as_user(NOBODY), timeout=90)
    assert result.returncode == 0, result.stderr + daemon.log()
    daemon.wait_down()


@pytest.mark.root
def test_fsd_in_the_midst_of_an_upgrade(daemon, tmp_path):
    """The old monitor is at rest, and the new program is slow: no order is lost in between."""
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    real = daemon.binary
    program = tmp_path / "upsmon"
    slow = tmp_path / "slow"
    program.write_text(f'#!/bin/sh\n[ -e {slow} ] && [ "$2" != rehearse ] && sleep 2\n'
                       f'exec {real} "$@"\n')
    program.chmod(0o755)
    daemon.binary = str(program)
    daemon.run()
    slow.touch()
    upgrade = subprocess.Popen([real, "-c", "upgrade"], env=daemon.env, stderr=subprocess.DEVNULL)
    daemon.wait_log("rehearsing")
    result = subprocess.run([real, "-c", "fsd"], env=daemon.env, preexec_fn=as_user(NOBODY),
                            capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    daemon.wait_down()
    upgrade.wait(60)


@pytest.mark.root
def test_directory_that_the_user_cannot_enter(daemon):
    """Nothing of upsmon -c can work there for him: the log says so at the start."""
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nobody\n")
    daemon.pid_dir.chmod(0o750)
    daemon.run()
    daemon.wait_log("Permission denied, for the user of NOTIFYCMD")


@pytest.mark.root
def test_default_user(daemon):
    """The first of nut, nutmon, ups and nobody that exists; the log names him."""
    daemon.run()
    assert uid_of(daemon.monitor()) == pwd.getpwnam(DEFAULT_USER).pw_uid
    daemon.wait_log(f"runs as user {DEFAULT_USER}")


# -- NOTIFYCMD that fails ------------------------------------------------------------------

@pytest.mark.parametrize("command, said", [
    ("/no/such/program", "failed with exit code 127 (command not found)"),
    ("/etc/passwd", "failed with exit code 126"),
    ('"exit 3"', "failed with exit code 3"),
    ("\"kill -9 $$\"", "was ended by signal 9"),
])
def test_notifycmd_that_fails_is_said_once(daemon, upsd, command, said):
    daemon.write(daemon.conf.read_text().replace(f"NOTIFYCMD {daemon.dir}/notify",
                                                 f"NOTIFYCMD {command}"))
    daemon.run()
    for status in ("OB", "OL"):
        upsd.set_status(status)
        wait_for(status, lambda s=status: s in daemon.command("-c", "status").stdout
                 if daemon.pid_dir.is_relative_to("/dev/shm") else True)
    daemon.wait_log("on line power")
    daemon.wait_log(said)
    settle(0.5)
    assert daemon.log().count(said) == 1


def test_notifycmd_that_hangs(daemon, upsd):
    """It is said, and SHUTDOWN is notified before SHUTDOWNCMD runs all the same."""
    notify = daemon.dir / "notify"
    notify.write_text(notify.read_text() + "exec sleep 600\n")
    daemon.run()
    upsd.set_status("OB LB")
    daemon.wait_down()
    # all of them are started by then, if not quite there
    wait_for("SHUTDOWN", lambda: {"ONBATT", "LOWBATT", "FSD", "SHUTDOWN"} <= set(daemon.events()), 5)
    daemon.wait_log("NOTIFYCMD for ONBATT hangs")
    assert daemon.log().count("hangs; the next ones") == 1


@pytest.mark.root
def test_check_looks_with_the_rights_of_the_user(daemon):
    secret = daemon.dir / "secret"
    secret.mkdir(mode=0o700)
    (secret / "notify").write_text("#!/bin/sh\n")
    (secret / "notify").chmod(0o755)
    plain = daemon.dir / "plain"
    plain.write_text("#!/bin/sh\n")
    good = daemon.conf.read_text()
    for program, said in ((f"{secret}/notify", f"NOTIFYCMD: {secret}: Permission denied, for the "
                                               f"user who runs it: nobody"),
                          (str(plain), f"NOTIFYCMD: {plain}: Permission denied"),
                          (f"{secret}/none/x", f"NOTIFYCMD: {secret}: Permission denied")):
        daemon.write(good.replace(f"NOTIFYCMD {daemon.dir}/notify", f"NOTIFYCMD {program}")
                     + "RUN_AS_USER nobody\n")
        result = daemon.command("-t")
        assert result.returncode == 0 and said in result.stderr, result.stderr


# -- SHUTDOWNCMD as people write it ----------------------------------------------------------

@pytest.mark.parametrize("command, expected", [
    # newer NUT keeps the words apart
    ('"/bin/sh" "-c" "echo one >>DOWN; echo two >>DOWN"', "one\ntwo\n"),
    ('/bin/sh -c "echo \\"a  b\\" >>DOWN"', "a  b\n"),
    # one word is for the shell, as ever
    ('"echo one >>DOWN; echo two >>DOWN"', "one\ntwo\n"),
    # unquoted shell: there is no such program, and the shell gets it
    ("/bin/true; echo one >>DOWN", "one\n"),
])
def test_words_of_shutdowncmd(daemon, command, expected):
    daemon.write("".join(line for line in daemon.conf.read_text().splitlines(True)
                         if not line.startswith("SHUTDOWNCMD"))
                 + f"SHUTDOWNCMD {command.replace('DOWN', str(daemon.down))}\n")
    daemon.run()
    daemon.command("-c", "fsd")
    daemon.wait_down()
    wait_for("its words", lambda: daemon.down.read_text() == expected)


def test_empty_shutdowncmd(daemon, upsd):
    """Synology and TrueNAS act in NOTIFYCMD: it is started with a warning."""
    notify = daemon.dir / "notify"
    notify.write_text(notify.read_text()
                      + f'[ "$NOTIFYTYPE" = SHUTDOWN ] && touch {daemon.events_file}.acted\n')
    daemon.dir.chmod(0o777)
    daemon.write("".join(line for line in daemon.conf.read_text().splitlines(True)
                         if not line.startswith("SHUTDOWNCMD")) + 'SHUTDOWNCMD ""\n')
    daemon.run()
    assert "warning: SHUTDOWNCMD is empty" in daemon.log()
    upsd.set_status("OB LB")
    wait_for("NOTIFYCMD", pathlib.Path(f"{daemon.events_file}.acted").exists, 15)
    daemon.wait_log("this machine is left to NOTIFYCMD")


def test_flag_on_a_disk_that_hangs(daemon, tmp_path):
    """POWERDOWNFLAG has two seconds; then SHUTDOWNCMD runs without it."""
    trace = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", "trace=fsync",
             "-e", "inject=fsync:delay_enter=20s"]
    daemon.foreground = subprocess.Popen([*trace, daemon.binary, "-F"], env=daemon.env,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=open(daemon.dir / "log", "ab"))
    wait_for("ready", daemon.pid)
    began = time.monotonic()
    daemon.command("-c", "fsd")
    daemon.wait_down(15)
    # FINALDELAY 1
    assert time.monotonic() - began < 12
    assert "POWERDOWNFLAG is not written within" in daemon.log()


# -- networks --------------------------------------------------------------------------------

class Swallower:
    """A port of ::1 that takes no connection and says nothing: its backlog is full."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET6)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("::1", port))
        self.socket.listen(0)
        self.fill = []
        for _ in range(4):
            s = socket.socket(socket.AF_INET6)
            s.setblocking(False)
            s.connect_ex(("::1", port))
            self.fill.append(s)

    def close(self):
        for s in (*self.fill, self.socket):
            s.close()


@pytest.mark.root
@pytest.mark.parametrize("fate", ["swallows", "refuses"])
def test_a_name_with_two_addresses(daemon, upsd, fate):
    """nas.lan is ::1, which drops packets or refuses, and 127.0.0.1, which answers."""
    hosts = daemon.dir / "hosts"
    hosts.write_text("::1 nas.lan\n127.0.0.1 nas.lan\n")
    hosts.chmod(0o644)
    daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", "@nas.lan:"))
    swallower = Swallower(upsd.port) if fate == "swallows" else None
    try:
        began = time.monotonic()
        own_namespace(daemon, f"mount --bind {hosts} /etc/hosts")
        wait_for("a login", lambda: upsd.logins() == 1, 8)
        daemon.wait_log("ready, watching")
        # far from the connect timeout of 10 s
        assert time.monotonic() - began < 8
        assert "COMMBAD" not in daemon.events()
    finally:
        if swallower:
            swallower.close()


@pytest.mark.root
def test_addresses_that_do_not_answer_are_named(daemon, upsd):
    hosts = daemon.dir / "hosts"
    hosts.write_text("::1 nas.lan\n127.0.0.3 nas.lan\n")
    hosts.chmod(0o644)
    daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", "@nas.lan:"))
    upsd.stop_server()
    swallower = Swallower(upsd.port)
    try:
        daemon.env["NUT_DEFAULT_CONNECT_TIMEOUT"] = "1"
        own_namespace(daemon, f"mount --bind {hosts} /etc/hosts")
        daemon.wait_log("cannot connect: no answer in time from 127.0.0.3: Connection refused, ::1")
    finally:
        swallower.close()


def test_link_local_address_without_its_interface(daemon, upsd):
    daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", "@[fe80::1]:"))
    daemon.run()
    daemon.wait_log("fe80::1 needs its interface, as in fe80::1%eth0")


# -- servers ---------------------------------------------------------------------------------

def serve(script_of):
    """A server of one UPS: script_of(request) is the answer, None for silence."""
    def answer(connection):
        stream = connection.makefile("rwb")
        greeting = script_of("")
        if greeting:
            stream.write(greeting.encode())
            stream.flush()
        for line in stream:
            text = script_of(line.decode().strip())
            if text is not None:
                stream.write(text.encode())
                stream.flush()
    return answer


def usual(request, status='"OL"'):
    if request.startswith("GET VAR") and request.endswith("ups.status"):
        return f"VAR ups ups.status {status}\n"
    if request.startswith("GET VAR"):
        return "ERR VAR-NOT-SUPPORTED\n"
    return "OK\n" if request else None


@pytest.fixture
def server(request):
    """Answers as request.param says."""
    made = FakeServer(serve(request.param))
    yield made
    made.close()


@pytest.mark.parametrize("server", [
    lambda request: "upsd 2.8.5 - welcome\n" if not request else usual(request),
    lambda request: "OK welcome\n" if not request else usual(request),
    lambda request: usual(request, status="OL CHRG"),
    lambda request: usual(request, status='"ol chrg"'),
    lambda request: (usual(request) or "").replace("VAR ups ", "VAR UPS ") or None,
], indirect=True, ids=["greets", "greets with OK", "no quotes", "lower case", "UPS in upper case"])
def test_servers_that_are_understood(make_daemon, server):
    daemon = make_daemon(port=server.port)
    daemon.run()
    settle(3)
    assert daemon.events() == [] and server.connections == 1
    assert "is this" not in daemon.log() and "no answer" not in daemon.log()


def alarm(answer):
    def script_of(request):
        if request.endswith("ups.alarm"):
            return answer
        return usual(request, status='"OL ALARM"')
    return script_of


@pytest.mark.parametrize("server", [
    alarm('VAR ups ups.alarm "' + 2000 * "x" + '"\n'), alarm('VAR ups ups.alarm "a\001b"\n'),
    alarm('VAR ups ups.alarm "half a line'), alarm(None), alarm("ERR DATA-STALE\n"),
    alarm("what?\n"),
], indirect=True, ids=["too long", "control byte", "no newline", "no answer", "stale", "rubbish"])
def test_an_alarm_that_cannot_be_read_costs_nothing(make_daemon, server):
    """A healthy box was shut down for the text of its alarm."""
    daemon = make_daemon(port=server.port)
    daemon.run()
    settle(9)
    assert server.connections == 1
    assert not {"COMMBAD", "FSD", "SHUTDOWN"} & set(daemon.events())
    assert not daemon.down.exists()


def test_server_that_is_restarted_while_in_alarm(daemon, upsd):
    daemon.run()
    upsd.set_status("OL ALARM")
    daemon.wait_log("one or more active alarms")
    upsd.stop_server()
    daemon.wait_events("COMMBAD")
    upsd.start_server()
    daemon.wait_events("COMMBAD", "COMMOK")
    settle(2)
    assert not daemon.down.exists() and "FSD" not in daemon.events()


def test_fsd_of_the_last_power_cut(make_daemon, upsd):
    """The primary's upsd was never restarted: its FSD gets HOSTSYNC to go away."""
    daemon = make_daemon(port=upsd.port, role="secondary")
    upsd.set_status("FSD OL")
    daemon.write(daemon.conf.read_text().replace("HOSTSYNC 3", "HOSTSYNC 6"))
    daemon.run()
    daemon.wait_log("has had FSD set since before this upsmon came")
    upsd.set_status("OL")
    settle(8)
    assert not daemon.down.exists() and "FSD" not in daemon.events()
    # and FSD that comes now is followed at once
    upsd.set_status("FSD OL")
    daemon.wait_down(5)


def test_a_wrong_password_reaches_the_owner(make_daemon, upsd):
    daemon = make_daemon(port=upsd.port, user=(PRIMARY[0], "wrong"),
                         extra="NOTIFYFLAG NOCOMM EXEC\n")
    daemon.run()
    daemon.wait_events("NOLOGIN")
    assert "compare user and password" in daemon.log()
    assert "refuses the login of this host (ACCESS-DENIED)" in daemon.events_file.read_text()


# -- time alone ---------------------------------------------------------------------------------

def test_a_rule_that_only_time_fulfils(make_daemon, upsd):
    """TIMEOUT is over between two polls that are far apart."""
    daemon = make_daemon(port=upsd.port, extra="TIMEOUT 6\n")
    daemon.write(daemon.conf.read_text().replace("POLLFREQALERT 1", "POLLFREQALERT 40"))
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    began = time.monotonic()
    daemon.wait_down(30)
    assert time.monotonic() - began > 5
    assert "on battery for TIMEOUT" in daemon.log()


@pytest.mark.root
def test_deadtime_of_a_host_that_swallows_packets(make_daemon, upsd):
    """The switch has lost its power: each connection hangs, and DEADTIME goes on."""
    daemon = make_daemon(port=upsd.port)
    daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", "@[::1]:")
                 .replace("POLLFREQALERT 1", "POLLFREQALERT 3").replace("DEADTIME 4", "DEADTIME 8"))
    relay = Relay(upsd.port)
    try:
        daemon.run()
        upsd.set_status("OB")
        daemon.wait_events("ONBATT")
        relay.close()
        began = time.monotonic()
        swallower = Swallower(upsd.port)
        try:
            daemon.wait_down(40)
            # DEADTIME 8, HOSTSYNC 3, FINALDELAY 1; a connection may take 10 s
            assert time.monotonic() - began < 22
        finally:
            swallower.close()
    finally:
        relay.close()


class Relay:
    """[::1]:port is upsd's 127.0.0.1:port, until it is closed."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import socket, sys, threading\n"
             "port = int(sys.argv[1])\ns = socket.socket(socket.AF_INET6)\n"
             "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
             "s.bind(('::1', port))\ns.listen()\nprint('up', flush=True)\n"
             "def copy(a, b):\n    while (data := a.recv(4096)): b.sendall(data)\n"
             "    b.shutdown(socket.SHUT_WR)\n"
             "while True:\n    a, _ = s.accept()\n    b = socket.create_connection(('127.0.0.1', port))\n"
             "    for pair in ((a, b), (b, a)):\n"
             "        threading.Thread(target=copy, args=pair, daemon=True).start()\n", str(port)],
            stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"up\n"

    def close(self):
        self.process.kill()
        self.process.wait()


# -- a monitor that hangs ----------------------------------------------------------------------

def test_monitor_that_hangs_on_battery(daemon, upsd):
    """SIGSTOP: it is silent for longer than it has said, and is replaced."""
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    monitor = daemon.monitor()
    freeze(monitor)
    daemon.wait_log(f"monitor {monitor} does not answer any more", 40)
    wait_for("the next one", lambda: daemon.monitor() not in (None, monitor))
    upsd.set_status("OB LB")
    daemon.wait_down()


@pytest.mark.root
def test_monitor_that_hangs_from_its_first_words_on(daemon):
    """The guard hears them all in its first wake-up, as it does on a busy machine."""
    daemon.foreground = subprocess.Popen(
        ["strace", "-qq", "-o", "/dev/null", "-e",
         "inject=ppoll:delay_enter=1500000:when=1", daemon.binary, "-F"],
        env=daemon.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=open(daemon.dir / "log", "ab"))
    daemon.wait_log("ready, watching 1 UPS")
    monitor = wait_for("the monitor", daemon.monitor)
    os.kill(monitor, signal.SIGSTOP)
    daemon.wait_log(f"monitor {monitor} does not answer any more", 60)


def test_frozen_and_the_mains_are_back(make_daemon, upsd):
    """Everything stops for 7 s on battery; meanwhile the server is restarted, with mains."""
    daemon = make_daemon(port=upsd.port, role="secondary")
    daemon.run()
    upsd.set_status("OB LB")
    daemon.wait_events("ONBATT", "LOWBATT")
    both = (daemon.monitor(), daemon.pid())
    for pid in both:
        freeze(pid)
    upsd.set_status("OL")
    upsd.stop_server()
    upsd.start_server()
    settle(7)
    for pid in reversed(both):
        os.kill(pid, signal.SIGCONT)
    wait_for("ONLINE", lambda: "ONLINE" in daemon.events(), 15)
    settle(2)
    assert not daemon.down.exists() and "FSD" not in daemon.events()


def test_stopped_for_long_while_all_is_well(daemon):
    """As in a suspend: longer than the monitor has promised to be heard of, and it is none that hangs."""
    daemon.run()
    guard, monitor = daemon.pid(), daemon.monitor()
    settle(1)
    for pid in (monitor, guard):
        freeze(pid)
    settle(50)
    # the guard wakes up first, and has heard nothing
    os.kill(guard, signal.SIGCONT)
    settle(1)
    os.kill(monitor, signal.SIGCONT)
    settle(2)
    assert daemon.monitor() == monitor and "does not answer any more" not in daemon.log()


def test_reload_answers_when_it_is_done(daemon, upsd):
    """Also where the monitor hangs: it is replaced, and a second reload does not wait for it."""
    daemon.run()
    monitor = daemon.monitor()
    freeze(monitor)
    daemon.write(daemon.conf.read_text() + "NOTIFYMSG ONBATT \"changed %s\"\n")
    orders = [subprocess.Popen([daemon.binary, "-c", "reload"], env=daemon.env,
                               stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [order.wait(35) for order in orders] == [0, 0]
    assert daemon.log().count(f"monitor {monitor} does not answer any more") == 1
    upsd.set_status("OB")
    wait_for("the new text", lambda: "changed ups@" in daemon.events_file.read_text())


@pytest.mark.parametrize("args", [(), ("-p",)])
def test_reloads_keep_what_is_known(daemon, upsd, args):
    """Each reload is a new monitor; what was notified is not notified again, and timers go on."""
    daemon.write(daemon.conf.read_text() + "TIMEOUT 8\n")
    daemon.run(*args)
    upsd.set_status("OB")
    began = time.monotonic()
    daemon.wait_events("ONBATT")
    for _ in range(4):
        assert daemon.command("-c", "reload").returncode == 0
    wait_for("one login", lambda: upsd.logins() == 1)
    if not args:
        assert upsd.login_history()[2] >= 1
    daemon.wait_down(20)
    assert time.monotonic() - began > 7.5
    daemon.wait_events("ONBATT", "FSD", "SHUTDOWN")


# -- a monitor that lies -------------------------------------------------------------------------

def ends_of(monitor):
    """What the monitor writes to the guard, and what it reads: /proc opens a pipe's ends anew."""
    ends = {}
    for fd in pathlib.Path(f"/proc/{monitor}/fd").iterdir():
        if os.readlink(fd).startswith("pipe:"):
            flags = int(pathlib.Path(f"/proc/{monitor}/fdinfo/{fd.name}").read_text()
                        .split("flags:")[1].split()[0], 8)
            ends["w" if flags & os.O_WRONLY else "r"] = fd
    return ends


@pytest.mark.root
@pytest.mark.parametrize("lie", [b"x", bytes(300), b"\xff" * 4000, random.Random(8).randbytes(4096),
                                 b"\x01\0\0\0" + b"\xff" * 500],
                         ids=["one byte", "zeros", "ones", "noise", "ready, and then ones"])
def test_monitor_that_lies_is_ended(daemon, upsd, lie):
    daemon.run()
    guard, monitor = daemon.pid(), daemon.monitor()
    freeze(monitor)
    with open(ends_of(monitor)["w"], "wb", buffering=0) as pipe:
        pipe.write(lie)
    daemon.wait_log("says what no monitor says")
    wait_for("the next one", lambda: daemon.monitor() not in (None, monitor))
    assert daemon.pid() == guard
    upsd.set_status("OB LB")
    daemon.wait_down()


@pytest.mark.root
def test_monitor_that_never_stops_talking(daemon):
    """A flood of sound messages: TERM is obeyed all the same."""
    daemon.run()
    monitor = daemon.monitor()
    with open(f"/proc/{monitor}/fd/{ends_of(monitor)['w'].name}", "wb", buffering=0) as pipe:
        # as the monitor says it, so that it is sound: what it has told is recorded
        trace = subprocess.Popen(["strace", "-qq", "-xx", "-s", "4096", "-e", "trace=write",
                                  "-p", str(monitor)], stderr=subprocess.PIPE, text=True)
        try:
            said = next(line for line in trace.stderr if line.count("\\x") > 100)
        finally:
            trace.terminate()
            trace.wait()
        message = bytes(int(part[:2], 16) for part in said.split('"')[1].split("\\x")[1:])
        flood = subprocess.Popen(["/usr/bin/python3", "-c",
                                  "import sys\nm = bytes.fromhex(sys.argv[1])\n"
                                  "while True: sys.stdout.buffer.write(m); "
                                  "sys.stdout.buffer.flush()", message.hex()], stdout=pipe)
    try:
        settle(0.5)
        assert daemon.command("-c", "stop").returncode == 0
    finally:
        flood.kill()
        flood.wait()


@pytest.mark.root
@pytest.mark.parametrize("binary", ["host"], indirect=True)
def test_monitor_that_closes_its_channel_and_lives_on(daemon, upsd):
    """A debugger's hand closes it; the static build has no symbols for that."""
    daemon.run()
    monitor = daemon.monitor()
    result = subprocess.run(["gdb", "-q", "-batch", "-p", str(monitor), "-ex",
                             f"call (int)close({ends_of(monitor)['w'].name})"],
                            check=False, capture_output=True, text=True)
    assert "$1 = 0" in result.stdout, result.stdout + result.stderr
    wait_for("the next one", lambda: daemon.monitor() not in (None, monitor))
    assert not alive(monitor)
    upsd.set_status("OB LB")
    daemon.wait_down()
