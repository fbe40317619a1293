"""Servers, drivers and the monitor die, hang and come back, in any order, and mains fail with them.

Two UPSes, each with an upsd of its own, feed the machine, and one of them is enough. What happens is
drawn by lot, but never to both at once: so nothing of it may shut the machine down. In the end both
are low on battery, and then it must go down. `make soak` plays 20 minutes of it, `make test` half a minute.
"""

import os
import pathlib
import random
import signal
import time

import pytest

from lab.upsd import ADMIN, PRIMARY, Upsd, wait_for

pytestmark = pytest.mark.root

SECONDS = 1200 if "NUTLET_SOAK" in os.environ else 30


class Supply:
    """A UPS with its server; whatever is done to it can be undone."""

    def __init__(self, upsd, dice):
        self.upsd, self.dice = upsd, dice
        self.stopped = None

    def server_dies(self):
        self.upsd.server.kill()
        self.upsd.server.wait()
        self.upsd.server = None

    def server_hangs(self):
        self._stop(self.upsd.server)

    def driver_dies(self):
        self.upsd.drivers["ups"].kill()
        self.upsd.stop_driver("ups")

    def driver_hangs(self):
        self._stop(self.upsd.drivers["ups"])

    def mains_fail(self):
        self._tell("OB")

    def battery_is_low(self):
        self._tell("OB LB")

    def on_battery_and_gone(self):
        self._tell(self.dice.choice(["OB", "OB LB"]))
        self.server_dies()

    def is_odd(self):
        self._tell(self.dice.choice(["OL CHRG", "OL OFF", "BYPASS", "OL RB", "CAL OL",
                                 "OL OVER", "XYZ"]))

    def _tell(self, status):
        """One that has just come back may forget what it is told."""
        def told():
            self.upsd.ask(f'SET VAR ups ups.status "{status}"', user=ADMIN)
            return self.upsd.status() == status

        try:
            wait_for(f"{status} of the server", told)
        except TimeoutError as e:
            raise AssertionError(f"{self.upsd.status()} instead of {status}") from e

    def _stop(self, process):
        process.send_signal(signal.SIGSTOP)
        self.stopped = process

    def recover(self):
        if self.stopped:
            self.stopped.send_signal(signal.SIGCONT)
            self.stopped = None
        if not self.upsd.server:
            # a driver whose upsd was killed is not always found by the next one
            if "ups" in self.upsd.drivers:
                self.upsd.stop_driver("ups")
            self.upsd.start_server()
        if "ups" not in self.upsd.drivers:
            self.upsd.start_driver("ups")
        self._tell("OL")


DISASTERS = [Supply.server_dies, Supply.server_hangs, Supply.driver_dies, Supply.driver_hangs,
             Supply.mains_fail, Supply.battery_is_low, Supply.on_battery_and_gone, Supply.is_odd]


def cost(pids):
    """(resident memory in KiB, open files) of each."""
    def rss(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.split("Rss:")[1].split()[0])
    return [(rss(pid), len(os.listdir(f"/proc/{pid}/fd"))) for pid in pids]


@pytest.fixture
def supplies(tmp_path, request):
    dice = random.Random(request.getfixturevalue("seed"))
    with Upsd(tmp_path / "one") as one, Upsd(tmp_path / "two") as two:
        both = [Supply(one, dice), Supply(two, dice)]
        yield both
        for supply in both:
            if supply.stopped:
                supply.stopped.send_signal(signal.SIGCONT)


@pytest.fixture
def seed():
    return int(os.environ.get("CHAOS_SEED", random.randrange(1 << 30)))


def is_watched(supplies):
    return all(s.upsd.logins() == 1 for s in supplies)


def is_calm(daemon):
    """As it knows them itself."""
    return daemon.command("-c", "status").stdout.count(": OL; it answers, logged in") == 2


@pytest.fixture
def daemon(make_daemon, supplies, memory):
    """Both feed it, and one is enough."""
    first, second = supplies
    daemon = make_daemon(port=first.upsd.port, extra=(
        f"MONITOR ups@127.0.0.1:{second.upsd.port} 1 {PRIMARY[0]} {PRIMARY[1]} primary\n"
        "MINSUPPLIES 1\nOFFDURATION 1\nOVERDURATION 1\n"))
    # -c status tells nothing of what lies on a disk
    daemon.live_in(memory)
    yield daemon
    daemon.end()


def test_chaos(daemon, supplies, seed):
    print(f"CHAOS_SEED={seed}")
    dice = random.Random(seed + 1)
    first, second = supplies
    daemon.run()
    wait_for("both logins", lambda: is_watched(supplies))
    guard = daemon.pid()
    started, until, flat = [], time.monotonic() + SECONDS, None
    while time.monotonic() < until:
        supply = dice.choice(supplies)
        disaster = dice.choice(DISASTERS)
        started.append(f"{supplies.index(supply)} {disaster.__name__}")
        disaster(supply)
        # long enough for DEADTIME, now and then
        time.sleep(dice.choice([0.2, 1, 3, 6]))
        if dice.random() < 0.2:
            os.kill(daemon.monitor() or guard, signal.SIGKILL if daemon.monitor() else 0)
        supply.recover()
        wait_for("both logins after " + started[-1], lambda: is_watched(supplies), 60)
        wait_for(f"both on line after {started}", lambda: is_calm(daemon), 60)
        assert not daemon.down.exists(), started
        assert daemon.pid() == guard
        flat = flat or cost([guard])
    (rss, files), = cost([guard])
    assert files == flat[0][1] and rss <= flat[0][0] + 16, (flat, rss, files)
    first.upsd.set_status("OB LB")
    second.upsd.set_status("OB LB")
    daemon.wait_down(60)
