"""Races: whoever starts, stops, reloads and upgrades at one moment, there is never a second one.

Each round lets a herd go at once (processes.herd) and then counts what is left by the mark that
the processes carry, not by their names. Rounds alternate between the two builds, which must agree
with each other, too.
"""

import itertools
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections import namedtuple

import pytest

import counts
from daemon import lock_holder
from figures import report
from installed import Installed, runs
from lab.upsd import wait_for
from processes import end_marked, guards, herd, mark_of, marked, tops

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "compare"))
from peer import PEER, TYPES, cannot_run  # noqa: E402 (the path comes first)

# What the files say when a round begins: see lay().
FILES = ("none", "stranger", "crashed")

# What runs against the starts. `kills`: a round may leave nobody. Any other command must leave
# exactly one daemon, and is one more line here.
Rival = namedtuple("Rival", "order kills")
RIVALS = [Rival("stop", True), Rival("reload", False), Rival("upgrade", False)]


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "3600"])
    yield process
    assert process.poll() is None, "somebody signalled a stranger"
    process.kill()
    process.wait()


def lay(daemon, files, sleeper):
    """Leaves what an earlier life may have left."""
    if files == "stranger":
        daemon.pidfile.write_text(f"{sleeper.pid}\n")
        daemon.lockfile.write_text(f"{sleeper.pid}\n")
    elif files == "crashed":
        daemon.started()
        os.kill(daemon.pid(), signal.SIGKILL)
        wait_for("its end", lambda: not marked(mark_of(daemon)), step=0.005)


def wait_for_one(daemon):
    """The one daemon: guard, lock holder and pidfile are the same, and nobody else is left.

    A start that was refused may still be on its way out when its caller knows already.
    """
    wait_for("one daemon", lambda: len(guards(daemon)) <= 1, 10, 0.005)
    assert guards(daemon) == [lock_holder(daemon.lockfile)] == [daemon.pid()]
    return daemon.pid()


def stop(daemon):
    result = daemon.command("-c", "stop")
    assert result.returncode == 0, result.stderr
    assert not lock_holder(daemon.lockfile) and not daemon.pidfile.exists()
    wait_for("nothing left", lambda: not marked(mark_of(daemon)), 10, 0.005)


def log_of(daemon):
    path = daemon.dir / "herd"
    return path.read_text(errors="replace")[-3000:] if path.exists() else ""


def rounds(hand):
    """The numbers of the rounds that this test plays."""
    return range(hand, counts.RACE_ROUNDS, counts.RACE_HANDS)


@pytest.mark.parametrize("hand", range(counts.RACE_HANDS))
def test_twenty_starts_leave_one(hand, binaries, make_quiet, sleeper):
    """Row 3. Exit codes, lock, pidfile and the process tree say the same: one."""
    daemon = make_quiet(binaries[0])
    began, longest = time.monotonic(), 0.0
    for n in rounds(hand):
        lay(daemon, FILES[n % len(FILES)], sleeper)
        turn = itertools.cycle(binaries)
        start = time.monotonic()
        codes = herd([[next(turn), "-B"] for _ in range(counts.RACE_STARTS)], daemon.env,
                     daemon.dir / "herd")
        longest = max(longest, time.monotonic() - start)
        assert sorted(codes) == [0] + [1] * (counts.RACE_STARTS - 1), (n, log_of(daemon))
        wait_for_one(daemon)
        assert daemon.status() == 0
        stop(daemon)
        (daemon.dir / "herd").unlink()
    report(f"races: {counts.RACE_STARTS} starts at once", rounds=len(rounds(hand)),
           max_daemons=1, min_daemons=1, max_round_seconds=longest,
           seconds=time.monotonic() - began)


def play(daemon, binaries, order):
    """One round of starts against an order; returns the exit codes of the two sides."""
    commands = []
    for n in range(max(counts.RACE_STARTERS, counts.RACE_RIVALS)):
        commands += [[binaries[n % 2], "-B"], [binaries[n // 2 % 2], "-c", order]]
    codes = herd(commands, daemon.env, daemon.dir / "herd")
    return codes[0::2], codes[1::2]


def check_truth(daemon):
    """`-c status` agrees with the processes; returns the daemon's pid, None if there is none."""
    def settled():
        # one that was told to stop has no lock any more, and may still be on its way out
        found = guards(daemon)
        return not found or found == [daemon.pid()]

    wait_for("one daemon with its pidfile, or none", settled, 10, 0.005)
    if guards(daemon):
        assert daemon.status() == 0
        return wait_for_one(daemon)
    assert not lock_holder(daemon.lockfile)
    assert daemon.status() == (1 if daemon.pidfile.exists() else 3)
    return None


@pytest.mark.parametrize("hand", range(counts.RACE_HANDS))
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.order)
def test_starts_against(rival, hand, binaries, make_quiet, sleeper):
    """Never two; where the rival ends nobody, exactly one; and the next start always works.

    In every other round a daemon is there already, and has another build on the disk.
    """
    daemon = make_quiet(binaries[0])
    installed = Installed(daemon, binaries)
    began, left = time.monotonic(), [0, 0]
    for round_, n in enumerate(rounds(hand)):
        lay(daemon, FILES[n // 2 % len(FILES)], sleeper)
        before = n % 2 and daemon.started() and daemon.pid()
        fresh = installed.put_next()
        starts, orders = play(daemon, binaries, rival.order)
        assert {*starts, *orders} <= {0, 1}, log_of(daemon)
        now = check_truth(daemon)
        left[bool(now)] += 1
        if not rival.kills:
            assert now, (n, starts, orders, log_of(daemon))
            assert starts.count(0) == (0 if before else 1)
            if before:
                assert now == before and set(orders) == {0}, (orders, log_of(daemon))
                assert rival.order != "upgrade" or runs(now, fresh)
        if now:
            assert round_ % counts.REFUSED_EVERY or daemon.start().returncode == 1
            stop(daemon)
        daemon.started()
        wait_for_one(daemon)
        stop(daemon)
        (daemon.dir / "herd").unlink()
    assert not daemon.down.exists()
    report(f"races: {counts.RACE_STARTERS} starts against {counts.RACE_RIVALS} {rival.order}s",
           rounds=len(rounds(hand)), left_one=left[1], left_none=left[0], max_daemons=1,
           seconds=time.monotonic() - began)


# -- beside it, NUT's own ------------------------------------------------------

@pytest.mark.root
def test_twenty_starts_of_nuts_upsmon(place, rooms):
    """The same herd with the other binary. It is counted and reported, and nothing is asserted:
    what it leaves depends on the machine."""
    if cannot_run() or not os.access(PEER, os.X_OK):
        pytest.skip(cannot_run() or f"{PEER} is not there")
    conf = place / "upsmon.conf"
    conf.write_text("MONITOR ups@127.0.0.1:1 1 u p primary\nSHUTDOWNCMD /bin/true\n"
                    "RUN_AS_USER nobody\n" + "".join(f"NOTIFYFLAG {t} IGNORE\n" for t in TYPES))
    conf.chmod(0o644)
    env = {"PATH": os.environ["PATH"], "NUT_CONFPATH": str(place)}
    mark = f"NUT_CONFPATH={place}"
    room = rooms()
    began, left = time.monotonic(), []

    def daemons():
        """Its privileged parents: each has a child that does the work."""
        found = marked(mark)
        return [pid for pid in tops(found) if pid in found.values()]

    for _ in range(counts.NUT_ROUNDS):
        codes = herd([[PEER]] * counts.RACE_STARTS, env, place / "herd", room.enter())
        # whoever was told that it started has started by then, or will in a moment
        try:
            wait_for("all of them", lambda: len(daemons()) >= codes.count(0), 2, 0.02)
        except TimeoutError:
            pass
        left.append(len(daemons()))
        end_marked(mark)
        room.path("/run/nut/upsmon.pid").unlink(missing_ok=True)
    report(f"races: {counts.RACE_STARTS} starts at once of NUT's upsmon, for comparison",
           rounds=len(left), rounds_that_left_more_than_one=sum(n > 1 for n in left),
           max_daemons=max(left), min_daemons=min(left), seconds=time.monotonic() - began)
