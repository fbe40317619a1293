"""Every count of the soak tests on a board: a quick try, or the full ones with NUTLET_SOAK=1."""

import os

SOAK = os.environ.get("NUTLET_SOAK", "") not in ("", "0")


def _count(quick, soak):
    return soak if SOAK else quick


# Each of the long tests comes in so many parts, which run side by side (pytest -n 2).
PARTS = 2

# The board that they run on; conftest.py knows it.
BOARD = ""

# -- test_power_cuts.py: cuts in a row on one flash, in each part; make soak N=100: in all
CUTS = int(os.environ.get("SOAK_CUTS") or PARTS * _count(4, 25)) // PARTS
# -- test_board_kills.py: kill -9, in each part
KILLS = _count(3, 50)
# -- test_board_reuse.py: how often each stranger stands on the pid of a dead daemon
REUSE_ROUNDS = _count(2, 10)
# -- test_board_upgrade.py
UPGRADES = _count(3, 50)
# each of the broken programs, so often
BROKEN_ROUNDS = _count(1, 3)

# What is random begins here; SOAK_SEED=n plays another game, and each test prints its own.
SEED = int(os.environ.get("SOAK_SEED", "2463"))

# After a cut or a kill, upsmon is ready and alone within so many seconds.  init's entry sleeps for
# 3 s after a death; a monitor that dies young is replaced after up to 10 s.
READY_SECONDS = 30
