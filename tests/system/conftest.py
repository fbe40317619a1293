import os
import pathlib
import sys
import tempfile

import pytest

# of another folder's tests, in the same run, it may be there already
if "daemon" not in sys.modules:
    pytest.register_assert_rewrite("daemon")

from daemon import BINARIES, Daemon
from lab.upsd import Upsd


@pytest.fixture(params=list(BINARIES))
def binary(request):
    """Each test runs with the dynamic build and with the static uClibc-ng one."""
    path = BINARIES[request.param]
    assert path.exists(), f"{path} is missing: make build/{request.param}"
    return path


@pytest.fixture
def tmp_path():
    """In the place of pytest's: each pytest that starts closes /tmp/pytest-of-root to others, and
    the unprivileged half and the enemy are others."""
    with tempfile.TemporaryDirectory(prefix="system-", ignore_cleanup_errors=True) as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        yield path


@pytest.fixture
def memory():
    """A directory in memory: the state file is written nowhere else."""
    if not pathlib.Path("/dev/shm").is_dir():
        pytest.skip("no tmpfs at /dev/shm")
    directory = pathlib.Path(f"/dev/shm/nutlet-{os.getpid()}-{os.urandom(4).hex()}")
    directory.mkdir()
    yield directory
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()


@pytest.fixture
def upsd(tmp_path):
    with Upsd(tmp_path / "upsd") as server:
        yield server


@pytest.fixture
def make_daemon(binary, tmp_path):
    """Makes daemons; each is ended with the test."""
    made = []

    def make(name="daemon", **options):
        daemon = Daemon(binary, tmp_path / name, **options)
        made.append(daemon)
        return daemon

    yield make
    for daemon in made:
        daemon.end()


@pytest.fixture
def daemon(make_daemon, upsd):
    """One that watches the UPS of upsd as primary; not started yet."""
    return make_daemon(port=upsd.port)


@pytest.fixture
def in_memory(daemon, memory):
    daemon.live_in(memory)
    yield daemon
    # before its directory goes: it would put its files back
    daemon.end()
