#!/usr/bin/python3
"""console.py BOARD - `make console`: the board with its console on your terminal.

A real upsd runs beside it.  What the UPS says is changed from a second
terminal, with the lines that are shown at the start.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from lab.board import QEMU
from lab.upsd import ADMIN, Upsd, clean_up_when_ended

HELP = """\
The board {name}; its UPS is played by upsd on 127.0.0.1:{port}.

  press Enter         for a shell on the board, once it is up
  ctrl-A x            leaves: for the board, that is a power cut
  poweroff            in the board's shell: a clean end

From a second terminal:
  the mains fail:     upsrw -s ups.status="OB" -u {user} -p {password} ups@127.0.0.1:{port}
  the battery is low: upsrw -s ups.status="OB LB" -u {user} -p {password} ups@127.0.0.1:{port}
  the mains are back: upsrw -s ups.status="OL" -u {user} -p {password} ups@127.0.0.1:{port}
  a power cut:        kill -9 {pid}
"""


def main():
    name = sys.argv[1]
    clean_up_when_ended()
    if not sys.stdin.isatty():
        print("make console needs a terminal; without one there is make run", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="nutlet-console-") as directory:
        with Upsd(directory) as upsd:
            board = subprocess.Popen([str(QEMU), name, "--upsd-port", str(upsd.port),
                                      "--interactive"])
            print(HELP.format(name=name, port=upsd.port, user=ADMIN[0], password=ADMIN[1],
                              pid=board.pid), flush=True)
            try:
                board.wait()
            except KeyboardInterrupt:
                pass
            finally:
                if board.poll() is None:
                    board.kill()
                    board.wait()
                # QEMU, when killed, leaves the terminal as it had set it
                os.system("stty sane")
    return 0


if __name__ == "__main__":
    sys.exit(main())
