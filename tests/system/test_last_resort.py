"""Monitors that die, hang, or cannot even be ended: nothing is missed, nothing is shut down in vain."""

import os
import signal
import subprocess
import sys
import time

import pytest

from daemon import Daemon, children, freeze
from lab.upsd import PRIMARY, Upsd, wait_for
from test_real_use import Swallower

HOPELESS = "on battery, and no monitor stays alive: FSD"


def early_monitor(daemon):
    """Before the daemon is ready there is no pidfile."""
    return next(iter(children(daemon.foreground.pid)), None)


def each_new_monitor(daemon, harm, until=None, monitor=Daemon.monitor):
    """harm(pid), once, until the log has that text or it returns True."""
    harmed = set()

    def done():
        pid = monitor(daemon)
        if pid and pid not in harmed:
            harmed.add(pid)
            try:
                if harm(pid):
                    return True
            except ProcessLookupError:
                pass
        return until and until in daemon.log()

    wait_for(until or "the last one", done, 120, 0.01)


def test_monitors_that_all_hang_on_battery(daemon, upsd):
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    each_new_monitor(daemon, freeze, HOPELESS)
    # one that lives finds out what has been decided, and tells the others
    daemon.wait_down(60)
    wait_for("FSD at the server", lambda: "FSD" in upsd.status())


def test_no_monitor_lives_to_carry_it_through(daemon, upsd):
    """HOSTSYNC 3 and FINALDELAY 1, and 10 seconds for whoever may still come."""
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    each_new_monitor(daemon, lambda pid: os.kill(pid, signal.SIGKILL),
                     "the monitor does not carry the shutdown through")
    daemon.wait_down()


@pytest.mark.parametrize("extra", [
    "MINSUPPLIES 0\n", "MONITOR b@127.0.0.1:{port} 1 {user} {password} primary\n"])
def test_power_that_is_not_needed(make_daemon, tmp_path, extra):
    """A host that only watches, or has another UPS, is not shut down for monitors that die."""
    with Upsd(tmp_path / "two", ups=("a", "b")) as upsd:
        daemon = make_daemon(port=upsd.port, ups="a", extra=extra.format(
            port=upsd.port, user=PRIMARY[0], password=PRIMARY[1]))
        daemon.run()
        upsd.set_status("OB", "a")
        daemon.wait_events("ONBATT")
        deaths = set()

        def die(pid):
            os.kill(pid, signal.SIGKILL)
            deaths.add(pid)
            # one more if the first has lived for 10 s by now, and does not count
            return len(deaths) == 6

        each_new_monitor(daemon, die)
        wait_for("the next one", lambda: daemon.monitor() not in (None, *deaths), 30)
        assert "no monitor stays alive" not in daemon.log()
        assert not daemon.down.exists()


@pytest.mark.root
def test_a_monitor_that_cannot_be_ended(daemon, upsd):
    """As one that waits for a flash that does not answer: a tracer that does not let it go."""
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_events("ONBATT")
    first = daemon.monitor()
    trace = ("import ctypes, sys, time\n"
             "ctypes.CDLL(None).ptrace(16, int(sys.argv[1]), None, None)\n"
             "print('traced', flush=True)\ntime.sleep(600)\n")
    with subprocess.Popen([sys.executable, "-c", trace, str(first)], stdout=subprocess.PIPE,
                          text=True) as tracer:
        try:
            assert tracer.stdout.readline() == "traced\n"
            daemon.wait_log(f"monitor {first} was killed and does not end", 60)
            wait_for("the next one", lambda: daemon.monitor() not in (None, first))
            upsd.set_status("OB LB")
            daemon.wait_down()
        finally:
            tracer.kill()


def test_a_guard_that_was_stopped_has_much_to_hear(make_daemon, tmp_path):
    """More than one wake-up reads: what it has heard first is old, and no sign of a monitor that hangs."""
    with Upsd(tmp_path / "upsd", listen="0.0.0.0") as upsd:
        daemon = make_daemon(port=upsd.port, extra="".join(
            f"MONITOR ups@127.0.1.{i}:{upsd.port} 0 {PRIMARY[0]} {PRIMARY[1]} primary\n"
            for i in range(1, 16)))
        daemon.run()
        upsd.set_status("OB")
        daemon.wait_events(*["ONBATT"] * 16)
        guard, monitor = daemon.pid(), daemon.monitor()
        freeze(guard)
        # this is how long it lasts, and not a wait for anything
        time.sleep(32)
        os.kill(guard, signal.SIGCONT)
        upsd.set_status("OB LB")
        daemon.wait_down()
        assert "does not answer" not in daemon.log()
        assert daemon.monitor() in (None, monitor)


@pytest.mark.root
def test_a_monitor_that_dies_on_battery_before_it_is_ready(make_daemon, upsd):
    """One host swallows packets, so it is not ready for 10 seconds; the other is on battery."""
    upsd.set_status("OB")
    daemon = make_daemon(port=upsd.port, extra=(
        f"MONITOR ups@[::1]:{upsd.port} 0 {PRIMARY[0]} {PRIMARY[1]} primary\n"))
    swallower = Swallower(upsd.port)
    try:
        daemon.launch()
        daemon.wait_events("ONBATT")
        first = early_monitor(daemon)
        assert "ready, watching" not in daemon.log()
        os.kill(first, signal.SIGKILL)
        wait_for("the next one", lambda: early_monitor(daemon) not in (None, first))
        upsd.set_status("OB LB")
        daemon.wait_down()
    finally:
        swallower.close()


@pytest.mark.root
def test_a_start_whose_monitors_all_die_ends(make_daemon, upsd):
    """Whoever waits for it, an init script perhaps, is not kept for ever."""
    daemon = make_daemon(port=upsd.port, extra=(
        f"MONITOR ups@[::1]:{upsd.port} 0 {PRIMARY[0]} {PRIMARY[1]} primary\n"))
    swallower = Swallower(upsd.port)
    try:
        daemon.launch()
        wait_for("its login", lambda: upsd.logins() == 1)
        each_new_monitor(daemon, lambda pid: os.kill(pid, signal.SIGKILL),
                         "no monitor stays alive until it is ready", early_monitor)
        assert daemon.foreground.wait(30) == 1
    finally:
        swallower.close()
