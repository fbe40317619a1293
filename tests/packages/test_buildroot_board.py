"""A board that boots what the Buildroot package has built, and is protected by it."""

import re
import shlex
import subprocess

import pytest

from buildroot_board import CONF, INIT, INITTAB, overlay, switch_on
from buildroot_lab import OPTIONS, PACKAGE, TREE, mipsel
from lab.upsd import Upsd, wait_for


def script_of_readme(name):
    """A script of the README, by the name in its second line."""
    for script in re.findall(r"^```sh\n(.*?)^```$", (TREE / "README.md").read_text(), re.M | re.S):
        if script.splitlines()[1] == f"# {name}":
            return script
    raise AssertionError(f"README.md has no {name}")


KILLPOWER = {"etc/init.d/S00killpower": script_of_readme("S00killpower"),
             "usr/bin/upsdrvctl": "#!/bin/sh\necho \"upsdrvctl: $*\"\n"}


@pytest.fixture
def upsd(tmp_path):
    with Upsd(tmp_path / "upsd") as server:
        yield server


@pytest.fixture
def start_board(tmp_path, upsd):
    boards = []

    def start(built, files):
        boards.append(switch_on(overlay(built, tmp_path, files), tmp_path, upsd))
        return boards[-1]

    yield start
    for board in boards:
        board.stop()


def put(board, path, text):
    assert board.run(f"printf %s {shlex.quote(text)} >{path}")[0] == 0


def init(board, verb):
    return board.run(f"{INIT} {verb}", 240)


def pid_of(board):
    return int(board.run("cat /var/run/upsmon.pid")[1])


def alive(board, pid):
    return board.run(f"kill -0 {pid}")[0] == 0


def gone(board, pid):
    # its lock goes first, and init reaps it then
    wait_for("its end", lambda: not alive(board, pid), 60)


def low_battery(board, upsd):
    wait_for("the board's login", lambda: upsd.logins() == 1, 120)
    upsd.set_status("OB LB DISCHRG")
    # the primary tells the others first
    wait_for("FSD", lambda: upsd.status() == "FSD OB LB DISCHRG", 120)


def test_life_with_the_init_script(tmp_path, upsd, start_board):
    board = start_board(mipsel(tmp_path / "out").build(), KILLPOWER)

    # as it comes: not configured.  It says so and hurts nobody else.
    board.expect("Starting upsmon: ", 240)
    board.expect("there is no MONITOR line")
    board.expect("FAIL")
    board.expect("board up after")
    board.shell()
    assert init(board, "status")[0] == 3
    assert board.run("stat -c '%a %u' /etc/nut/upsmon.conf")[1] == "600 0\n"
    assert init(board, "start")[0] == 1
    assert init(board, "nonsense")[0] == 1

    put(board, "/etc/nut/upsmon.conf", CONF)
    code, said = init(board, "start")
    # OK comes when it is ready
    assert code == 0 and said.endswith("OK\n"), said
    pid = pid_of(board)
    assert upsd.logins() == 1
    code, said = init(board, "status")
    assert code == 0 and f"pid {pid} holds the lock" in said and "ups@upsd" in said
    # with no environment of the script's: both have the same place for the pidfile
    assert f"pid {pid} holds the lock" in board.run("upsmon -c status")[1]
    # the user of the table talks to the network
    monitor = board.run(f"cat /proc/{pid}/task/{pid}/children")[1].split()[0]
    assert "Uid:\t100\t" in board.run(f"cat /proc/{monitor}/status")[1]

    code, said = init(board, "start")
    assert code == 0 and "already running" in said and pid_of(board) == pid

    board.run("echo 'NOTIFYMSG ONBATT \"changed %s\"' >>/etc/nut/upsmon.conf")
    code, said = init(board, "reload")
    assert code == 0 and said.endswith("OK\n"), said
    upsd.set_status("OB DISCHRG")
    wait_for("the new text", lambda: "changed ups@upsd" in board.run("logread")[1], 120)
    upsd.set_status("OL")

    # broken: it goes on as before, and each says so
    board.run("cp /etc/nut/upsmon.conf /run/good; echo MONITOR x >>/etc/nut/upsmon.conf")
    code, said = init(board, "reload")
    assert code == 1 and said.endswith("FAIL\n"), said
    code, said = init(board, "restart")
    assert code == 1 and "/etc/nut/upsmon.conf:7" in said and "Not restarting" in said, said
    board.run("cp /run/good /etc/nut/upsmon.conf; echo UPSMON_ARGS=-Z >/etc/default/upsmon")
    code, said = init(board, "restart")
    assert code == 1 and "Not restarting" in said, said
    assert pid_of(board) == pid and upsd.logins() == 1
    board.run("rm /etc/default/upsmon")

    code, said = init(board, "restart")
    assert code == 0 and said.count("OK\n") == 2, said
    assert pid_of(board) != pid
    gone(board, pid)
    wait_for("the login", lambda: upsd.logins() == 1, 60)

    # the settings are the daemon's: options, and the environment
    board.run("mkdir /run/conf; cp /etc/nut/upsmon.conf /run/conf; rm /etc/nut/upsmon.conf; "
              "echo 'UPSMON_ARGS=\"-4 -W 7\"' >/etc/default/upsmon; "
              "echo NUT_CONFPATH=/run/conf >>/etc/default/upsmon")
    code, said = init(board, "restart")
    assert code == 0 and said.count("OK\n") == 2, said
    pid = pid_of(board)
    assert "upsmon -4 -W 7 " in board.run(f"tr '\\0' ' ' </proc/{pid}/cmdline")[1]

    code, said = init(board, "stop")
    assert code == 0 and said.endswith("OK\n"), said
    gone(board, pid)
    wait_for("the logout", lambda: upsd.logins() == 0, 60)
    assert init(board, "status")[0] == 3
    code, said = init(board, "stop")
    assert code == 0 and "not running" in said

    stale_pidfiles(board, upsd)

    low_battery(board, upsd)
    board.expect("Stopping upsmon: OK", 240)
    # it finds the configuration where /etc/default/upsmon says
    board.expect("upsdrvctl: shutdown", 240)
    assert board.expect_end() == 0


def stale_pidfiles(board, upsd):
    """A power cut left the file, and the number is somebody else's now: a sleep's, and then that
    of an upsmon of another place, which start-stop-daemon would take for ours."""
    board.run("sleep 10000 & echo $! >/run/other.pid")
    other = int(board.run("cat /run/other.pid")[1])
    board.run("cp /run/other.pid /var/run/upsmon.pid")
    assert init(board, "status")[0] == 1
    assert init(board, "stop")[0] == 0
    assert init(board, "reload")[0] == 1
    assert alive(board, other)
    code, said = init(board, "start")
    assert code == 0 and f"stale pidfile: pid {other} belongs to sleep" in said, said
    assert alive(board, other) and pid_of(board) != other
    wait_for("the login", lambda: upsd.logins() == 1, 60)
    assert init(board, "stop")[0] == 0

    board.run("mkdir /run/apart; NUT_PIDPATH=/run/apart upsmon -f /run/conf/upsmon.conf; "
              "cp /run/apart/upsmon.pid /var/run")
    other = pid_of(board)
    code, said = init(board, "start")
    assert code == 0 and f"stale pidfile: pid {other} is another upsmon" in said, said
    assert pid_of(board) != other
    board.run("NUT_PIDPATH=/run/apart upsmon -c stop")
    code, said = init(board, "status")
    assert code == 0 and "logged in" in said, said


@pytest.mark.parametrize("name", ["upsmon-respawn.sh", "S00killpower"])
def test_scripts_of_the_readme_are_clean(name):
    subprocess.run(["shellcheck", "-"], input=script_of_readme(name), text=True, check=True)


def test_smallest_build_watched_over_by_init(tmp_path, upsd, start_board):
    """Everything left out; with the README's line for inittab, and its killpower."""
    built = mipsel(tmp_path / "out", off=list(OPTIONS)).build()
    (built.target / "etc/inittab").write_text(INITTAB)
    for _ in range(2):  # Buildroot runs it at each make
        subprocess.run(["sh", "-c", script_of_readme("upsmon-respawn.sh"), "-", built.target],
                       check=True)
    inittab = (built.target / "etc/inittab").read_text()
    assert inittab.startswith(INITTAB) and inittab.count("respawn") == 1
    assert not (built.target / "etc/init.d/S60upsmon").exists()
    board = start_board(built, {
        "etc/inittab": inittab,
        "etc/nut/upsmon.conf": CONF,
        # that of this repository's image, which is below ours, is not to start
        "etc/init.d/S60upsmon": "", "etc/S60upsmon": (PACKAGE / "S60upsmon").read_text(),
        **KILLPOWER})
    board.expect("board up after", 240)
    board.shell()
    wait_for("the login", lambda: upsd.logins() == 1, 120)
    wait_for("ready", lambda: "]: ready, watching" in board.run("logread")[1], 120)

    pid = pid_of(board)
    assert "PPid:\t1\n" in board.run(f"cat /proc/{pid}/status")[1]
    board.run(f"kill -9 {pid}")
    wait_for("the next one", lambda: f"pid {pid} " not in board.run("upsmon -c status")[1] and
             board.run("upsmon -c status")[0] == 0, 120)
    wait_for("ready again", lambda: board.run("test -s /run/upsmon.pid")[0] == 0 and
             pid_of(board) != pid, 120)

    # back to the init script: this build cannot check a configuration, and it restarts all the same
    board.run("sed -i /respawn.*upsmon/d /etc/inittab; kill -HUP 1; upsmon -c stop")
    wait_for("its end", lambda: board.run("upsmon -c status")[0] == 3, 60)
    for verb, times in (("start", 1), ("restart", 2)):
        code, said = board.run(f"/etc/S60upsmon {verb}", 240)
        assert code == 0 and said.count("OK\n") == times, said

    low_battery(board, upsd)
    board.expect("upsdrvctl: shutdown", 240)
    assert board.expect_end() == 0
