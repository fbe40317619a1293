"""kill -9 of the guard, of the monitor, or of whoever is called upsmon, at random moments.

init starts the guard again, the guard the monitor; each time there is one of both, and one login.
"""

import collections
import time

import pytest

import soak_counts
from figures import report
from lab.board import PROMPT
from lab.upsd import wait_for
from soak_lab import HELPER

VICTIMS = ["guard", "guard", "monitor", "monitor", "any"]
# A burst of kills hits what the one before has just started.
BURSTS = [1, 1, 1, 2, 3]


def burst(dice, most):
    """Victims, and how many milliseconds after the one before."""
    first = True
    for _ in range(min(dice.choice(BURSTS), most)):
        yield dice.choice(VICTIMS)
        # a guard is back after 3 to 5 s
        yield str(dice.randrange(0, 3000 if first else 5000))
        first = False


@pytest.mark.parametrize("part", range(soak_counts.PARTS))
def test_kills(switch_on, soak, upsd, dice, helper, part):
    began = time.monotonic()
    board = switch_on(helper).boot().shell()
    soak(board).ready()
    wait_for("the board's login", lambda: upsd.logins() == 1, 20)
    killed, slowest, bursts = collections.Counter(), collections.Counter(), 0
    while sum(killed.values()) < soak_counts.KILLS:
        logins = upsd.login_history()[0]
        words = list(burst(dice, soak_counts.KILLS - sum(killed.values())))
        board.console.send(f"{HELPER} kill {' '.join(words)}\r")
        for _ in words[::2]:
            match = board.expect(r"SOAK (FAILED|KILLED (\w+) \d+)", 60)
            assert match.group(2), board.expect(PROMPT, 20) and board.text[-3000:]
            killed[match.group(2)] += 1
        start = time.monotonic()
        match = board.expect(r"SOAK (FAILED|READY uptime=[\d.]+ pid=(\d+)\.)", 90)
        assert match.group(2), board.expect(PROMPT, 20) and board.text[-3000:]
        if set(words[::2]) != {"any"}:
            wait_for("a new login", lambda: upsd.login_history()[0] > logins, 20)
        wait_for("one login", lambda: upsd.logins() == 1, 20)
        seconds = time.monotonic() - start
        slowest[words[-2]] = max(slowest[words[-2]], seconds)
        assert seconds < soak_counts.READY_SECONDS
        board.expect(PROMPT, 20)
        bursts += 1
    # nothing has come of it meanwhile: still one
    soak(board).ready()
    report(f"board {soak_counts.BOARD}: kill -9 at random moments", rounds=sum(killed.values()),
           bursts=bursts, seconds=time.monotonic() - began,
           **{f"killed_{victim}": n for victim, n in sorted(killed.items())},
           **{f"max_seconds_to_ready_after_{victim}": n for victim, n in sorted(slowest.items())})

    upsd.set_status("OB LB DISCHRG")
    board.expect("rcK: POWERDOWNFLAG is set: killpower", 60)
    assert board.expect_end(30) == 0
