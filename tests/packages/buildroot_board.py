"""A board whose upsmon, init script and configuration come from the Buildroot package."""

import shutil

from lab.board import Board, with_tree

NAME = "qemu-malta"
INIT = "/etc/init.d/S60upsmon"

# What Buildroot's own /etc/inittab comes to on this board: nothing there watches over upsmon.
INITTAB = """::sysinit:/etc/init.d/rcS
::askfirst:-/bin/sh
::ctrlaltdel:/sbin/reboot
::shutdown:/etc/init.d/rcK
"""

# "upsd" is in /etc/hosts of the board.
CONF = """MONITOR ups@upsd 1 monuser secret primary
SHUTDOWNCMD "/sbin/poweroff"
POWERDOWNFLAG /run/killpower
POLLFREQALERT 2
FINALDELAY 2
"""


def overlay(built, folder, files):
    """The target folder of a build, with the files of a root file system overlay over it."""
    tree = folder / "overlay"
    shutil.copytree(built.target, tree)
    tables = {"etc/passwd": built.passwd(), "etc/inittab": INITTAB,
              # what the image of this repository has for its own init script
              "etc/default/upsmon": ""}
    for path, text in {**tables, **files}.items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#!") else 0o644)
    built.set_permissions(tree)
    return tree


def switch_on(tree, folder, upsd):
    return Board(NAME, upsd_port=upsd.port, log=folder / "console.log",
                 image=with_tree(NAME, tree, folder / "rootfs.cpio.gz"))
