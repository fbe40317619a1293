"""Bad input: each has its message (what, where, what to do), its exit code, and no effect."""

import os
import pwd
import socket
import subprocess
import threading
import time

import pytest

from daemon import DEFAULT_USER, as_nobody, settle, uid_of
from lab.upsd import PRIMARY, held_port, wait_for


def refused(daemon, *texts, args=("-B",), code=1, **options):
    result = daemon.command(*args, **options)
    assert result.returncode == code, result.stderr
    for text in texts:
        assert text in result.stderr
    assert daemon.pid() is None
    return result


# -- the command line --------------------------------------------------------

def test_help_and_version(daemon):
    result = daemon.command("-h")
    assert result.returncode == 0
    for option in "FBDpKcPfuWhV46":
        assert f"-{option}" in result.stdout
    result = daemon.command("-V")
    assert (result.returncode, result.stdout.split()[:2]) == (0, ["nutlet", "upsmon"])


@pytest.mark.parametrize("args, text", [
    (("-x",), "there is no option -x"),
    (("stop",), '"stop" is no option'),
    (("-c",), "-c needs an argument"),
    (("-c", "stop", "-P", "0"), "-P 0: a process number"),
    (("-c", "stop", "-P", "12x"), "-P 12x: a process number"),
    (("-P", "12"), "-P goes with -c only"),
    (("-W", "0"), "-W 0: seconds"),
])
def test_wrong_usage(daemon, args, text):
    refused(daemon, text, args=args, code=2)


# -- upsmon.conf -------------------------------------------------------------

def test_no_configuration_explains_itself(make_daemon):
    daemon = make_daemon()
    refused(daemon, f"{daemon.conf}: there is no configuration", "MONITOR ups@localhost",
            "NUT_CONFPATH", args=())


@pytest.mark.root
def test_unreadable_configuration(daemon):
    daemon.conf.chmod(0o600)
    os.chown(daemon.pid_dir, 65534, 65534)
    refused(daemon, f"{daemon.conf}: Permission denied", "as root", preexec_fn=as_nobody)


def test_configuration_that_is_a_directory(make_daemon):
    daemon = make_daemon()
    daemon.conf.mkdir()
    refused(daemon, "Is a directory")


@pytest.mark.parametrize("line, text", [
    ("MONITOR ups@a 1 u p boss", '"boss" is neither primary nor secondary'),
    ("MONITOR ups@a 1 u p#q primary", "needs quotes"),
    ("MONITOR ups@a x u p primary", 'the power value is "x"'),
    ('MONITOR ups@a 1 u "p primary', "the quote is not closed on this line"),
    ("MONITOR ups@a@ 1 u p primary", "the host behind @ is missing"),
])
def test_broken_configuration(daemon, line, text):
    good = daemon.conf.read_text()
    number = good.count("\n") + 1
    daemon.write(good + line + "\n")
    refused(daemon, f"{daemon.conf}:{number}: error: ", text, "not started")


@pytest.mark.parametrize("line, text", [
    ("POLLFREQ five", 'POLLFREQ is "five", which is not a whole number'),
    ("SHUTDWNCMD x", 'there is no directive "SHUTDWNCMD" (names are case-sensitive); did you mean '
                     'SHUTDOWNCMD?'),
    ('NOTIFYCMD "x', "the quote is not closed on this line"),
    ("NOTIFYMSG ONLINE %x", "NOTIFYMSG ONLINE: a text may hold %s twice"),
    ("MAXAGE 15", 'there is no directive "MAXAGE"'),
    ("RBWARNTIME 99999999", "RBWARNTIME is 99999999; it must be from 0 to"),
])
def test_a_line_that_costs_no_shutdown_keeps_no_board_unprotected(daemon, upsd, line, text):
    good = daemon.conf.read_text()
    number = good.count("\n") + 1
    daemon.write(good + line + "\n")
    result = daemon.started().command("-t")
    assert result.returncode == 0
    assert f"{daemon.conf}:{number}: warning: {text}" in result.stderr
    upsd.set_status("OB LB")
    daemon.wait_down()


def test_tls_is_refused_loudly(daemon):
    daemon.write(daemon.conf.read_text() + "FORCESSL 1\n")
    refused(daemon, "error: FORCESSL asks for TLS", "would not be encrypted")


@pytest.mark.root
def test_unknown_user(daemon):
    refused(daemon, 'there is no user "nosuchuser"', "-u", args=("-B", "-u", "nosuchuser"))
    # the file's keeps no board unprotected
    daemon.write(daemon.conf.read_text() + "RUN_AS_USER nosuchuser\n")
    result = daemon.start()
    assert result.returncode == 0
    assert f'RUN_AS_USER: there is no user "nosuchuser"; {DEFAULT_USER} is used' in result.stderr
    assert uid_of(daemon.monitor()) == pwd.getpwnam(DEFAULT_USER).pw_uid
    assert daemon.command("-c", "stop").returncode == 0
    # the command line wins
    assert daemon.start("-u", "nobody").returncode == 0
    assert uid_of(daemon.monitor()) == pwd.getpwnam("nobody").pw_uid


def test_configuration_without_an_end(daemon):
    refused(daemon, "/dev/zero: ", args=("-B", "-f", "/dev/zero"))


def test_byte_order_mark(daemon):
    daemon.conf.write_bytes(b"\xef\xbb\xbf" + daemon.conf.read_bytes())
    daemon.started()


def test_warnings_to_a_reader_that_is_gone(daemon):
    """SIGPIPE costs the message, not the daemon."""
    daemon.write(daemon.conf.read_text() + "NOTIFYFLAG NOSUCH SYSLOG\n")
    reader, writer = os.pipe()
    os.close(reader)
    try:
        subprocess.run([daemon.binary, "-B"], env=daemon.env, stdout=writer, stderr=writer,
                       timeout=60, check=False)
    finally:
        os.close(writer)
    wait_for("the daemon", daemon.pid)


# -- the place of the pidfile ------------------------------------------------

def test_missing_directory(daemon):
    daemon.env["NUT_PIDPATH"] = daemon.env["NUT_ALTPIDPATH"] = str(daemon.dir / "none")
    refused(daemon, f"{daemon.dir}/none: the directory for the pidfile does not exist",
            "create it")
    assert daemon.status() == 3


def test_directory_that_is_none(daemon):
    daemon.env["NUT_PIDPATH"] = daemon.env["NUT_ALTPIDPATH"] = str(daemon.conf)
    refused(daemon, f"{daemon.conf}: the place for the pidfile is not a directory")


@pytest.mark.root
def test_directory_that_is_not_writable(daemon):
    daemon.conf.chmod(0o644)
    refused(daemon, f"cannot take the lock: {daemon.lockfile}: Permission denied",
            preexec_fn=as_nobody)


@pytest.mark.root
def test_read_only_directory(daemon):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", daemon.pid_dir],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        refused(daemon, f"cannot take the lock: {daemon.lockfile}: Read-only file system")
    finally:
        subprocess.run(["umount", daemon.pid_dir], check=True)


# -- reload ------------------------------------------------------------------

def test_reload_with_a_broken_file_changes_nothing(daemon, upsd):
    daemon.run()
    good = daemon.conf.read_text()
    daemon.write(good + "MONITOR x\n")
    result = daemon.command("-c", "reload")
    assert result.returncode == 1
    assert f"{daemon.conf} is not used, and the configuration stays as it was" in result.stderr
    daemon.wait_log("the configuration stays as it was")
    assert ": error: expected: MONITOR" in daemon.log()
    daemon.conf.unlink()
    daemon.command("-c", "reload")
    daemon.wait_log("there is no configuration")
    assert upsd.logins() == 1
    upsd.set_status("OB LB")
    daemon.wait_down()


def test_row19_reload_takes_the_new_and_drops_the_old(daemon, upsd):
    """Row 19: removed directives keep their old value after a reload."""
    daemon.write(daemon.conf.read_text() + 'NOTIFYMSG ONBATT "first %s"\n')
    daemon.run()
    connection = upsd.ask("LIST CLIENT ups")
    daemon.write(daemon.conf.read_text().replace('NOTIFYMSG ONBATT "first %s"\n',
                                                 'NOTIFYMSG ONLINE "second %s"\n'))
    daemon.command("-c", "reload")
    daemon.wait_log("the configuration was read anew")
    wait_for("one login", lambda: upsd.logins() == 1)
    assert upsd.ask("LIST CLIENT ups") == connection
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    upsd.set_status("OL")
    daemon.wait_events("ONBATT", "ONLINE")
    text = daemon.events_file.read_text()
    assert "on battery" in text and "|second ups@" in text


def test_reload_of_the_shutdown_command(daemon):
    """It is the guard who runs it, so he must have the new one."""
    daemon.run()
    daemon.write(daemon.conf.read_text().replace("id -u)", "id -u) new"))
    daemon.command("-c", "reload")
    daemon.wait_log("the configuration was read anew")
    daemon.command("-c", "fsd")
    daemon.wait_down()
    assert daemon.down.read_text().endswith("new\n")


def test_reload_with_another_ups(daemon, upsd, tmp_path):
    from lab.upsd import Upsd
    with Upsd(tmp_path / "second", ups=("other",)) as second:
        daemon.run()
        daemon.write(daemon.conf.read_text().replace(
            "MONITOR ", f"MONITOR other@127.0.0.1:{second.port} 1 {PRIMARY[0]} {PRIMARY[1]} "
                        "primary\nMONITOR ", 1))
        daemon.command("-c", "reload")
        wait_for("a login at the second", lambda: second.logins("other") == 1)
        daemon.write("\n".join(line for line in daemon.conf.read_text().splitlines()
                               if not line.startswith("MONITOR ups")) + "\n")
        daemon.command("-c", "reload")
        daemon.wait_log("the configuration was read anew: 1 UPS")
        # the one that was removed is logged out, the other one was not touched
        wait_for("the logout", lambda: upsd.logins() == 0)
        assert second.logins("other") == 1 and "COMMBAD" not in daemon.events()
        second.set_status("OB", "other")
        daemon.wait_events("ONBATT")


def test_reload_with_another_password_forgets_no_battery(daemon, upsd):
    """The login is new; that the UPS is on battery, and lost, is not."""
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    upsd.stop_server()
    daemon.wait_events("ONBATT", "COMMBAD")
    daemon.write(daemon.conf.read_text().replace(f" {PRIMARY[1]} ", " another "))
    daemon.command("-c", "reload")
    daemon.wait_log("the configuration was read anew")
    daemon.wait_down()


def test_many_reloads_at_once(daemon, upsd):
    daemon.run()
    for _ in range(50):
        daemon.command("-c", "reload")
    settle(0.5)
    wait_for("one login", lambda: upsd.logins() == 1)
    upsd.set_status("OB LB")
    daemon.wait_down()


# -- servers -----------------------------------------------------------------

class FakeServer:
    """For what a real upsd will not do."""

    def __init__(self, answer):
        """answer(connection) talks; the connection is closed after it."""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection:
            try:
                self.answer(connection)
            except OSError:
                pass

    def close(self):
        self.socket.close()


@pytest.fixture
def fake():
    servers = []

    def make(answer):
        servers.append(FakeServer(answer))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.mark.parametrize("byte", [b"\n", b"x"])
def test_a_server_that_says_nothing_without_an_end(make_daemon, fake, byte):
    """Blank lines, or a line that never ends: it is left, as what it is, long before its answer is due."""
    closed = threading.Event()

    def flood(connection):
        try:
            while True:
                connection.sendall(1000 * byte)
        finally:
            closed.set()

    daemon = make_daemon(port=fake(flood).port)
    daemon.launch()
    began = time.monotonic()
    assert closed.wait(10)
    assert time.monotonic() - began < 4
    daemon.wait_log("it says nothing, without an end" if byte == b"\n" else "the line is too long")


def http(connection):
    connection.recv(100)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def garbage(connection):
    connection.recv(100)
    connection.sendall(bytes(range(256)) * 40)


def endless(connection):
    while True:
        connection.sendall(b"x" * 4096)


def closing(connection):
    pass


def silent(connection):
    time.sleep(60)


@pytest.mark.parametrize("answer, text", [
    (http, 'no answer of a UPS server: "HTTP/1.1"'),
    (garbage, "no answer of a UPS server: \"the line holds a control character\""),
    (endless, 'no answer of a UPS server: "the line is too long"'),
    (closing, "connection lost"),
    (silent, "no reply to USERNAME"),
])
def test_server_that_is_none(make_daemon, fake, answer, text):
    """It is named, tried again at its time, and shuts nothing down."""
    server = fake(answer)
    daemon = make_daemon(port=server.port)
    began = time.monotonic()
    daemon.run()
    daemon.wait_log(text)
    assert f"UPS {daemon.system(server.port)}: " in daemon.log()
    daemon.wait_events("COMMBAD", "NOCOMM")
    settle(3)
    # POLLFREQALERT 1: one at once, then one a second, however long all this has taken
    assert server.connections <= 2 + time.monotonic() - began
    assert daemon.events() == ["COMMBAD", "NOCOMM"]
    assert not daemon.down.exists()


def test_server_that_drips(make_daemon, fake):
    """Half lines, a byte at a time, are lines in the end."""
    def drip(connection):
        f = connection.makefile("r")
        for line in f:
            reply = 'VAR ups ups.status "OB"\n' if line.startswith("GET") else "OK\n"
            for c in reply:
                connection.sendall(c.encode())
                time.sleep(0.005)
    daemon = make_daemon(port=fake(drip).port)
    daemon.run()
    daemon.wait_events("ONBATT")


def test_refused_login(make_daemon, upsd):
    """It is said what to do, and the UPS is watched all the same."""
    daemon = make_daemon(port=upsd.port, user=("monuser", "wrong"))
    daemon.run()
    daemon.wait_log("the server refuses the login (ACCESS-DENIED)")
    assert "upsd.users" in daemon.log()
    upsd.set_status("OB")
    daemon.wait_events("NOLOGIN", "ONBATT")


def test_refused_primary(make_daemon, upsd):
    from lab.upsd import SECONDARY
    daemon = make_daemon(port=upsd.port, user=SECONDARY)
    daemon.run()
    daemon.wait_log("does not take this host as primary (ACCESS-DENIED)")
    upsd.set_status("OB LB")
    daemon.wait_down()
    daemon.wait_log("the server refuses FSD (ACCESS-DENIED)")


def test_unknown_ups(make_daemon, upsd):
    daemon = make_daemon(port=upsd.port, ups="nosuch")
    daemon.run()
    daemon.wait_log("poll failed: UNKNOWN-UPS")
    daemon.wait_events("COMMBAD", "NOCOMM")


@pytest.mark.parametrize("password", ['a b', 'a"b', "a#b", "a\\b", "a=b", " ", 'x\\"'])
def test_row16_passwords(make_daemon, tmp_path, password):
    """Row 16: passwords with quotes, spaces, # or backslash fail."""
    from lab.upsd import Upsd
    quoted = '"' + password.replace("\\", "\\\\").replace('"', '\\"') + '"'
    # upsd takes # for a comment even inside quotes
    theirs = quoted.replace("#", "\\#")
    with Upsd(tmp_path / "special",
              users=f"[odd]\n password = {theirs}\n upsmon primary\n") as upsd:
        daemon = make_daemon(port=upsd.port, user=("odd", quoted))
        daemon.run()
        assert upsd.logins() == 1, daemon.log()


def test_row9_one_dead_host_does_not_block_the_others(make_daemon, upsd, fake):
    """Row 9: one dead host blocks the polling of all others."""
    dead = fake(silent)
    nobody, held = held_port()
    daemon = make_daemon(port=upsd.port, extra=(
        f"MONITOR dead@127.0.0.1:{dead.port} 1 u p secondary\nMINSUPPLIES 2\n"
        f"MONITOR gone@127.0.0.1:{nobody} 1 u p secondary\n"))
    daemon.env["NUT_DEBUG_LEVEL"] = "1"
    with held:
        daemon.run()

        def polls_at_next_try():
            tries = dead.connections
            wait_for("a try of the dead one", lambda: dead.connections > tries)
            return daemon.log().count(f"UPS {daemon.system(upsd.port)}: sending GET VAR")

        # POLLFREQALERT 1, and the dead one is waited for 5 s: who waits polls once or twice
        assert polls_at_next_try() + 3 <= polls_at_next_try()
        upsd.set_status("OB")
        wait_for("ONBATT", lambda: "ONBATT" in daemon.events())


def test_host_name_that_is_not_known(daemon, upsd):
    """The look-up is a child's; an unknown name is reported, and the rest goes on."""
    daemon.write(daemon.conf.read_text() + "MONITOR ups@no-such-host.invalid 1 u p secondary\n")
    daemon.run()
    daemon.wait_log("UPS ups@no-such-host.invalid: cannot connect")
    assert upsd.logins() == 1


def test_host_by_name_and_address_family(make_daemon, upsd):
    daemon = make_daemon(port=upsd.port)
    daemon.write(daemon.conf.read_text().replace("127.0.0.1", "localhost"))
    daemon.started("-4")
    assert upsd.logins() == 1
    daemon.command("-c", "stop")
    result = daemon.start("-6")
    # upsd listens on IPv4 only
    assert result.returncode == 0
    assert upsd.logins() == 0


# -- -K ----------------------------------------------------------------------

def test_row15_killpower_question(daemon):
    assert daemon.command("-K").returncode == 1
    daemon.flag.write_text("something else\n")
    assert daemon.command("-K").returncode == 1
    boot = open("/proc/sys/kernel/random/boot_id").read()
    good = f"upsmon-shutdown-file\nboot-id {boot}"
    daemon.flag.write_text(good)
    assert daemon.command("-K").returncode == 0
    # row 15: a stale POWERDOWNFLAG on flash cuts the power at the next reboot
    daemon.flag.write_text("upsmon-shutdown-file\nboot-id 01234567-89ab-cdef\n")
    result = daemon.command("-K")
    assert result.returncode == 1
    assert "does not name this boot" in result.stderr
    # without a boot id nothing says that it is this boot's
    daemon.flag.write_text("upsmon-shutdown-file\n")
    assert daemon.command("-K").returncode == 1
    # it needs no configuration beyond the flag's path
    daemon.flag.write_text(good)
    daemon.write(f"RUBBISH\nPOWERDOWNFLAG {daemon.flag}\n")
    assert daemon.command("-K").returncode == 0
    daemon.write("MONITOR x 1 u p primary\n")
    assert daemon.command("-K").returncode == 1


@pytest.mark.root
@pytest.mark.parametrize("running", [True, False])
def test_killpower_late_in_a_shutdown(daemon, tmp_path, running):
    """On a read-only root, with the daemon running or gone."""
    place = tmp_path / "ro"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True,
                      check=False).returncode != 0:
        pytest.skip("cannot mount here")
    try:
        daemon.flag = place / "killpower"
        text = daemon.conf.read_text()
        daemon.write("\n".join(f"POWERDOWNFLAG {daemon.flag}" if line.startswith("POWERDOWNFLAG")
                               else line for line in text.splitlines()) + "\n")
        (place / "upsmon.conf").write_text(daemon.conf.read_text())
        daemon.run()
        daemon.command("-c", "fsd")
        daemon.wait_down()
        if not running:
            daemon.command("-c", "stop")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        assert daemon.command("-K", "-f", str(place / "upsmon.conf")).returncode == 0
        # what NUT's own late-shutdown scripts look for
        assert "upsmon-shutdown-file" in daemon.flag.read_text()
    finally:
        daemon.end()
        subprocess.run(["umount", place], check=True)
