"""The builds with features left out, all of them or those of SMALLEST=1: they protect, and say what they lack."""

import os
import pathlib
import signal

import pytest

from daemon import BUILD, Daemon
from lab.upsd import wait_for


MINIMAL, SMALLEST = BUILD / "minimal/host/upsmon", BUILD / "smallest/host-uclibc/upsmon"


@pytest.fixture(params=[MINIMAL, SMALLEST], ids=["minimal", "smallest"])
def program(request):
    return request.param


@pytest.fixture
def daemon(program, tmp_path, upsd):
    one = Daemon(program, tmp_path / "daemon", port=upsd.port)
    yield one
    one.end()


def test_it_protects(daemon, upsd):
    daemon.run()
    daemon.write(daemon.conf.read_text() + "POLLFREQ 1\n")
    assert daemon.command("-c", "reload").returncode == 0
    assert daemon.command("-c", "status").returncode == 0
    upsd.set_status("OB LB")
    daemon.wait_down()
    assert daemon.flag.exists()


def test_an_upgrade_is_refused_and_costs_nothing(daemon):
    daemon.run()
    pid = daemon.pid()
    result = daemon.command("-c", "upgrade")
    assert result.returncode == 1 and "built without upgrades" in result.stderr
    os.kill(pid, signal.SIGUSR2)
    assert daemon.command("-c", "reload").returncode == 0
    assert daemon.pid() == pid


def test_a_full_one_does_not_upgrade_to_it(program, tmp_path, upsd):
    installed = tmp_path / "upsmon"
    installed.write_bytes((BUILD / "host" / "upsmon").read_bytes())
    installed.chmod(0o755)
    full = Daemon(installed, tmp_path / "daemon", port=upsd.port)
    try:
        full.run()
        pid = full.pid()
        fresh = tmp_path / "fresh"
        fresh.write_bytes(program.read_bytes())
        fresh.chmod(0o755)
        fresh.rename(installed)
        result = full.command("-c", "upgrade")
        assert result.returncode == 1 and "built without upgrades" in result.stderr
        assert full.pid() == pid
        wait_for("still logged in", lambda: upsd.logins() == 1)
    finally:
        full.end()


@pytest.mark.parametrize("option, code, words", [
    ("-t", 2, "built without -t"), ("-j", 2, "built without JSON"), ("-6", 2, "built without IPv6"),
])
def test_it_says_what_it_lacks(daemon, program, option, code, words):
    if option == "-6" and program == SMALLEST:
        pytest.skip("it has IPv6")
    result = daemon.command("-c", "status", option) if option == "-j" else daemon.command(option)
    assert result.returncode == code and words in result.stderr
    assert f"  {option}" not in daemon.command("-h").stdout


@pytest.mark.parametrize("program", [MINIMAL], indirect=True, ids=["minimal"])
def test_an_ipv6_server_is_said_to_be_out_of_reach(daemon):
    daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", "@[::1]:"))
    daemon.run()
    daemon.wait_log("cannot connect")


@pytest.mark.root
def test_filters(daemon, program):
    daemon.write(daemon.conf.read_text() + "NO_NEW_PRIVS yes\n")
    daemon.run()
    status = pathlib.Path(f"/proc/{daemon.monitor()}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    if pathlib.Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        ours = pathlib.Path("/proc/self/status").read_text().split("Seccomp:\t")[1][0]
        assert f"Seccomp:\t{ours if program == MINIMAL else 2}" in status


def test_no_supervisor_is_told(daemon, tmp_path):
    """The variable goes to nobody, and the start does not wait for it."""
    daemon.env["NUTLET_READY_FD"] = "5"
    daemon.env["NOTIFY_SOCKET"] = str(tmp_path / "nobody")
    daemon.run()
    assert "NUTLET_READY_FD" not in daemon.log()
