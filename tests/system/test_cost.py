"""What the watch costs while nothing happens, by tests/bench/bench.py."""

import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(TOP / "tests" / "bench"), str(TOP / "tests" / "compare")]

import bench  # noqa: E402 (the path comes first)


@pytest.mark.root
def test_one_poll(daemon, upsd, tmp_path):
    """Both processes together; and the guard sleeps through most of them."""
    daemon.started()
    daemon.monitor()
    calls = bench.traced([daemon.pid(), daemon.monitor()], 12, tmp_path)
    each, _, names = bench.per_poll(calls)
    assert sum("GET VAR" in rest for _, rest in calls) >= 4, "the machine is too busy to tell"
    assert each <= 8, names
