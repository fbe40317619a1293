"""Every way to start upsmon, by the real supervisor: one scenario for all of them."""

import socket

import pytest

from daemon import settle
from init_supervisors import ALL
from lab.upsd import PRIMARY, Upsd, wait_for

pytestmark = pytest.mark.root

CONF = "/etc/nut/upsmon.conf"


@pytest.fixture(params=list(ALL))
def supervisor(request, tmp_path):
    adapter = ALL[request.param](tmp_path / "machine")
    try:
        adapter.boot()
        yield adapter
    finally:
        adapter.end()


def only(attribute):
    """For the tests that not every supervisor can be asked for."""
    names = [name for name, adapter in ALL.items() if getattr(adapter, attribute)]
    return pytest.mark.parametrize("supervisor", names, indirect=True)


def configure(machine, port, ups=("ups",), extra=""):
    monitors = "".join(f"MONITOR {name}@127.0.0.1:{port} 1 {PRIMARY[0]} {PRIMARY[1]} primary\n"
                       for name in ups)
    machine.write(CONF, monitors + "SHUTDOWNCMD \"/bin/true\"\nPOLLFREQ 1\nPOLLFREQALERT 1\n"
                  "HOSTSYNC 1\nFINALDELAY 0\n" + extra, 0o640)


def upsmon_is_ready(supervisor, but=None):
    """The pid of the one that is ready, and that the supervisor calls ready."""
    def ready():
        pid = supervisor.machine.pid()
        return pid if pid and pid != but and supervisor.ready() else None

    return wait_for("upsmon ready\n" + supervisor.log()[-1500:], ready)


def started(supervisor):
    result = supervisor.start()
    assert result.returncode == 0, result.stdout + result.stderr
    if supervisor.waits:
        assert supervisor.machine.pid(), "it said that upsmon was started, and it is not ready"
    return upsmon_is_ready(supervisor)


def text_of(result):
    return result.stdout + result.stderr


def test_a_life(supervisor, tmp_path):
    """Start, kill -9, reload, a reload that is refused, a new program, stop, start."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd", ups=("ups", "other")) as upsd:
        configure(machine, upsd.port)
        first = started(supervisor)
        wait_for("the login", lambda: upsd.logins() == 1)

        machine.run("kill", "-9", str(first))
        if not supervisor.restarts:
            assert machine.upsmon("-c", "status").returncode == 1
            supervisor.start()
        second = upsmon_is_ready(supervisor, but=first)
        wait_for("the login of the next one alone", lambda: upsd.logins() == 1)

        configure(machine, upsd.port, ups=("ups", "other"))
        result = supervisor.reload()
        assert result.returncode == 0, text_of(result)
        wait_for("the login at the other UPS", lambda: upsd.logins("other") == 1)

        machine.write(CONF, "MONITOR nonsense\n", 0o640)
        result = supervisor.reload()
        assert result.returncode != 0, text_of(result)
        assert f"{CONF}:1: " in supervisor.log()
        assert upsmon_is_ready(supervisor) == second
        assert (upsd.logins(), upsd.logins("other")) == (1, 1)
        configure(machine, upsd.port, ups=("ups", "other"))

        result = supervisor.upgrade()
        assert result.returncode == 0, text_of(result)
        assert upsmon_is_ready(supervisor) == second
        assert "the program was changed" in supervisor.log() or "upgrade" in supervisor.log()

        result = supervisor.stop()
        assert result.returncode == 0, text_of(result)
        wait_for("the logout", lambda: (upsd.logins(), upsd.logins("other")) == (0, 0))
        wait_for("down", supervisor.is_down)
        assert supervisor.exit_code() in (None, 0)
        # it has cleaned up, and was not killed
        assert machine.upsmon("-c", "status").returncode == 3
        settle(4)   # longer than any of them waits before it starts again
        assert supervisor.is_down()
        assert machine.upsmon("-c", "status").returncode == 3
        assert started(supervisor) != second


@only("knows_ready")
def test_ready_is_not_said_before_it_is(supervisor):
    """A server that says nothing keeps upsmon from being ready, until it hangs up."""
    machine = supervisor.machine
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        configure(machine, silent.getsockname()[1])
        if supervisor.waits:
            waiting = machine.spawn(*supervisor.start_command())
        else:
            waiting = None
            supervisor.start()
        link, _ = silent.accept()
        with link:
            assert link.recv(1)     # it is at it
            assert waiting is None or waiting.poll() is None
            if supervisor.init != "sysv":
                assert not supervisor.ready()
            assert not machine.pid()
        upsmon_is_ready(supervisor)
        if waiting:
            assert waiting.wait(30) == 0


def test_a_stale_pidfile_names_a_stranger(supervisor, tmp_path):
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.run("sh", "-c", "mkdir -p /run/nut; sleep 1000 >/dev/null 2>&1 & echo $! >/run/nut/upsmon.pid")
        stranger = machine.read("/run/nut/upsmon.pid").strip()
        assert started(supervisor) != int(stranger)
        assert f"stale pidfile: pid {stranger} belongs to sleep" in supervisor.log()
        assert supervisor.stop().returncode == 0
        assert machine.read(f"/proc/{stranger}/comm") == "sleep\n"


def test_a_broken_configuration(supervisor, tmp_path, request):
    """At a start, and after a death: the log says why, and to mend the file is enough, or a start."""
    machine = supervisor.machine
    if supervisor.init in ("busybox", "openrc"):
        request.applymarker(pytest.mark.xfail(strict=True, reason=(
            "the daemon opens syslog after it has read the configuration, so syslog does not "
            "have the reason of a start that is refused for it")))
    with Upsd(tmp_path / "upsd") as upsd:
        machine.write(CONF, "# broken\nMONITOR nonsense\n", 0o640)
        if supervisor.refuses:
            result = supervisor.start()
            assert result.returncode != 0
            assert f"{CONF}:2: " in text_of(result) + supervisor.log()
            configure(machine, upsd.port)
            assert supervisor.start().returncode == 0
        else:
            supervisor.start()
            wait_for("the reason", lambda: f"{CONF}:2: " in supervisor.log())
            configure(machine, upsd.port)
        pid = upsmon_is_ready(supervisor)
        if not supervisor.restarts:
            return
        machine.write(CONF, "# broken\n\n\nMONITOR nonsense\n", 0o640)
        machine.run("kill", "-9", str(pid))
        wait_for("the reason", lambda: f"{CONF}:4: " in supervisor.log())
        configure(machine, upsd.port)
        upsmon_is_ready(supervisor, but=pid)
