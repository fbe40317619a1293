"""What the tests of init systems do with a supervisor, whichever it is."""

import pytest

from init_supervisors import ALL
from lab.upsd import PRIMARY, wait_for

CONF = "/etc/nut/upsmon.conf"


@pytest.fixture(params=list(ALL))
def supervisor(request, tmp_path):
    adapter = ALL[request.param](tmp_path / "machine")
    adapter.name = request.param
    try:
        adapter.boot()
        yield adapter
    finally:
        adapter.end()


def only(attribute=None):
    """For the tests that not every supervisor can be asked for."""
    names = [name for name, adapter in ALL.items()
             if not adapter.variant and (attribute is None or getattr(adapter, attribute))]
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
