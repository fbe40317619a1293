"""Soak tests on a board: days of a board's life, in ten minutes.  Not a part of `make test`.

They run with NUTLET_SOAK=1, and then with their full counts; or, with small ones, where this folder
is named:

    NUTLET_SOAK=1 pytest tests/board/soak -n 2
    pytest tests/board/soak -n 2
"""

import pathlib
import random
import sys

import pytest

from lab.board import BOARD_UP, TOP

import soak_counts
from soak_lab import HELPER, Soak

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(TOP / "tests" / "proof"))


def is_ours(path):
    return HERE in (path, *path.parents)


def part_of(item):
    parameters = getattr(item, "callspec", None)
    return parameters.params.get("part", soak_counts.PARTS) if parameters else soak_counts.PARTS


def pytest_collection_modifyitems(config, items):
    soak_counts.BOARD = config.getoption("--board")
    # the long ones first, the parts of each on different workers, and the short ones fill the gaps
    ours = [item for item in items if is_ours(item.path)]
    items[:] = [item for item in items if item not in ours] + sorted(ours, key=part_of)
    named = any(is_ours(pathlib.Path(arg.split("::")[0]).resolve()) for arg in config.args)
    if soak_counts.SOAK or named:
        return
    for item in ours:
        item.add_marker(pytest.mark.skip(reason="a soak test: NUTLET_SOAK=1 runs it"))


@pytest.fixture
def dice(request):
    """A source of chance of this test's own; its seed stands in the output of a failure."""
    print(f"seed: SOAK_SEED={soak_counts.SEED}")
    return random.Random(f"{soak_counts.SEED} {request.node.name}")


@pytest.fixture
def rootfs(request):
    """The text of a file as the image has it."""
    root = TOP / "build" / request.config.getoption("--board") / "rootfs"
    return lambda path: (root / path.lstrip("/")).read_text()


@pytest.fixture
def helper(rootfs):
    """The files that every soak test puts into its image."""
    return {HELPER: (HERE / "soak.sh").read_text()}


@pytest.fixture
def soak(upsd):
    return lambda board: Soak(board, upsd)


@pytest.fixture
def unsupervised(switch_on, rootfs, helper, soak):
    """A board whose init leaves upsmon alone: the test starts it itself."""
    inittab = "".join(line for line in rootfs("/etc/inittab").splitlines(True)
                      if "supervise" not in line or line.startswith("#"))
    board = switch_on({**helper, "/etc/inittab": inittab})
    board.expect(BOARD_UP, 90)
    board.shell()
    assert board.run("/etc/init.d/S60upsmon stop; rm -f /run/nut/upsmon.pid")[0] == 0
    return soak(board)
