"""Power cuts in a row on one board, with the pidfile and the lock on its flash or disk.

The careless product: NUT_PIDPATH lies on what persists, so what a cut leaves is there at the next boot,
and the old number may belong to anybody by then.  QEMU gets SIGKILL while the board boots, while
upsmon starts, runs, reloads, is upgraded; at every boot after it upsmon has to be there, alone.

The kernel is told to write what is dirty at once: the flash is a disk behind block2mtd, whose pages
would otherwise stay in memory for half a minute, and a real flash has no such memory. A disk with
ext4 would forget the last seconds, and with them the pidfile of a board that was just switched on.
"""

import collections
import re
import time

import pexpect
import pytest

import soak_counts
from figures import report
from lab.board import BOARD_UP, variant
from lab.upsd import wait_for
from soak_lab import HELPER

# When the power goes: what the board is at.  Each comes as often as the others, in any order.
WORK = {
    "reload": "while upsmon -c reload; do :; done",
    "upgrade": "while cp /usr/sbin/upsmon /tmp/u && mv /tmp/u /usr/sbin/upsmon && "
               "upsmon -c upgrade; do :; done",
}
MOMENTS = [*WORK, "booting", "starting"]

# Who gets the old number before upsmon starts; in a plain boot, whoever comes.
STRANGERS = ["plain", "sleep", "shell", "upsmon"]

AT_ONCE = """#!/bin/sh
echo 5 >/proc/sys/vm/dirty_writeback_centisecs
echo 1 >/proc/sys/vm/dirty_expire_centisecs
grep -q ' /data ext4 ' /proc/mounts && { while sync; do usleep 100000; done & }
"""

VERDICT = re.compile(r"upsmon: (stale pidfile: [^\r\n]*) \(/data/nut\); starting")
JFFS2 = re.compile(r"(?i)jffs2:? (?:error|warning)[^\n]*|mtd->read[^\n]*|[^\n]*\bCRC\b[^\n]*")


class Cuts:
    def __init__(self, switch_on, soak, upsd, images, flash, dice):
        self.switch_on, self.soak, self.upsd = switch_on, soak, upsd
        self.images, self.flash, self.dice = images, flash, dice
        self.moments, self.verdicts = collections.Counter(), collections.Counter()
        self.strangers, self.jffs2 = collections.Counter(), collections.Counter()
        self.boots = self.stale = self.lost = self.complaints = 0
        self.ready, self.deck = [], []
        self.board = None

    @property
    def cuts(self):
        return sum(self.moments.values())

    def on(self, stranger):
        wait_for("the end of the old login", lambda: self.upsd.logins() == 0, 20)
        self.board = self.switch_on(disk=self.flash, image=self.images[stranger])

    def cut(self, moment):
        self.board.cut_power()
        self.board.stop()
        self.moments[moment] += 1

    def boot(self, first=False):
        """To a board that is watched over, by one upsmon, whatever the flash holds."""
        stranger = self.dice.choice(STRANGERS)
        self.on(stranger)
        match = self.board.expect(r"SOAK (FAILED|READY uptime=([\d.]+) pid=(\d+)\.)", 120)
        seen = time.monotonic()
        assert match.group(2), self.board.text
        wait_for("the board's login", lambda: self.upsd.logins() == 1, 20)
        self.ready.append(float(match.group(2)) + time.monotonic() - seen)
        self.board.shell()
        pid = self.soak(self.board).ready()
        assert pid == int(match.group(3))
        code, output = self.board.run("NUT_PIDPATH=/data/nut upsmon -c status")
        assert code == 0 and f"upsmon is running: pid {pid} holds the lock" in output
        assert self.board.run("cat /data/nut/upsmon.pid")[1].split() == [str(pid)]
        assert self.upsd.logins() == 1
        self.soak(self.board).run("recycled")
        self.note(stranger, first)

    def note(self, stranger, first):
        """What this boot found."""
        self.boots += 1
        self.strangers[stranger] += 1
        found = VERDICT.findall(self.board.text)
        assert len(found) <= 1, found
        if found:
            self.stale += 1
            self.verdicts[re.sub(r"\bpid \d+", "pid N", found[0])] += 1
        elif not first:
            self.verdicts["no pidfile"] += 1
        if self.board.run("mountpoint -q /data")[0] != 0:
            self.lost += 1
        kernel = self.board.run("dmesg | grep -i -e jffs2 -e mtd")[1]
        complaints = JFFS2.findall(kernel)
        self.complaints += bool(complaints)
        for line in complaints:
            self.jffs2[re.sub(r"\d+|0x[0-9a-f]+", "N", line)] += 1

    # -- the moments ------------------------------------------------------------

    def at_work(self, moment):
        self.board.console.send("export NUT_PIDPATH=/data/nut; echo AT''WORK; "
                                f"{WORK[moment]}; echo TIRED''OF\r")
        self.board.expect("ATWORK", 20)
        # until the cut, each of these commands works
        heard = self.board.console.expect(["TIREDOF", pexpect.TIMEOUT],
                                          timeout=self.dice.uniform(0.0, 2.0))
        assert heard == 1, self.board.text + self.board.console.before
        self.cut(moment)

    def before_it_is_ready(self, moment, last):
        """last: how long the last boot took."""
        self.on(self.dice.choice(STRANGERS))
        if moment == "starting":
            self.board.expect(BOARD_UP, 120)
            time.sleep(self.dice.uniform(0.0, 0.6))
        else:
            time.sleep(self.dice.uniform(0.1, 1.05) * last)
        self.cut(moment)

    def play(self, count):
        """So many cuts; after each one that hit a board that ran, a boot that is looked at.

        A board that is to be cut while it boots has to be off before: the cut that does it counts,
        too, and so does a boot after both of them.
        """
        began = time.monotonic()
        self.boot(first=True)
        while self.cuts < count:
            last = time.monotonic() - began
            self.deck = self.deck or self.dice.sample(MOMENTS, len(MOMENTS))
            moment = self.deck.pop()
            if moment in WORK:
                self.at_work(moment)
            else:
                time.sleep(self.dice.uniform(0.0, 1.0))
                self.cut("running")
                if self.cuts < count:
                    self.before_it_is_ready(moment, last)
            began = time.monotonic()
            self.boot()


@pytest.fixture
def images(request, rootfs, helper, tmp_path):
    """One for each stranger."""
    name = request.config.getoption("--board")
    files = {
        **helper,
        "/etc/default/upsmon": "UPSMON_STDERR=/dev/console\nNUT_PIDPATH=/data/nut\n",
        "/etc/inittab": rootfs("/etc/inittab") + f"::once:{HELPER} boot\n",
        "/etc/init.d/S05at-once": AT_ONCE,
    }
    return {stranger: variant(name, files if stranger == "plain" else {
        **files, "/etc/init.d/S10recycle":
        f'#!/bin/sh\n[ "$1" = start ] && {HELPER} recycle {stranger}\n'},
        tmp_path / f"{stranger}.cpio.gz") for stranger in STRANGERS}


@pytest.mark.parametrize("part", range(soak_counts.PARTS))
def test_power_cuts(switch_on, soak, upsd, images, dice, tmp_path, part):
    began = time.monotonic()
    cuts = Cuts(switch_on, soak, upsd, images, tmp_path / "flash", dice)
    try:
        cuts.play(soak_counts.CUTS)
    finally:
        print(f"cuts: {dict(cuts.moments)}\nboots: {cuts.boots}, with {dict(cuts.strangers)}\n"
              f"verdicts: {dict(cuts.verdicts)}\nJFFS2: {dict(cuts.jffs2)}\n"
              f"the flash: {tmp_path}/flash, the console: {tmp_path}/console.log")
    # the flash has to keep what upsmon must not believe, or nothing was shown
    assert cuts.lost == 0 and cuts.stale >= (cuts.boots - 1) * 3 // 4
    report(f"board {soak_counts.BOARD}: power cuts in a row", rounds=cuts.cuts, boots=cuts.boots,
           max_seconds_to_ready=max(cuts.ready), seconds=time.monotonic() - began,
           boots_with_a_stale_pidfile=cuts.stale, boots_with_jffs2_complaints=cuts.complaints,
           **{f"cut_while_{moment}": n for moment, n in sorted(cuts.moments.items())})
    for verdict, count in sorted(cuts.verdicts.items()):
        report(f"board {soak_counts.BOARD}: after a power cut: {verdict}", rounds=count)

    # and the board is protected
    upsd.set_status("OB LB DISCHRG")
    cuts.board.expect("rcK: POWERDOWNFLAG is set: killpower", 60)
    assert cuts.board.expect_end(30) == 0
