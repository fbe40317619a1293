"""Both builds, a place in memory, and an end for everything that was started."""

import os
import pathlib
import sys
import tempfile
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(TOP / "tests" / "system"), str(TOP / "board" / "common"), str(HERE)]

from daemon import TYPES, Daemon  # noqa: E402 (the path comes first)
from figures import report  # noqa: E402
from processes import end_marked, mark_of  # noqa: E402

# another tree of builds, e.g. of a source that was broken on purpose
BUILD = pathlib.Path(os.environ.get("NUTLET_BUILD") or TOP / "build")
BINARIES = {"host": BUILD / "host" / "upsmon", "uclibc": BUILD / "host-uclibc" / "upsmon"}

# Nobody listens on port 1 of loopback: the first attempt fails at once, and the daemon is ready.
QUIET = ("MONITOR ups@127.0.0.1:1 1 u p primary\nSHUTDOWNCMD \"echo >>{down}\"\n"
         + "".join(f"NOTIFYFLAG {kind} IGNORE\n" for kind in TYPES))


PASSED = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """So that a fixture knows how its test ended: only what was shown is reported."""
    outcome = yield
    if call.when == "call":
        item.stash[PASSED] = outcome.get_result().passed


@pytest.fixture
def one_case(request):
    """Reports a test that is one case of a proof; its file says whose in PROOF."""
    began = time.monotonic()
    yield
    if request.node.stash.get(PASSED, False):
        name = request.node.originalname.removeprefix("test_").replace("_", " ")
        report(f"{request.module.PROOF}: {name}", rounds=1, seconds=time.monotonic() - began)


@pytest.fixture(params=list(BINARIES))
def binary(request):
    path = BINARIES[request.param]
    assert path.exists(), f"{path} is missing"
    return path


@pytest.fixture
def binaries():
    for path in BINARIES.values():
        assert path.exists(), f"{path} is missing"
    return list(BINARIES.values())


@pytest.fixture
def place():
    """In memory, as /run is; and one that the unprivileged half can reach."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="proof-", dir=memory) as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        yield path


@pytest.fixture
def make_quiet(place):
    """Makes daemons that watch a UPS nobody has, and are ready within milliseconds."""
    made = []

    def make(path, name="daemon"):
        daemon = Daemon(path, place / name)
        daemon.write(QUIET.format(down=daemon.down))
        made.append(daemon)
        return daemon

    yield make
    for daemon in made:
        end_marked(mark_of(daemon))


@pytest.fixture
def rooms(place):
    """Makes rooms (room.py), and ends them with all that is in them."""
    from room import Room
    made = []

    def make(name="room", **options):
        made.append(Room(place, name, **options))
        return made[-1]

    yield make
    for room in reversed(made):
        room.end()
