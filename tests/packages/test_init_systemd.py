"""systemd's unit: what only systemd can be asked for."""

import pytest

from init_scenario import CONF, configure, started, supervisor, text_of, upsmon_is_ready
from init_supervisors import ALL
from lab.upsd import Upsd, wait_for

__all__ = ["supervisor"]    # the fixture
pytestmark = pytest.mark.root

SYSTEMD = [name for name, adapter in ALL.items() if adapter.init == "systemd"]
of_systemd = pytest.mark.parametrize("supervisor", SYSTEMD, indirect=True)
of_one = pytest.mark.parametrize("supervisor", ["systemd-257"], indirect=True)


def complaints(supervisor):
    """Of systemd-analyze verify; it looks at the units of others, too."""
    result = supervisor.run("systemd-analyze", "verify", "--man=no", "nut-monitor.service")
    found = [line for line in text_of(result).splitlines() if "nut-monitor" in line]
    return found or result.returncode


@of_systemd
def test_the_unit_is_sound(supervisor):
    assert not complaints(supervisor)
    # exposure in tenths; the README has what was measured
    threshold = {"systemd-hardened": "42"}.get(supervisor.name, "93")
    result = supervisor.run("systemd-analyze", "security", f"--threshold={threshold}",
                            "nut-monitor.service")
    assert result.returncode == 0, text_of(result)[-300:]


@pytest.mark.parametrize("supervisor", ["systemd-252"], indirect=True)
def test_nut_monitor_is_ours(supervisor, tmp_path):
    """NUT's package is there, with its own nut-monitor.service; its words go on to work."""
    machine = supervisor.machine
    assert machine.read("/usr/lib/systemd/system/nut-monitor.service").strip()
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        result = supervisor.run("systemctl", "enable", "--now", "nut-monitor")
        assert result.returncode == 0, text_of(result)
        pid = upsmon_is_ready(supervisor)
        assert machine.read(f"/proc/{pid}/cmdline").startswith("/usr/local/sbin/upsmon\0-F\0")
        wanted = "/etc/systemd/system/multi-user.target.wants/nut-monitor.service"
        assert machine.path(wanted).is_symlink()
        # by our name, too
        result = supervisor.run("systemctl", "show", "-p", "MainPID", "--value", "upsmon")
        assert result.stdout.strip() == str(pid)
        # a stop of all of NUT is a stop of this
        assert supervisor.run("systemctl", "start", "nut.target").returncode == 0
        assert supervisor.run("systemctl", "stop", "nut.target").returncode == 0
        wait_for("down", supervisor.is_down)
        assert supervisor.run("systemctl", "disable", "nut-monitor").returncode == 0
        assert not machine.path(wanted).is_symlink()


@of_one
def test_the_directory_of_nuts_server_is_left_alone(supervisor, tmp_path):
    machine = supervisor.machine
    machine.run("sh", "-c", "mkdir -m 770 /run/nut; chown root:nut /run/nut; : >/run/nut/upsd.pid")
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        started(supervisor)
        assert supervisor.stop().returncode == 0
        status = machine.path("/run/nut").stat()
        assert (status.st_mode & 0o7777, status.st_gid) == (0o770, 114)
        assert machine.path("/run/nut/upsd.pid").exists()


@of_one
def test_a_stop_leaves_shutdowncmd_running(supervisor, tmp_path):
    """It brings the machine down: whoever stops upsmon meanwhile does not stop that."""
    machine = supervisor.machine
    machine.write("/usr/local/bin/down", "#!/bin/sh\n: >/tmp/begun\n"
                  "until [ -e /tmp/go ]; do sleep 0.1; done\n: >/tmp/done\n", 0o755)
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.write(CONF, machine.read(CONF).replace("/bin/true", "/usr/local/bin/down"), 0o640)
        started(supervisor)
        assert machine.upsmon("-c", "fsd").returncode == 0
        wait_for("SHUTDOWNCMD", machine.path("/tmp/begun").exists)
        assert supervisor.stop().returncode == 0
        machine.write("/tmp/go", "")
        wait_for("the end of SHUTDOWNCMD", machine.path("/tmp/done").exists)


@of_one
def test_notify_reload(supervisor, tmp_path):
    """The drop-in. Its limit is the reason why it is not the default."""
    machine = supervisor.machine
    machine.write("/etc/systemd/system/nut-monitor.service.d/notify-reload.conf",
                  machine.read("/usr/share/nutlet/systemd/notify-reload.conf"))
    assert supervisor.run("systemctl", "daemon-reload").returncode == 0
    assert not complaints(supervisor)
    with Upsd(tmp_path / "upsd", ups=("ups", "other")) as upsd:
        configure(machine, upsd.port)
        pid = started(supervisor)
        assert supervisor.show("Type") == "notify-reload"
        configure(machine, upsd.port, ups=("ups", "other"))
        assert supervisor.reload().returncode == 0
        # systemctl has waited: it is in use now
        assert "other@127.0.0.1" in machine.upsmon("-c", "status").stdout
        machine.write(CONF, "MONITOR nonsense\n", 0o640)
        assert supervisor.reload().returncode == 0
        wait_for("the log", lambda: "the configuration stays as it was" in supervisor.log())
        assert upsmon_is_ready(supervisor) == pid


@of_one
def test_it_is_never_given_up(supervisor, tmp_path):
    """However often it could not start: when the file is mended it comes back by itself."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        machine.write(CONF, "MONITOR nonsense\n", 0o640)
        # systemd's own limit is five in ten seconds
        for _ in range(8):
            assert supervisor.start().returncode != 0
        configure(machine, upsd.port)
        upsmon_is_ready(supervisor)


@pytest.mark.parametrize("supervisor", ["systemd-257", "systemd-hardened"], indirect=True)
def test_shutdowncmd_may_call_reboot_itself(supervisor, tmp_path):
    """Without systemd, as poweroff -f does."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.write(CONF, machine.read(CONF).replace("/bin/true", "busybox poweroff -f"), 0o640)
        started(supervisor)
        machine.upsmon("-c", "fsd")
        wait_for("the end of the machine", lambda: not machine.is_up())
