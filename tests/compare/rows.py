"""What the tests of the rows share: one upsmon in its room, a scripted server, and the verdict."""

import contextlib
import time

import pytest

import peer
from lab.upsd import wait_for
from tap import Scripted

# Rows of section 7 that 2.8.0 shows here. With it, not to show one means that the test is broken.
SHOWN_BY_2_8_0 = {7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20}


class Case:
    """One of the two programs, and where it runs."""

    def __init__(self, name, directory):
        self.name = name
        self.binary = peer.PEER if name == "peer" else peer.OURS
        self.dir = directory
        self.stack = contextlib.ExitStack()

    def server(self, **status):
        server = Scripted(**status)
        self.stack.callback(server.end)
        return server

    def make(self, port, name="upsmon", **options):
        upsmon = peer.Peer(self.binary, self.dir / name)
        self.stack.callback(upsmon.end)
        return upsmon.configure(port, **options)

    def within(self, seconds, condition):
        """Whether it becomes true: what ours must do it does on a busy machine, too, only later;
        the peer is not waited for so long, because it does not do it at all."""
        return within(3 * seconds if self.name == "ours" else seconds, condition)

    def verdict(self, row, shows, why_not):
        """Ours must not show the failure; the peer does, or the test says why not."""
        if self.name == "ours":
            assert not shows, f"row {row}: ours does what it must not"
            return
        if not shows:
            version = peer.version(self.binary)
            assert "2.8.0" not in version or row not in SHOWN_BY_2_8_0, \
                f"row {row}: {version} shows this elsewhere; is the test broken?"
            pytest.skip(f"{version} does not show it: {why_not}")


def within(seconds, condition):
    """Whether it becomes true in this time."""
    try:
        wait_for("it", condition, seconds)
    except TimeoutError:
        return False
    return True


def polls(server, count, ups="ups", seconds=30):
    """Until this many more polls were answered."""
    goal = len(server.polls(ups)) + count
    wait_for(f"{count} polls", lambda: len(server.polls(ups)) >= goal, seconds)


def polls_in(server, seconds, ups="ups"):
    """How many polls a UPS gets in a time."""
    before = len(server.polls(ups))
    time.sleep(seconds)
    return len(server.polls(ups)) - before
