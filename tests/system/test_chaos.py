"""Servers, drivers and the monitor die, hang and come back, cables are cut, and mains fail with them.

Two UPSes, each with an upsd of its own, feed the machine, and one of them is enough. What happens is
drawn by lot, but never to both at once: so nothing of it may shut the machine down. In the end both
are low on battery, and then it must go down. `make soak` plays 20 minutes of it, `make test` half a minute.
"""

import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest

from lab.upsd import ADMIN, PRIMARY, Upsd, wait_for

pytestmark = pytest.mark.root

SECONDS = 1200 if "NUTLET_SOAK" in os.environ else 30


class Cable:
    """A network namespace for the daemon, and a cable to it; each server has an address here."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep infinity"],
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        net = f"10.{os.getpid() // 250 % 250}.{os.getpid() % 250}"
        self.addresses = [f"{net}.1", f"{net}.2"]
        self.end = f"nutlet{os.getpid()}"
        ip("link", "add", self.end, "type", "veth", "peer", "name", "cable", "netns",
           str(self.holder.pid))
        for address in self.addresses:
            ip("address", "add", f"{address}/24", "dev", self.end)
        ip("link", "set", self.end, "up")
        self.inside("address", "add", f"{net}.9/24", "dev", "cable")
        self.inside("link", "set", "cable", "up")

    def inside(self, *words):
        ip(*words, before=("nsenter", "-t", str(self.holder.pid), "-n"))

    def cut(self, address):
        """What goes there is taken by nobody, and nobody says so: as if it were pulled out."""
        self.inside("neigh", "replace", address, "lladdr", "02:00:00:00:00:01", "dev", "cable",
                    "nud", "permanent")

    def mend(self, address):
        self.inside("neigh", "del", address, "dev", "cable")

    def close(self):
        # the cable goes with its end in there
        self.holder.kill()
        self.holder.wait()


def ip(*words, before=()):
    subprocess.run([*before, "ip", *words], check=True)


class Supply:
    """A UPS with its server; whatever is done to it can be undone."""

    def __init__(self, upsd, dice, cable, address):
        self.upsd, self.dice, self.cable, self.address = upsd, dice, cable, address
        self.stopped, self.is_cut = None, False

    def cable_is_cut(self):
        self.cable.cut(self.address)
        self.is_cut = True

    def on_battery_and_cut(self):
        self._tell(self.dice.choice(["OB", "OB LB"]))
        self.cable_is_cut()

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
        if self.is_cut:
            self.cable.mend(self.address)
            self.is_cut = False
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
             Supply.mains_fail, Supply.battery_is_low, Supply.on_battery_and_gone, Supply.is_odd,
             Supply.cable_is_cut, Supply.on_battery_and_cut]


def cost(pids):
    """(resident memory in KiB, open files) of each."""
    def rss(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.split("Rss:")[1].split()[0])
    return [(rss(pid), len(os.listdir(f"/proc/{pid}/fd"))) for pid in pids]


@pytest.fixture
def cable():
    if subprocess.run(["unshare", "-n", "true"], check=False).returncode != 0:
        pytest.skip("no network namespaces here")
    made = Cable()
    yield made
    made.close()


@pytest.fixture
def supplies(tmp_path, request, cable):
    dice = random.Random(request.getfixturevalue("seed"))
    with Upsd(tmp_path / "one", listen="0.0.0.0") as one, \
            Upsd(tmp_path / "two", listen="0.0.0.0") as two:
        both = [Supply(upsd, dice, cable, address)
                for upsd, address in zip((one, two), cable.addresses)]
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
def daemon(make_daemon, supplies, cable, memory, tmp_path):
    """Both feed it, and one is enough."""
    daemon = make_daemon(port=supplies[0].upsd.port,
                         extra="MINSUPPLIES 1\nOFFDURATION 1\nOVERDURATION 1\n")
    lines = "".join(f"MONITOR ups@{s.address}:{s.upsd.port} 1 {PRIMARY[0]} {PRIMARY[1]} primary\n"
                    for s in supplies)
    daemon.write(re.sub("MONITOR.*\n", lines, daemon.conf.read_text()))
    inside = tmp_path / "inside"
    inside.write_text(f'#!/bin/sh\nexec nsenter -t {cable.holder.pid} -n {daemon.binary} "$@"\n')
    inside.chmod(0o755)
    daemon.binary = str(inside)
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
    started, killed, until, flat = [], [], time.monotonic() + SECONDS, None
    while time.monotonic() < until:
        supply = dice.choice(supplies)
        disaster = dice.choice(DISASTERS)
        started.append(f"{supplies.index(supply)} {disaster.__name__}")
        disaster(supply)
        # long enough for DEADTIME, now and then
        time.sleep(dice.choice([0.2, 1, 3, 6]))
        # five that die young in a row are too many: then the guard shuts down, which is right
        killed = [at for at in killed if at > time.monotonic() - 60]
        if dice.random() < 0.2 and len(killed) < 4 and daemon.monitor():
            os.kill(daemon.monitor(), signal.SIGKILL)
            killed.append(time.monotonic())
        supply.recover()
        wait_for("both logins after " + started[-1], lambda: is_watched(supplies), 60)
        wait_for(f"both on line after {started}", lambda: is_calm(daemon), 60)
        if daemon.down.exists():
            print(*daemon.log().splitlines()[-60:], sep="\n")
        assert not daemon.down.exists(), started[-6:]
        assert daemon.pid() == guard
        flat = flat or cost([guard])
    (rss, files), = cost([guard])
    assert files == flat[0][1] and rss <= flat[0][0] + 16, (flat, rss, files)
    first.upsd.set_status("OB LB")
    second.upsd.set_status("OB LB")
    daemon.wait_down(60)
