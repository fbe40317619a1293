#!/usr/bin/python3
"""story.py BOARD - `make run`: a board loses its mains, and shuts itself down.

Tells each step with its time as it happens.  Exits 0 only if the board went
down by itself, in the order that is told here.
"""

import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from lab.board import BOARD_UP, READY, TOP, Board
from lab.upsd import Upsd, clean_up_when_ended, wait_for

START = time.monotonic()


def tell(text):
    print(f"{time.monotonic() - START:6.1f} s  {text}", flush=True)


def story(name, upsd, log):
    times = {}
    tell(f"upsd with dummy-ups listens on 127.0.0.1:{upsd.port}; the UPS is on line")
    with Board(name, upsd_port=upsd.port, log=log) as board:
        tell(f"board {name}: QEMU starts, pid {board.pid}")
        seconds = board.expect(BOARD_UP, 240).group(1)
        tell(f"board up, {seconds} s after its kernel started")
        board.expect(READY)
        times["boot to ready"] = time.monotonic() - board.started
        wait_for("the board's login", lambda: upsd.logins() == 1, 120)
        tell("upsmon ready on the board, logged in at upsd as primary")
        tell(f"on line: upsd says {upsd.status()}")
        time.sleep(2)

        tell("--- the mains fail: OB")
        upsd.set_status("OB DISCHRG")
        board.expect(r"UPS ups@upsd on battery")
        tell("the board knows: on battery")
        time.sleep(2)

        tell("--- the battery runs low: OB LB")
        upsd.set_status("OB LB DISCHRG")
        low = time.monotonic()
        board.expect(r"UPS ups@upsd battery is low")
        tell("the board knows: battery low")
        board.expect(r"UPS ups@upsd: FSD is set")
        if "FSD" not in upsd.status():
            raise AssertionError(f"the board says FSD, and upsd says {upsd.status()}")
        tell(f"FSD set by the board as primary: upsd says {upsd.status()}")
        board.expect(r"POWERDOWNFLAG (\S+) is written")
        tell("POWERDOWNFLAG written, SHUTDOWNCMD runs")
        board.expect(r"killpower")
        tell("file systems and services go down; the UPS may be switched off (killpower)")
        board.expect(r"rcK: all is down")
        tell("clean power-off")
        code = board.expect_end()
        times["low battery to power-off"] = time.monotonic() - low
        if code != 0:
            raise AssertionError(f"QEMU ended with exit code {code}")
        tell("QEMU is gone: the board has switched itself off")
    return times


def main():
    name = sys.argv[1]
    clean_up_when_ended()
    log = TOP / "build" / name / "console.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="nutlet-run-") as directory:
        try:
            with Upsd(directory) as upsd:
                times = story(name, upsd, log)
        except (AssertionError, TimeoutError) as error:
            tell(f"FAILED: {error}")
            print(f"the whole console: {log.relative_to(TOP)}")
            return 1
        except KeyboardInterrupt:
            tell("interrupted")
            return 130
    binary = TOP / "build" / name / "rootfs" / "usr" / "sbin" / "upsmon"
    print("\nThe board watched its UPS, told the others, and went down in time:")
    for what, seconds in times.items():
        print(f"  {what:26} {seconds:5.1f} s")
    if binary.exists():
        print(f"  {'upsmon on the board':26} {binary.stat().st_size / 1024:5.0f} KiB, static")
    print(f"  the whole console: {log.relative_to(TOP)};  play it yourself: make console")
    return 0


if __name__ == "__main__":
    sys.exit(main())
