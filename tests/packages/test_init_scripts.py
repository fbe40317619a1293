"""The scripts that people and cron call: what only they can be asked for."""

import pytest

from init_machine import TOP
from init_scenario import configure, started, supervisor, text_of, upsmon_is_ready
from lab.upsd import Upsd, wait_for

__all__ = ["supervisor"]    # the fixture
pytestmark = pytest.mark.root


def by(name):
    return pytest.mark.parametrize("supervisor", [name], indirect=True)


def codes(supervisor, *actions):
    return [supervisor.run(supervisor.script, action).returncode for action in actions]


@by("sysv")
def test_lsb_exit_codes(supervisor, tmp_path):
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        assert codes(supervisor, "status", "reload", "try-restart", "stop", "nonsense") == \
            [3, 7, 0, 0, 2]
        configure(machine, upsd.port)
        first = started(supervisor)
        assert codes(supervisor, "start", "status", "reload", "force-reload") == [0, 0, 0, 0]
        assert machine.pid() == first
        assert codes(supervisor, "restart") == [0]
        second = machine.pid()
        assert second not in (None, first)
        assert codes(supervisor, "try-restart") == [0]
        assert machine.pid() not in (None, first, second)
        machine.kill(machine.pid())
        wait_for("dead, and a pidfile left", lambda: codes(supervisor, "status") == [1])
        machine.path("/usr/sbin/upsmon").unlink()
        assert codes(supervisor, "start", "stop", "status") == [5, 0, 4]


@by("sysv")
def test_heal_brings_it_back_unless_it_was_stopped(supervisor, tmp_path):
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        first = started(supervisor)
        assert codes(supervisor, "heal") == [0]
        assert machine.pid() == first
        machine.kill(first)
        assert codes(supervisor, "heal") == [0]
        assert machine.pid() not in (None, first)
        assert codes(supervisor, "stop", "heal") == [0, 0]
        assert machine.pid() is None
        assert codes(supervisor, "start", "stop", "start", "heal") == [0, 0, 0, 0]


@by("sysv")
def test_poweroff_switches_the_ups_off_only_in_a_power_failure(supervisor, tmp_path):
    machine = supervisor.machine
    machine.write("/etc/killpower", "#!/bin/sh\n: >/tmp/killed\n", 0o755)
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port, extra="POWERDOWNFLAG /run/killpower\n")
        started(supervisor)
        assert codes(supervisor, "poweroff") == [0]
        assert not machine.path("/tmp/killed").exists()
        assert machine.upsmon("-c", "fsd").returncode == 0
        wait_for("POWERDOWNFLAG", lambda: machine.upsmon("-K").returncode == 0)
        assert codes(supervisor, "poweroff") == [0]
        assert machine.path("/tmp/killed").exists()


@by("openrc")
def test_openrc_never_gives_up(supervisor, tmp_path):
    """supervise-daemon's own limit is ten deaths."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        pid = started(supervisor)
        for _ in range(11):
            machine.kill(pid)
            pid = upsmon_is_ready(supervisor, but=pid)


@by("openrc")
def test_openrc_refuses_beside_another_upsmon(supervisor, tmp_path):
    """And does not wait for it: the boot would wait, too."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.run("mkdir", "/run/nut")
        machine.run("sh", "-c", "/usr/sbin/upsmon -B >/dev/null 2>&1")
        other = machine.pid()
        result = supervisor.start()
        assert result.returncode == 1
        assert f"pid {other} holds the lock" in text_of(result)
        assert machine.pid() == other
        assert machine.upsmon("-c", "stop").returncode == 0
        assert started(supervisor) != other


@by("busybox")
def test_rcs_starts_it_where_init_does_not(supervisor, tmp_path):
    """The fragment for rcS, without a line in inittab."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.write("/etc/init.d/rcS.upsmon",
                      "#!/bin/sh\n" + (TOP / "board/init/busybox/rcS").read_text(), 0o755)
        result = supervisor.run("sh", "-c", "/etc/init.d/rcS.upsmon >/dev/null 2>&1")
        assert result.returncode == 0
        assert machine.pid()
