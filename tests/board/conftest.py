import pathlib
import sys

import pytest

# certificates, and an upsd that has one
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tls"))

from lab.board import Board, board_conf, variant
from lab.upsd import Upsd

# What is tested of a board that QEMU has not, and the first one of no other.
WITHOUT_QEMU = ["test_appliances.py", "test_image.py"]


def pytest_collection_modifyitems(config, items):
    here = pathlib.Path(__file__).resolve().parent
    without = "QEMU" not in board_conf(config.getoption("--board"))

    def is_wanted(item):
        if here not in item.path.parents:
            return True
        return item.path.name in WITHOUT_QEMU if without else item.path.name != WITHOUT_QEMU[0]

    items[:] = [item for item in items if is_wanted(item)]


@pytest.fixture
def name(request):
    """The board's."""
    return request.config.getoption("--board")


@pytest.fixture
def upsd(tmp_path):
    with Upsd(tmp_path / "upsd") as server:
        yield server


@pytest.fixture
def switch_on(name, tmp_path, upsd):
    """Switches boards on; what still runs at the end of the test is cut off."""
    boards = []

    def on(files=None, board=name, **options):
        if files:
            options["image"] = variant(name, files, tmp_path / f"variant{len(boards)}.cpio.gz")
        boards.append(Board(board, upsd_port=upsd.port, log=tmp_path / "console.log", **options))
        return boards[-1]

    yield on
    for board in boards:
        board.stop()


@pytest.fixture
def board(switch_on):
    """A board that is up, watched over, and has a shell."""
    return switch_on().boot().shell()
