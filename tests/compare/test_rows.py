"""Section 7, rows 7 to 20: what goes wrong in upsmon, in the peer and not in ours.

Each test runs twice: [peer] must show the failure, or is skipped with the reason why this peer
does not; [ours] must not. Rows 1 to 6 are about the pidfile: tests/system/test_instance.py.
"""

import os
import signal
import subprocess

import pytest

import peer
from lab.upsd import Upsd, wait_for
from rows import Case, polls, polls_in, within

PASSWORDS = {"a": "a b", "b": 'a"b', "c": "a#b", "d": "a\\b"}


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#") + '"'


@pytest.fixture(params=["peer", "ours"])
def case(request, place):
    case = Case(request.param, place)
    if not os.path.exists(case.binary):
        pytest.skip(f"there is no {case.binary}")
    with case.stack:
        yield case


@pytest.fixture
def clock(case):
    """The environment of a program whose wall clock the test sets: clock(seconds)."""
    library = case.dir / "clock.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, peer.HERE / "clock.c"],
                   check=True)
    jump = case.dir / "jump"

    def env(upsmon):
        upsmon.env.update(LD_PRELOAD=str(library), CLOCK_JUMP=str(jump))

    def jump_by(seconds):
        # as a whole: half a number is another one
        (case.dir / "new").write_text(str(seconds))
        (case.dir / "new").rename(jump)

    return env, jump_by


def test_row07_clean_stop_looks_like_a_failure(case):
    server = case.server()
    upsmon = case.make(server.port).run()
    polls(server, 2)
    assert upsmon.command("-c", "stop").returncode == 0
    wait_for("the end", lambda: upsmon.exited() is not None)
    case.verdict(7, upsmon.exited() != 0, "it exits with 0")


def test_row07_term_to_the_process_that_init_supervises(case):
    """It ends at once, and not cleanly; what it leaves behind says NOPARENT."""
    server = case.server()
    upsmon = case.make(server.port).run()
    polls(server, 2)
    os.kill(upsmon.processes()[0], signal.SIGTERM)
    wait_for("the end", lambda: upsmon.exited() is not None)
    orphans = upsmon.processes()
    case.verdict(7, upsmon.exited() != 0 or orphans, "it stops cleanly, and leaves nobody behind")


def test_row07_reload_by_the_supervisor(case):
    """HUP to the process that init supervises."""
    server = case.server()
    upsmon = case.make(server.port).run()
    polls(server, 2)
    upsmon.write(upsmon.conf.read_text() + 'NOTIFYMSG ONBATT "the new text"\n')
    os.kill(upsmon.processes()[0], signal.SIGHUP)
    if case.name == "ours":
        wait_for("the reload", lambda: "was read anew" in upsmon.log())
    polls(server, 2)
    server.status["ups"] = "OB"
    case.within(5, lambda: "ONBATT" in upsmon.events())
    case.verdict(7, [r[2] for r in upsmon.records()] != ["the new text"], "it reloads")


def in_hostsync(case, clock, seconds):
    """A primary that waits for a secondary that stays."""
    server = case.server()
    server.replies["GET NUMLOGINS"] = "NUMLOGINS ups 2"
    upsmon = case.make(server.port, HOSTSYNC=seconds)
    clock[0](upsmon)
    upsmon.run()
    polls(server, 2)
    server.status["ups"] = "OB LB"
    wait_for("it asks for the logins", lambda: len(server.said("GET NUMLOGINS")) >= 2)
    return upsmon


def test_row08_hostsync_is_over_when_the_clock_jumps(case, clock):
    """A board without RTC gets the time in the middle of a shutdown."""
    upsmon = in_hostsync(case, clock, 60)
    clock[1](40 * 365 * 86400)
    case.verdict(8, within(6, upsmon.down.exists), "it waits for its secondaries all the same")


def test_row08_hostsync_never_ends_when_the_clock_is_set_back(case, clock):
    upsmon = in_hostsync(case, clock, 5)
    clock[1](-3600)
    # HOSTSYNC 5 and FINALDELAY 1
    case.verdict(8, not case.within(10, upsmon.down.exists), "it goes down in time")


def test_row09_one_dead_host_blocks_the_others(case):
    server, dead = case.server(), case.server()
    dead.frozen = True
    upsmon = case.make(server.port, monitors=f"MONITOR x@127.0.0.1:{dead.port} 1 u p secondary")
    upsmon.run()
    polls(server, 1)
    # POLLFREQ 1
    case.verdict(9, polls_in(server, 8) <= 4, "it polls the other one in time")


def test_row10_a_refused_login_is_never_tried_again(case):
    server = case.server()
    server.replies["LOGIN"] = lambda line: None if server.said("LOGIN") else "ERR ACCESS-DENIED"
    upsmon = case.make(server.port).run()
    wait_for("the refusal", lambda: server.said("LOGIN"))
    polls(server, 2)
    # 30 s after the refusal
    tried = case.within(38, lambda: len(server.said("LOGIN")) > 1)
    assert upsmon.exited() is None
    case.verdict(10, not tried, "it logs in later")


def test_row11_pollfreqalert_is_lost(case):
    """One UPS is on battery; another one comes back on line."""
    server = case.server(a="OL", b="OL")
    upsmon = case.make(server.port, ups=("a", "b"), POLLFREQ=3, POLLFREQALERT=1).run()
    polls(server, 1, "b")
    server.status.update(a="OB", b="OB")
    wait_for("ONBATT", lambda: upsmon.events().count("ONBATT") == 2, 20)
    server.status["b"] = "OL"
    wait_for("ONLINE", lambda: "ONLINE" in upsmon.events(), 20)
    case.verdict(11, polls_in(server, 7, "a") <= 4, "it polls as fast as it is told")


def test_row12_two_upses_in_alarm_notify_at_every_poll(case):
    server = case.server(a="OL", b="OL")
    server.variables["ups.alarm"] = "Replace battery!"
    upsmon = case.make(server.port, ups=("a", "b")).run()
    polls(server, 1, "b")
    server.status.update(a="OL ALARM", b="OL ALARM")
    polls(server, 5, "b")
    if case.name == "ours":
        wait_for("both", lambda: upsmon.events().count("ALARM") >= 2)
        assert upsmon.events().count("ALARM") == 2
    count = upsmon.events().count("ALARM")
    case.verdict(12, count > 2, "it does not know ALARM" if not count else "it notifies once")


def test_row13_a_glitch_while_on_battery_shuts_down(case):
    server = case.server()
    upsmon = case.make(server.port, DEADTIME=60).run()
    polls(server, 1)
    server.status["ups"] = "OB"
    wait_for("ONBATT", lambda: "ONBATT" in upsmon.events())
    server.close()
    wait_for("COMMBAD", lambda: upsmon.finished() or "COMMBAD" in upsmon.events(), 20)
    server.open()
    within(20, lambda: upsmon.finished() or "COMMOK" in upsmon.events())
    case.verdict(13, within(3, upsmon.finished), "it waits for DEADTIME")


def test_row14_a_failed_shutdowncmd_is_never_tried_again(case):
    server = case.server()
    upsmon = case.make(server.port)
    upsmon.write(upsmon.conf.read_text().replace(f">>{upsmon.down}", f">>{upsmon.down}; exit 1"))
    upsmon.run()
    polls(server, 1)
    upsmon.command("-c", "fsd")
    wait_for("SHUTDOWNCMD", upsmon.down.exists, 20)
    again = case.within(9, lambda: len(upsmon.down.read_text().splitlines()) > 1)
    case.verdict(14, not again or upsmon.exited() is not None, "it stays, and tries again")


def test_row15_a_stale_powerdownflag_cuts_the_power(case):
    """The flag survives on flash; the next boot has another boot id and asks -K."""
    server = case.server()
    upsmon = case.make(server.port).run()
    polls(server, 1)
    upsmon.command("-c", "fsd")
    wait_for("SHUTDOWNCMD", upsmon.down.exists, 20)
    # NUT's own asks first whether it still runs, which it may for a moment
    wait_for("-K to say yes", lambda: upsmon.command("-K").returncode == 0)
    upsmon.end()
    boot_id = case.dir / "boot_id"
    boot_id.write_text("00000000-1111-2222-3333-444444444444\n")
    script = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'
    asked = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", boot_id, case.binary,
                            "-K"], env=upsmon.env, capture_output=True, check=False)
    # 32 would be mount's
    assert asked.returncode in (0, 1), asked.stderr
    case.verdict(15, asked.returncode == 0, "the flag of an earlier boot does not count")


def test_row16_passwords(case):
    """Passwords with a space, a quote, # or a backslash."""
    users = "".join(f"[user{ups}]\n password = {quoted(word)}\n upsmon primary\n"
                    for ups, word in PASSWORDS.items())
    with Upsd(case.dir / "upsd", ups=tuple(PASSWORDS), users=users) as upsd:
        upsmon = case.make(upsd.port, ups=(), monitors="\n".join(
            f"MONITOR {ups}@127.0.0.1:{upsd.port} 1 user{ups} {quoted(word)} primary"
            for ups, word in PASSWORDS.items()))
        upsmon.run()
        logged_in = case.within(8, lambda: all(upsd.logins(ups) == 1 for ups in PASSWORDS))
        case.verdict(16, not logged_in, "each of them logs in")


def test_row17_each_failed_poll_logs_a_line(case):
    server = case.server()
    upsmon = case.make(server.port).run()
    polls(server, 1)
    server.replies["GET VAR"] = "ERR DATA-STALE"
    polls(server, 2)
    before = len(upsmon.log().splitlines())
    polls(server, 5)
    case.verdict(17, len(upsmon.log().splitlines()) - before >= 4, "it logs once")


def test_row18_no_shutdown_by_charge(case):
    server = case.server()
    server.variables["battery.charge"] = "30"
    upsmon = case.make(server.port, extra="BATTERYLEVEL 50\n").run()
    polls(server, 1)
    server.status["ups"] = "OB"
    wait_for("ONBATT", lambda: "ONBATT" in upsmon.events())
    case.verdict(18, not case.within(8, upsmon.down.exists), "it shuts down by charge")


def test_row19_removed_directives_keep_their_value(case):
    server = case.server()
    upsmon = case.make(server.port)
    plain = upsmon.conf.read_text()
    upsmon.write(plain + 'NOTIFYMSG ONBATT "the old text"\n')
    upsmon.run()
    polls(server, 1)
    upsmon.write(plain)
    upsmon.command("-c", "reload")
    polls(server, 2)
    server.status["ups"] = "OB"
    wait_for("ONBATT", lambda: "ONBATT" in upsmon.events())
    case.verdict(19, upsmon.records()[0][2] == "the old text", "the default is back")


def test_row20_defaults_call_wall(case):
    """A board has no wall: nothing must try to start one, or complain."""
    server = case.server()
    upsmon = case.make(server.port, flag="")
    upsmon.env["ROOM_SETUP"] = ("for f in /usr/bin/wall /bin/wall; do "
                                "[ ! -e $f ] || mount --bind /dev/null $f || exit 99; done")
    upsmon.run()
    polls(server, 1)
    server.status["ups"] = "OB"
    polls(server, 3)
    case.verdict(20, "wall:" in upsmon.log(), "it does without")
