"""A thousand UPSes, a tenth of them on dead hosts: `make load` has the figures."""

import sys

import pytest

from daemon import BUILD, Daemon
from lab.board import TOP
from lab.upsd import PRIMARY, Upsd, wait_for

sys.path += [str(TOP / "tests" / "bench"), str(TOP / "tests" / "compare")]

import bench  # noqa: E402 (the path comes first)

pytestmark = pytest.mark.root


def test_a_thousand(tmp_path):
    """Each that lives is polled, and none waits for a dead one: a connect of these takes 10 s."""
    with Upsd(tmp_path / "upsd", listen="0.0.0.0") as upsd, bench.DeadHosts(100) as dead:
        daemon = Daemon(BUILD / "many/host-uclibc/upsmon", tmp_path / "daemon", port=upsd.port)
        lines = [f"MONITOR ups@127.0.{i // 250}.{i % 250 + 1}:{upsd.port} 0 {PRIMARY[0]} "
                 f"{PRIMARY[1]} primary\n" for i in range(1, 900)]
        lines += [f"MONITOR ups@{host} 0 u p secondary\n" for host in dead.hosts]
        daemon.write("".join(lines) + daemon.conf.read_text() + "POLLFREQ 5\nPOLLFREQALERT 5\n")
        try:
            daemon.run()
            wait_for("900 logins", lambda: upsd.logins() == 900, 120)
            late = sorted(bench.gaps({upsd.port}, 16, 5, 900))
            assert len(late) >= 900 and late[-1] < 2000
            upsd.set_status("OB LB")
            daemon.wait_down(60)
        finally:
            daemon.end()
