"""upsmon -c upgrade on the board: /usr/sbin/upsmon is replaced, and the daemon goes on with it.

The root file system is in memory, and writable.  Nobody notices: the pid stays, and upsd sees a
login at each moment.  A program that is cut off leaves the old one running.
"""

import re
import time

import pytest

import soak_counts
from figures import report
from lab.upsd import wait_for


@pytest.fixture
def ready(switch_on, soak, upsd, helper):
    board = switch_on(helper).boot().shell()
    wait_for("the board's login", lambda: upsd.logins() == 1, 20)
    return soak(board)


def still_protected(ready, upsd):
    upsd.set_status("OB LB DISCHRG")
    ready.board.expect("rcK: POWERDOWNFLAG is set: killpower", 60)
    assert ready.board.expect_end(30) == 0


def test_upgrades(ready, upsd):
    began = time.monotonic()
    pid = ready.ready()
    output = ready.run("upgrade", soak_counts.UPGRADES, seconds=60 + 10 * soak_counts.UPGRADES)
    times = [float(after) - float(before)
             for before, after in re.findall(r"SOAK UPGRADED ([\d.]+) ([\d.]+)", output)]
    assert len(times) == soak_counts.UPGRADES
    assert ready.ready() == pid
    wait_for("one login", lambda: upsd.logins() == 1)
    fewest = upsd.login_history()[2]
    assert fewest >= 1
    report(f"board {soak_counts.BOARD}: upgrades on the way", rounds=len(times), fewest_logins=fewest,
           max_upgrade_seconds=max(times), seconds=time.monotonic() - began)
    still_protected(ready, upsd)


def test_broken_program(ready, upsd):
    began = time.monotonic()
    pid, rounds = ready.ready(), 0
    size = int(ready.board.run("stat -c %s /usr/sbin/upsmon")[1])
    for _ in range(soak_counts.BROKEN_ROUNDS):
        for length in (0, 1, 100, size // 10, size // 2, size * 9 // 10):
            output = ready.run("broken", length, seconds=90)
            assert "SOAK REFUSED upsmon: /usr/sbin/upsmon" in output, output
            assert ready.ready() == pid
            rounds += 1
    assert upsd.login_history()[:2] == (1, 0)
    # and then a whole one
    ready.run("upgrade", 1)
    assert ready.ready() == pid and upsd.login_history()[2] >= 1
    report(f"board {soak_counts.BOARD}: upgrades to a program that is cut off", rounds=rounds, upgraded=0,
           seconds=time.monotonic() - began)
    still_protected(ready, upsd)
