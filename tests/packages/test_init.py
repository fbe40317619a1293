"""Every way to start upsmon, by the real supervisor: one scenario for all of them."""

import os
import socket
import subprocess

import pytest

from daemon import settle
from init_scenario import CONF, configure, only, started, supervisor, text_of, upsmon_is_ready
from lab.upsd import Upsd, wait_for

__all__ = ["supervisor"]    # the fixture
pytestmark = pytest.mark.root


def test_a_life(supervisor, tmp_path):
    """Start, kill -9, reload, a reload that is refused, a new program, stop, start."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd", ups=("ups", "other")) as upsd:
        configure(machine, upsd.port)
        first = started(supervisor)
        wait_for("the login", lambda: upsd.logins() == 1)

        machine.kill(first)
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
        wait_for("the log", lambda: f"{CONF}:1: " in supervisor.log())
        assert upsmon_is_ready(supervisor) == second
        assert (upsd.logins(), upsd.logins("other")) == (1, 1)
        configure(machine, upsd.port, ups=("ups", "other"))

        # from the one build to the other
        size = machine.put_program({"host": "uclibc", "uclibc": "host"}[supervisor.build])
        assert machine.program_size(second) != size
        result = supervisor.upgrade()
        assert result.returncode == 0, text_of(result)
        assert upsmon_is_ready(supervisor) == second
        assert machine.program_size(second) == size
        wait_for("the log", lambda: "upgraded to nutlet upsmon" in supervisor.log())

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
            said = supervisor.init != "sysv" and supervisor.ready()
            returned = waiting is not None and waiting.poll() is not None
            # upsmon gives the server five seconds, and on a busy machine they may be over
            if not machine.pid():
                assert not said and not returned
        upsmon_is_ready(supervisor)
        if waiting:
            assert waiting.wait(30) == 0


@only()
def test_a_stale_pidfile_names_a_stranger(supervisor, tmp_path):
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.run("sh", "-c", "mkdir -p /run/nut; sleep 1000 >/dev/null 2>&1 & "
                    "echo $! >/run/nut/upsmon.pid")
        stranger = machine.read("/run/nut/upsmon.pid").strip()
        assert started(supervisor) != int(stranger)
        wait_for("the log", lambda: f"stale pidfile: pid {stranger} belongs to sleep" in
                 supervisor.log())
        assert supervisor.stop().returncode == 0
        assert machine.read(f"/proc/{stranger}/comm") == "sleep\n"


@only()
def test_a_broken_configuration_at_the_start(supervisor, tmp_path):
    """The log or the command says why. To mend the file is enough; or a start, where it failed."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        machine.write(CONF, "# broken\nMONITOR nonsense\n", 0o640)
        result = supervisor.start()
        if supervisor.refuses:
            assert result.returncode != 0
            assert f"{CONF}:2: " in text_of(result)
            configure(machine, upsd.port)
            assert supervisor.start().returncode == 0
        else:
            wait_for("the reason", lambda: f"{CONF}:2: " in supervisor.log())
            configure(machine, upsd.port)
        upsmon_is_ready(supervisor)


@only("restarts")
def test_a_broken_configuration_after_a_death(supervisor, tmp_path):
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        pid = started(supervisor)
        machine.write(CONF, "# broken\n\n\nMONITOR nonsense\n", 0o640)
        machine.kill(pid)
        wait_for("the reason", lambda: f"{CONF}:4: " in supervisor.log())
        configure(machine, upsd.port)
        upsmon_is_ready(supervisor, but=pid)


def hear(server):
    """All that the next one to connect says."""
    link, _ = server.accept()
    with link:
        link.settimeout(30)
        return link.makefile().read()


# who runs it, whether in a file system of its own, what was written, and what NOTIFYCMD could do
SHUTDOWN = """#!/bin/sh
{
	echo "user $(id -u)"
	[ "$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/1/ns/mnt)" ] && echo "same mounts"
	echo "flag $(cat /etc/killpower)"
	echo "notify $(cat /tmp/notify)"
} | nc 127.0.0.1 PORT
"""

NOTIFY = """#!/bin/sh
echo "$NOTIFYTYPE $(id -un) $(/usr/local/bin/like-wall)" >>/tmp/notify
"""


def test_a_power_failure(supervisor, tmp_path):
    """To the end. SHUTDOWNCMD and NOTIFYCMD may do what they may without a supervisor."""
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd, socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        off = supervisor.power_off or ""
        machine.write("/usr/local/bin/down",
                      SHUTDOWN.replace("PORT", str(server.getsockname()[1])) + off + "\n", 0o755)
        machine.write("/usr/local/bin/notify", NOTIFY, 0o755)
        program = machine.path("/usr/local/bin/like-wall")
        subprocess.run(["gcc", "-static", "-x", "c", "-", "-o", program], text=True, check=True,
                       input="#include <stdio.h>\n#include <unistd.h>\n"
                       "int main(void) { return printf(\"group %d\\n\", (int)getegid()) < 0; }")
        os.chown(program, 0, 5)
        program.chmod(0o2755)
        configure(machine, upsd.port, extra=(
            "POWERDOWNFLAG /etc/killpower\nNOTIFYCMD /usr/local/bin/notify\n"
            # the rights are the supervisor's to take here, not ours
            "NOTIFYFLAG ONBATT EXEC\nRUN_AS_USER nut\nNO_NEW_PRIVS no\n"))
        machine.write(CONF, machine.read(CONF).replace("/bin/true", "/usr/local/bin/down"), 0o640)
        started(supervisor)
        upsd.set_status("OB")
        wait_for("NOTIFYCMD", lambda: "\n" in machine.read("/tmp/notify"))
        upsd.set_status("OB LB")
        heard = hear(server)
        assert "user 0\n" in heard
        assert "flag upsmon-shutdown-file" in heard
        # setgid tty, as wall is
        assert "notify ONBATT nut group 5\n" in heard
        if supervisor.name != "systemd-hardened":
            assert "same mounts\n" in heard
        if off:
            wait_for("the end of the machine", lambda: not machine.is_up(), 60)


@only("gives_up")
def test_wrong_options_are_not_tried_for_ever(supervisor, tmp_path):
    machine = supervisor.machine
    with Upsd(tmp_path / "upsd") as upsd:
        configure(machine, upsd.port)
        machine.write("/etc/default/upsmon", "UPSMON_OPTIONS=-x\n")
        supervisor.start()
        wait_for("that it has given up", supervisor.has_given_up)
        settle(4)
        assert supervisor.has_given_up()
        wait_for("the log", lambda: "-x" in supervisor.log())
        machine.write("/etc/default/upsmon", "UPSMON_OPTIONS=-4\nNUT_DEBUG_LEVEL=1\n")
        pid = started(supervisor)
        assert "\0-4\0" in machine.read(f"/proc/{pid}/cmdline")
        assert "NUT_DEBUG_LEVEL=1\0" in machine.read(f"/proc/{pid}/environ")
