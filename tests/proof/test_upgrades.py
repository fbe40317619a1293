"""Many upgrades in a row, between two builds, while everything else goes on.

A real upsd with several UPSes, one of which goes on battery and back all the time; others ask for
the status and for NUMLOGINS without a pause. What must stay, stays from first to last: pid and
lock; and nobody ever finds this host logged out (the old monitor keeps its login until the new one
has its own, so for a moment there are two). What must not grow, does not.
"""

import os
import pathlib
import re
import socket
import statistics
import threading
import time
from collections import Counter

import pytest

import counts
from daemon import Daemon, children
from figures import report
from installed import Installed, runs
from lab.upsd import PRIMARY, Upsd, wait_for
from processes import end_marked, mark_of, marked

UPSES = ("a", "b", "c", "d")
# the one that goes on battery and back
RESTLESS = "a"

# What lies on the disk instead of a program.
BROKEN = ["#!/bin/sh\necho not today\nexit 3\n", "\x7fELF and then nothing", "", None,
          "#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\necho ready to take over: no\nexit 1\n"]

# Pages of a file that is mapped come and go; a real leak of 1,000 upgrades is more than this.
GROWTH_KB = 200


# -- what the kernel and the server say ------------------------------------------

def descriptors(pid):
    """How many of each kind a process has: sockets and pipes by kind, files by name."""
    found = Counter()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[re.sub(r":\[\d+\]$", "", os.readlink(fd))] += 1
        except FileNotFoundError:
            pass
    return found


def resident_kb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s*(\d+)", text, re.M)[1])


# -- the load ----------------------------------------------------------------------

class Background:
    """Does something again and again, beside the test; what went wrong comes out at the end."""

    def __init__(self, act, pause):
        self.act = act
        self.pause = pause
        self.rounds = 0
        self.error = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while not self.over.is_set():
                self.act()
                self.rounds += 1
                self.over.wait(self.pause)
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def end(self):
        self.over.set()
        self.thread.join()


class Asker:
    """GET NUMLOGINS of every UPS, on a connection of its own."""

    def __init__(self, port, allowed):
        self.seen = set()
        self.allowed = allowed
        self.stream = socket.create_connection(("127.0.0.1", port), 10).makefile("rwb")

    def ask(self):
        for name in UPSES:
            self.stream.write(f"GET NUMLOGINS {name}\n".encode())
            self.stream.flush()
            reply = self.stream.readline().split()
            assert reply[:2] == [b"NUMLOGINS", name.encode()], reply
            self.seen.add(int(reply[2]))
        assert self.seen <= self.allowed, self.seen


class Scene:
    """A daemon that watches all UPSes of a server, under load."""

    def __init__(self, daemon, upsd, builds, args):
        self.daemon = daemon
        self.upsd = upsd
        self.one_process = "-p" in args
        daemon.configure(upsd.port, ups=UPSES[0])
        daemon.write(daemon.conf.read_text() + "".join(
            f"MONITOR {daemon.system(upsd.port, name)} 1 {PRIMARY[0]} {PRIMARY[1]} primary\n"
            for name in UPSES[1:]))
        self.installed = Installed(daemon, builds)
        self.running = builds[0]
        daemon.run(*args)
        self.pid = daemon.pid()
        self.milliseconds = []
        self.changes = 0
        # one process drops its connections, and makes new ones; upsd may see the new ones first
        self.asker = Asker(upsd.port, {0, 1, 2} if self.one_process else {1, 2, 3})
        self.load = []
        wait_for("all logins", lambda: self.logins() == [1] * len(UPSES))
        self.first = self.state()

    # -- what must stay ------------------------------------------------------------

    def logins(self):
        return [self.upsd.logins(name) for name in UPSES]

    def state(self):
        return {"pid": self.daemon.pid(), "pidfile": self.daemon.pidfile.read_text(),
                "lock": self.daemon.lockfile.stat().st_ino, "logins": self.logins()}

    def at_rest(self):
        """Nothing but the daemon's own processes, and no zombie: children lists those, too."""
        own = [] if self.one_process else [self.daemon.monitor()]
        return children(self.pid) == own and sorted(marked(mark_of(self.daemon))) == \
            sorted([self.pid, *own])

    # -- the load --------------------------------------------------------------------

    def begin_load(self):
        self.load = [Background(self.status, 0.02), Background(self.asker.ask, 0.01),
                     Background(self.change, 0.1)]

    def end_load(self):
        for background in self.load:
            background.end()
        for background in self.load:
            if background.error:
                raise background.error
        return [background.rounds for background in self.load]

    def status(self):
        result = self.installed.command("-c", "status")
        assert result.returncode == 0, result.stdout + result.stderr
        assert result.stdout.startswith(
            f"upsmon is running: pid {self.pid} holds the lock\n"), result.stdout

    def change(self):
        """On battery and back; each is notified."""
        for status in ("OB", "OL"):
            self.upsd.set_status(status, RESTLESS)
            self.changes += 1
            wait_for(f"{status} is notified", lambda: len(self.daemon.events()) >= self.changes)

    def check_events(self):
        """Exactly once for each change, in their order, of that one UPS, and nothing else."""
        lines = self.daemon.events_file.read_text().splitlines()
        system = self.daemon.system(self.upsd.port, RESTLESS)
        said = [line.split("|")[0] for line in lines]
        assert said == [f"{kind} {system}" for _ in range(self.changes // 2)
                        for kind in ("ONBATT", "ONLINE")], said

    # -- an upgrade ------------------------------------------------------------------

    def upgrade(self):
        self.running = self.installed.put_next()
        start = time.monotonic()
        result = self.installed.upgrade()
        self.milliseconds.append(1000 * (time.monotonic() - start))
        assert result.returncode == 0, (len(self.milliseconds), result.stderr, self.daemon.log())
        assert runs(self.pid, self.running)

    def refused(self, text):
        """What is on the disk is none: the old one goes on."""
        self.installed.break_it(text)
        result = self.installed.upgrade()
        self.installed.put_back()
        assert result.returncode == 1 and result.stderr, (text, result.stderr)
        assert runs(self.pid, self.running)

    def check(self):
        """All is as it was at the beginning."""
        wait_for("rest: one guard, one monitor, no zombie", self.at_rest)
        # the next monitor may be a moment late
        wait_for(f"{self.first}, which is now {self.state()}",
                 lambda: self.state() == self.first)

    def end(self):
        """A stop at the end: each UPS is logged out now."""
        assert self.installed.command("-c", "stop").returncode == 0
        assert self.daemon.foreground.wait(10) == 0
        wait_for("all logouts", lambda: self.logins() == [0] * len(UPSES))
        assert not marked(mark_of(self.daemon))


@pytest.fixture
def scenes(place, binaries):
    """Makes scenes, and ends all that is in them, however the test ended."""
    made = []
    upsd = Upsd(place / "upsd", ups=UPSES)

    def make(*args):
        daemon = Daemon(binaries[0], place / "daemon")
        made.append(daemon)
        scene = Scene(daemon, upsd, binaries, args)
        made.append(scene)
        return scene

    with upsd:
        yield make
        for thing in reversed(made):
            if isinstance(thing, Scene):
                for background in thing.load:
                    background.end()
            else:
                end_marked(mark_of(thing))
                thing.end()


def play(scene, upgrades, name, broken_every=None):
    """Upgrades under load, from one build to the other and back; reports what it took."""
    began, refused = time.monotonic(), 0
    # what is compared at the end is of the same build, after its own first upgrade
    scene.upgrade()
    scene.upgrade()
    scene.check()
    own = descriptors(scene.pid)
    memory = resident_kb(scene.pid)
    scene.begin_load()
    while len(scene.milliseconds) < upgrades or (len(scene.milliseconds) % 2):
        assert not any(background.error for background in scene.load), \
            [background.error for background in scene.load]
        if broken_every and (len(scene.milliseconds) + refused) % broken_every == 0:
            scene.refused(BROKEN[refused % len(BROKEN)])
            refused += 1
        else:
            scene.upgrade()
    asked, logins, _ = scene.end_load()
    # what is notified twice comes with the next poll
    time.sleep(2)
    scene.check()
    scene.check_events()
    assert asked and logins and scene.changes >= 2
    assert descriptors(scene.pid) == own
    grown = resident_kb(scene.pid) - memory
    assert grown < GROWTH_KB
    times = scene.milliseconds
    scene.end()
    report(f"upgrades: {name}", rounds=len(times), failed=0, refused_as_they_must=refused,
           median_ms=round(statistics.median(times)), max_ms=round(max(times)),
           battery_changes=scene.changes, status_asked=asked,
           numlogins_asked=logins * len(UPSES), min_numlogins=min(scene.asker.seen),
           guard_descriptors=sum(own.values()), guard_grew_kb=grown,
           seconds=time.monotonic() - began)


def test_upgrades_in_a_row(scenes):
    play(scenes(), counts.UPGRADES, "in a row, between two builds, under load")


def test_a_broken_program_every_third_time(scenes):
    play(scenes(), counts.UPGRADES_BROKEN, "a broken program every third time", broken_every=3)


def test_upgrades_of_one_process(scenes):
    play(scenes("-p"), counts.UPGRADES_ONE_PROCESS, "of one process (-p)")
