"""Every count of the proofs: small ones for each `make test`, the full ones with NUTLET_SOAK=1."""

import os

SOAK = os.environ.get("NUTLET_SOAK", "") not in ("", "0")


def _count(each_time, soak):
    return soak if SOAK else each_time


# -- test_races.py: rounds of each race, and who takes part in one
RACE_ROUNDS = _count(100, 1000)
# They are dealt out to so many tests, which run side by side: a round is mostly the half second
# that a start waits before it is refused.
RACE_HANDS = 4
RACE_STARTS = 20
RACE_STARTERS = 6
RACE_RIVALS = 6
# A round of NUT's upsmon is slower, and is only reported.
NUT_ROUNDS = _count(20, 1000)

# -- test_crash.py: every so many-th system call is a crash point; 1 is every one of them
CRASH_STEP = _count(2, 1)
# The points are dealt out to so many tests, which run side by side.
CRASH_HANDS = 4
# An upgrade makes some 500 calls in all its processes.
UPGRADE_CRASH_STEP = _count(6, 1)
# A start that is refused costs half a second: it is tried after every so many-th point.
REFUSED_EVERY = 5
# test_moments.py: every so many-th call of a start is a moment at which somebody else acts.
MOMENT_STEP = _count(8, 1)
UPGRADE_MOMENT_STEP = _count(10, 1)
# Upsmon is there again, alone, and nothing of the dead one is left, within so many seconds.
CRASH_SECONDS = 1.0
# kill -9 and a start in the same breath
KILL_ROUNDS = _count(100, 1000)

# -- test_pid_reuse.py: how often each stranger stands on the pid of a dead daemon
REUSE_ROUNDS = _count(3, 30)
# Every n-th system call of a command is a point where the pid changes hands.
HANDOVER_STEP = _count(5, 1)

# -- test_upgrades.py: upgrades in a row; with a broken program now and then; with -p
UPGRADES = _count(100, 1000)
UPGRADES_BROKEN = _count(60, 600)
UPGRADES_ONE_PROCESS = _count(60, 600)

# -- test_containers.py, test_nut.py: how often each case is played
ROOM_ROUNDS = _count(1, 10)
