"""The build with every feature left out: it protects, and says what it lacks."""

import os
import signal

import pytest

from daemon import BUILD, Daemon
from lab.upsd import wait_for


@pytest.fixture
def daemon(tmp_path, upsd):
    one = Daemon(BUILD / "minimal" / "host" / "upsmon", tmp_path / "daemon", port=upsd.port)
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


def test_a_full_one_does_not_upgrade_to_it(tmp_path, upsd):
    program = tmp_path / "upsmon"
    program.write_bytes((BUILD / "host" / "upsmon").read_bytes())
    program.chmod(0o755)
    full = Daemon(program, tmp_path / "daemon", port=upsd.port)
    try:
        full.run()
        pid = full.pid()
        fresh = tmp_path / "fresh"
        fresh.write_bytes((BUILD / "minimal" / "host" / "upsmon").read_bytes())
        fresh.chmod(0o755)
        fresh.rename(program)
        result = full.command("-c", "upgrade")
        assert result.returncode == 1 and "built without upgrades" in result.stderr
        assert full.pid() == pid
        wait_for("still logged in", lambda: upsd.logins() == 1)
    finally:
        full.end()


@pytest.mark.parametrize("option, code, words", [
    ("-t", 2, "built without -t"), ("-j", 2, "built without JSON"), ("-6", 2, "built without IPv6"),
])
def test_it_says_what_it_lacks(daemon, option, code, words):
    result = daemon.command("-c", "status", option) if option == "-j" else daemon.command(option)
    assert result.returncode == code and words in result.stderr
    assert f"  {option}" not in daemon.command("-h").stdout


def test_an_ipv6_server_is_said_to_be_out_of_reach(daemon):
    daemon.write(daemon.conf.read_text().replace("@127.0.0.1:", "@[::1]:"))
    daemon.run()
    daemon.wait_log("cannot connect")
