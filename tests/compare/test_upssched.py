"""Our timers beside the real upssched: the same upssched.conf, the same mains, the same commands."""

import os
import pathlib
import pwd

import pytest

import peer
from tap import Tap

from lab.upsd import Upsd, wait_for

UPSSCHED = "/sbin/upssched"

RULES = """
AT ONBATT * START-TIMER early 4
AT ONBATT {ups} START-TIMER late 6
AT ONBATT nobody@localhost EXECUTE never
AT ONBATT * EXECUTE on
AT onLINE * CANCEL-TIMER early too-late
AT ONLINE {ups} CANCEL-TIMER late
AT ONLINE * CANCEL-TIMER no-such-timer none
AT LOWBATT * EXECUTE low
AT LOWBATT * START-TIMER at-once 0
AT REPLBATT * START-TIMER early 2
"""

RAN = ("on", "early", "late")

SCRIPT = """#!/bin/sh
echo "$# $1 $UPSNAME $(cut -d' ' -f1 /proc/uptime)" >>{log}
"""


class Side(peer.Peer):
    """An upsmon with an upssched.conf, and what its CMDSCRIPT was called with."""

    def __init__(self, binary, directory, port):
        super().__init__(binary, directory)
        self.tap = Tap(port)
        nobody = pwd.getpwnam("nobody")
        place = self.dir / "sched"
        place.mkdir()
        os.chown(place, nobody.pw_uid, nobody.pw_gid)
        self.calls_file = place / "calls"
        script = self.dir / "script"
        script.write_text(SCRIPT.format(log=self.calls_file))
        script.chmod(0o755)
        ours = self.binary == peer.OURS
        # it only watches, also a low battery
        self.configure(self.tap.port, extra="MINSUPPLIES 0\n")
        if ours:
            self.write(self.conf.read_text().replace(f"NOTIFYCMD {self.dir}/notify",
                                                     f"UPSSCHED {self.dir}/upssched.conf"))
        else:
            self.write(self.conf.read_text().replace(f"NOTIFYCMD {self.dir}/notify",
                                                     f"NOTIFYCMD {UPSSCHED}"))
        file = self.dir / "upssched.conf"
        file.write_text(f"CMDSCRIPT {script}\nPIPEFN {place}/pipe\nLOCKFN {place}/lock\n"
                        + RULES.format(ups=f"ups@127.0.0.1:{self.tap.port}"))
        file.chmod(0o644)

    def calls(self):
        """(argument, seconds since the boot) of each call; UPSNAME was right in all of them."""
        text = self.calls_file.read_text() if self.calls_file.exists() else ""
        rows = [line.split() for line in text.splitlines()]
        assert all(row[0] == "1" and row[2] == f"ups@127.0.0.1:{self.tap.port}" for row in rows)
        return [(row[1], float(row[3])) for row in rows]

    def names(self):
        return [name for name, _ in self.calls()]

    def polls(self, status):
        return sum(f'"{status}"' in reply for line, reply in list(self.tap.requests)
                   if line == "GET VAR ups ups.status")


def test_same_commands(place):
    if not pathlib.Path(peer.PEER).exists() or not pathlib.Path(UPSSCHED).exists():
        pytest.skip("there is no upsmon and upssched of NUT to compare with")
    if peer.cannot_run():
        pytest.skip(peer.cannot_run())
    with Upsd(place / "upsd") as upsd:
        sides = [Side(binary, place / name, upsd.port)
                 for name, binary in (("peer", peer.PEER), ("ours", peer.OURS))]

        def mains(status):
            before = [side.polls(status) for side in sides]
            upsd.set_status(status)
            for side, count in zip(sides, before):
                wait_for(f"polls of {status}", lambda s=side, c=count: s.polls(status) >= c + 2, 30)

        def calls(*expected):
            for side in sides:
                wait_for(f"{expected} in {side.dir.name}", lambda s=side: len(s.names())
                         >= len(expected), 30)
            # what both start at the same moment may write in any order
            theirs, ours = (side.names() for side in sides)
            assert sorted(ours) == sorted(expected), f"{theirs}\n{ours}"
            # upssched's process leaves with its last timer, and whoever asks just then asks again:
            # the command of CANCEL-TIMER may run twice there
            again = [name for name in theirs if name in ("none", "too-late")]
            assert sorted(set(again)) == sorted({n for n in ours if n in ("none", "too-late")})
            rest = [[n for n in names if n not in again] for names in (theirs, ours)]
            assert sorted(rest[0]) == sorted(rest[1]), f"{theirs}\n{ours}"

        try:
            for side in sides:
                side.run()
            mains("OL")
            # a short outage: both timers are cancelled, and the one that never was has its command
            mains("OB")
            mains("OL")
            calls("on", "none")
            # a long one: both run out, the second word of CANCEL-TIMER, and a timer of no seconds
            mains("OB")
            calls("on", "none", "on", "early", "late")
            mains("OB LB RB")
            calls("on", "none", "on", "early", "late", "low", "at-once", "early")
            mains("OL RB")
            calls("on", "none", "on", "early", "late", "low", "at-once", "early", "too-late", "none")
            for side in sides:
                when = {name: [at for n, at in side.calls() if n == name] for name in RAN}
                # NUT's counts whole seconds of the clock; ours are never early
                early = when["early"][0] - when["on"][1]
                assert early > (3.9 if side.binary == peer.OURS else 2.9)
                assert when["late"][0] > when["early"][0]
        finally:
            for side in sides:
                side.end()
                side.tap.end()
