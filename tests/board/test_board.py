"""The image as it ships, on a board in QEMU, with a real upsd and real power cuts."""

import pytest

from lab.board import READY
from lab.upsd import wait_for

INIT = "/etc/init.d/S60upsmon"


def protects(board, upsd):
    """The proof of it all: the battery runs low, and the board switches itself off."""
    wait_for("the board's login", lambda: upsd.logins() == 1, 60)
    upsd.set_status("OB LB DISCHRG")
    board.expect("UPS ups@upsd: FSD is set")
    assert upsd.status() == "FSD OB LB DISCHRG"
    board.expect("POWERDOWNFLAG /run/killpower is written")
    board.expect("rcK: POWERDOWNFLAG is set: killpower")
    assert board.expect_end() == 0


def pid_of(board):
    code, output = board.run("cat /run/nut/upsmon.pid")
    assert code == 0
    return int(output.split()[0])


def test_boot_to_ready(board, upsd):
    assert upsd.logins() == 1
    assert board.run(f"{INIT} status")[0] == 0
    pid = pid_of(board)
    # the pid in the file is the one that init sees: its child, and root
    output = board.run(f"cat /proc/{pid}/status")[1]
    assert "Name:\tupsmon" in output and "PPid:\t1\n" in output and "Uid:\t0\t" in output
    # pidof and start-stop-daemon know it by its name
    assert str(pid) in board.run("pidof upsmon")[1].split()
    assert board.run("start-stop-daemon -K -t -q -n upsmon -p /run/nut/upsmon.pid")[0] == 0
    wait_for("the log", lambda: f"upsmon[{pid}]: ready, watching 1 UPS" in board.run("logread")[1])
    # what others say on the console is no part of a command's output
    assert board.run("echo upsmon: hello >/dev/console; echo 7; (exit 3)") == (3, "7\n")


def test_privileges(board):
    """The filter has the numbers of one architecture: with others the monitor would not get here."""
    guard = pid_of(board)
    monitor = int(board.run(f"cat /proc/{guard}/task/{guard}/children")[1].split()[0])
    of = {pid: board.run(f"cat /proc/{pid}/status")[1] for pid in (guard, monitor)}
    assert "CapEff:\t0000000000000000\n" in of[monitor] and "NoNewPrivs:\t1\n" in of[monitor]
    if "Seccomp:" not in of[guard]:
        pytest.skip("this kernel has no filters")
    assert "Seccomp:\t2\n" in of[guard] and "Seccomp:\t2\n" in of[monitor]


def test_low_battery_to_power_off(board, upsd):
    upsd.set_status("OB DISCHRG")
    board.expect("UPS ups@upsd on battery")
    protects(board, upsd)


def test_led_and_log_of_the_notify_script(board, upsd):
    code, leds = board.run("ls -d /sys/class/leds/*")
    if code != 0:
        pytest.skip("this board has no LED")
    led = leds.split()[0]
    # a kernel that cannot blink lights it
    shown = ("[timer]", "") if "timer" in board.run(f"cat {led}/trigger")[1] else ("[none]", "1\n")

    def shows(trigger, brightness):
        return trigger in board.run(f"cat {led}/trigger")[1] and \
            board.run(f"cat {led}/brightness")[1].endswith(brightness)

    upsd.set_status("OB DISCHRG")
    wait_for("light", lambda: shows(*shown), 60)
    upsd.set_status("OL")
    wait_for("dark", lambda: shows("[none]", "0\n"), 60)
    for text in ("ONBATT: UPS ups@upsd on battery", "ONLINE: UPS ups@upsd on line power"):
        wait_for(text, lambda t=text: f"upsmon-notify: {t}" in board.run("logread")[1], 60)


@pytest.mark.parametrize("status", ["OL", "OB"])
def test_guard_killed(board, upsd, status):
    """init sees the end of what it supervises, and starts it again."""
    pid = pid_of(board)
    upsd.set_status(status)
    board.run(f"kill -9 {pid}")
    board.expect(rf"upsmon: found a stale pidfile: nobody has pid {pid}; it will be replaced")
    board.expect(READY)
    protects(board, upsd)


def test_monitor_killed(board, upsd):
    pid = pid_of(board)
    upsd.set_status("OB DISCHRG")
    board.expect("UPS ups@upsd on battery")
    wait_for("the notify script", lambda: "upsmon-notify: ONBATT" in board.run("logread")[1], 60)
    monitor = int(board.run(f"cat /proc/{pid}/task/{pid}/children")[1].split()[0])
    board.run(f"kill -9 {monitor}")
    wait_for("the next one", lambda: "takes over where the last one stopped" in
             board.run("logread")[1], 60)
    assert pid_of(board) == pid
    assert board.run("logread")[1].count("upsmon-notify: ONBATT") == 1
    protects(board, upsd)


def test_stop_and_start_by_the_init_fragment(board, upsd):
    pid = pid_of(board)
    code, output = board.run(f"{INIT} stop")
    assert code == 0 and "upsmon: stopped" in output
    # its logout comes through QEMU's network
    wait_for("the logout", lambda: upsd.logins() == 0)
    # init leaves it down
    board.run("sleep 5")
    code, output = board.run(f"{INIT} status")
    assert code == 3 and "upsmon is not running" in output
    # a start that has something to log before it closes what it does not know, the log included
    other = "NUT_PIDPATH=/run/other upsmon"
    assert board.run(f"mkdir /run/other; NUTLET_READY_FD=99 {other} -p")[0] == 0
    assert board.run("cat /run/other/upsmon.pid")[0] == 0
    assert board.run(f"{other} -c stop")[0] == 0
    log = board.run("logread")[1]
    assert "NUTLET_READY_FD=99" in log and "was removed or linked" not in log
    code, output = board.run(f"{INIT} start")
    assert code == 0 and "upsmon: started" in output
    assert pid_of(board) != pid
    code, output = board.run(f"{INIT} start")
    assert code == 0 and "already there: upsmon is running" in output
    code, output = board.run(f"{INIT} restart")
    assert code == 0 and "upsmon: stopped" in output and "upsmon: started" in output
    protects(board, upsd)


def test_reload_by_the_init_fragment(board, upsd):
    board.run("echo 'NOTIFYMSG ONBATT \"changed %s\"' >>/etc/nut/upsmon.conf")
    assert board.run(f"{INIT} reload")[0] == 0
    wait_for("the reload", lambda: "was read anew" in board.run("logread")[1], 60)
    upsd.set_status("OB DISCHRG")
    board.expect("upsmon: changed ups@upsd")
    board.run("echo MONITOR x >>/etc/nut/upsmon.conf")
    board.run(f"{INIT} reload")
    wait_for("the refusal", lambda: "the configuration stays as it was" in
             board.run("logread")[1], 60)
    protects(board, upsd)


def test_upgrade_by_the_init_fragment(board, upsd):
    pid = pid_of(board)
    board.run("cp /usr/sbin/upsmon /usr/sbin/upsmon.new; mv /usr/sbin/upsmon.new /usr/sbin/upsmon")
    code, output = board.run(f"{INIT} upgrade")
    assert code == 0 and "upgraded to nutlet upsmon" in output
    assert pid_of(board) == pid
    wait_for("one login", lambda: upsd.logins() == 1)
    assert upsd.login_history()[2] >= 1
    protects(board, upsd)


def test_row20_no_wall_on_a_board(board, upsd):
    """Row 20: defaults call `wall`, which no board has."""
    assert board.run("which wall")[0] != 0
    board.run("sed -i '/^NOTIFY/d' /etc/nut/upsmon.conf")
    board.run(f"{INIT} reload")
    upsd.set_status("OB DISCHRG")
    board.expect("UPS ups@upsd on battery")
    log = board.run("logread")[1]
    assert "wall" not in log and "cannot start" not in log
    protects(board, upsd)


def test_start_with_a_broken_configuration_says_why(board):
    board.run(f"{INIT} stop")
    board.run("cp /etc/nut/upsmon.conf /tmp/good; echo MONITOR x >>/etc/nut/upsmon.conf")
    code, output = board.run(f"{INIT} start")
    assert code == 1 and "not started; its reasons:" in output
    assert "error: expected: MONITOR" in output
    # init tries on, so mending the file is enough
    board.run("cp /tmp/good /etc/nut/upsmon.conf")
    board.expect(READY)


def test_without_a_line_in_inittab(board, upsd):
    """As in an image of somebody else's: the fragment runs it in the background."""
    board.run(f"{INIT} stop")
    board.run("sed -i /supervise/d /etc/inittab")
    code, output = board.run(f"{INIT} start")
    assert code == 0 and "upsmon: started" in output
    assert board.run(f"{INIT} status")[0] == 0
    code, output = board.run(f"{INIT} start")
    assert code == 0 and "already there" in output
    assert board.run(f"{INIT} stop")[0] == 0
    assert board.run(f"{INIT} status")[0] == 3
    # cron leaves it alone if it was stopped on purpose, and heals whatever else ended it
    code, output = board.run(f"{INIT} heal")
    assert code == 0 and "stopped on purpose" in output
    assert board.run(f"{INIT} status")[0] == 3
    assert board.run(f"{INIT} start")[0] == 0
    assert board.run(f"{INIT} heal") == (0, "")
    board.run("kill -9 $(cat /run/nut/upsmon.pid)")
    wait_for("its end", lambda: board.run(f"{INIT} status")[0] == 1, 60)
    code, output = board.run(f"{INIT} heal")
    assert code == 0 and "found a stale pidfile" in output and "started" in output
    wait_for("the board's login", lambda: upsd.logins() == 1, 60)
    # -B lets go of the console, so only upsd and init are left to tell
    upsd.set_status("OB LB DISCHRG")
    board.expect("rcK: POWERDOWNFLAG is set: killpower")
    assert board.expect_end() == 0


@pytest.mark.parametrize("status", ["OL", "OB DISCHRG"])
def test_the_clock_jumps(board, upsd, status):
    """A board without a clock starts in 1970, until NTP answers; and some go back, or far ahead."""
    board.run(f"date -s @100; {INIT} restart")
    wait_for("the board's login", lambda: upsd.logins() == 1, 60)
    says = {"OL": "UPS ups@upsd on line power", "OB DISCHRG": "UPS ups@upsd on battery"}
    if status != "OL":
        upsd.set_status(status)
        board.expect(says[status])
    for when in (1795651200, 200, 4102444800):
        assert board.run(f"date -s @{when}")[0] == 0
        # the watch goes on
        for now in (*(set(says) - {status}), status):
            upsd.set_status(now)
            board.expect(says[now])
    log = board.run("logread | grep 'upsmon\\[' | sed '1,/: stopped/d'")[1]
    assert "ready, watching" in log
    for word in ("lost", "unavailable", "FSD", "replaced", "does not answer"):
        assert word not in log, word
    assert upsd.logins() == 1
    protects(board, upsd)


@pytest.mark.parametrize("status", ["OL", "OB DISCHRG"])
def test_a_suspend(board, upsd, status):
    """The board sleeps for longer than DEADTIME, and the mains are there when it wakes up."""
    if "freeze" not in board.run("cat /sys/power/state")[1] or \
            board.run("ls /sys/class/rtc/rtc0/wakealarm")[0] != 0:
        pytest.skip("this board cannot sleep, or nothing wakes it up")
    if status != "OL":
        upsd.set_status(status)
        board.expect("UPS ups@upsd on battery")
    board.run("dmesg -n 8; { sleep 1; echo +40 >/sys/class/rtc/rtc0/wakealarm; "
              "echo mem >/sys/power/state; } </dev/null >/dev/null 2>&1 & true")
    board.expect("PM: suspend entry")
    upsd.set_status("OL")
    board.expect("PM: suspend exit")
    if status != "OL":
        wait_for("the mains", lambda: "ups@upsd on line power" in board.run("logread")[1], 60)
    assert board.run("cat /sys/power/suspend_stats/success")[1].split() == ["1"]
    log = board.run("logread | grep 'upsmon\\['")[1]
    for word in ("lost", "unavailable", "FSD", "replaced", "does not answer"):
        assert word not in log, word
    # not to its end: QEMU's PC does not switch itself off after a suspend
    upsd.set_status("OB LB DISCHRG")
    board.expect("POWERDOWNFLAG /run/killpower is written")
    board.expect("rcK: POWERDOWNFLAG is set: killpower")


# What is still writable when the UPS may be switched off.
KILLPOWER = """#!/bin/sh
echo hook: writable: $(grep -E " (ext4|jffs2) rw" /proc/mounts) .
"""


def test_killpower_comes_when_nothing_is_writable(switch_on, upsd, tmp_path):
    board = switch_on({"/etc/killpower": KILLPOWER}, disk=tmp_path / "flash").boot().shell()
    assert " /data " in board.run("/etc/killpower")[1]
    wait_for("the board's login", lambda: upsd.logins() == 1, 60)
    upsd.set_status("OB LB")
    board.expect("rcK: POWERDOWNFLAG is set: killpower")
    board.expect(r"hook: writable: \.")
    board.expect("rcK: all is down")
    assert board.expect_end() == 0


@pytest.mark.parametrize("wanted", ["yes", "no"])
def test_watchdog(switch_on, wanted):
    board = switch_on({"/etc/nut/board.conf": f"WATCHDOG={wanted}\n"}).boot().shell()
    if board.run("test -c /dev/watchdog")[0] != 0:
        pytest.skip("this board has no watchdog")
    code, pid = board.run("pidof watchdog")
    assert (code == 0) == (wanted == "yes")
    if code == 0:
        assert "/dev/watchdog" in board.run(f"ls -l /proc/{pid.strip()}/fd")[1]


# As careless products do it: the pidfile on flash.
ON_FLASH = {"/etc/default/upsmon": "UPSMON_STDERR=/dev/console\nNUT_PIDPATH=/data/nut\n"}

# Before upsmon starts, its old number goes to somebody else.
RECYCLE = """#!/bin/sh
read -r pid </data/nut/upsmon.pid || exit 0
if [ "$1" = start ]; then
	echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
	sleep 100000 &
	echo "recycled: pid $! goes to sleep, upsmon had $pid"
fi
"""


def test_stale_pidfile_after_a_power_cut(switch_on, upsd, tmp_path):
    """The reason for this project, on a board, with a real power cut."""
    flash = tmp_path / "flash"
    board = switch_on(ON_FLASH, disk=flash).boot().shell()
    code, output = board.run("cat /data/nut/upsmon.pid && sync")
    assert code == 0
    pid = int(output.split()[0])
    assert "/data/nut is not in memory (tmpfs)" in board.text
    board.cut_power()
    wait_for("the end of its login", lambda: upsd.logins() == 0, 60)

    board = switch_on({**ON_FLASH, "/etc/init.d/S10recycle": RECYCLE}, disk=flash)
    board.expect(rf"recycled: pid {pid} goes to sleep, upsmon had {pid}\r", 240)
    board.expect(rf"upsmon: stale pidfile: pid {pid} belongs to sleep and is not upsmon")
    board.expect(READY)
    board.shell()
    # it is in the log, too, and the stranger was left alone
    assert f"pid {pid} belongs to sleep and is not upsmon" in board.run("logread")[1]
    assert board.run(f"cat /proc/{pid}/comm")[1].startswith("sleep")
    assert int(board.run("cat /data/nut/upsmon.pid")[1].split()[0]) != pid
    protects(board, upsd)
