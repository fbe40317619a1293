#!/usr/bin/python3
"""Records linux/: starts each process for real, and keeps what the kernel shows of it.

    sudo tests/core/proc/record.py build/host/upsmon

Root is needed for the process whose three user ids differ.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = ("comm", "stat", "status")
PR_SET_NAME = 15


def keep(case, pid, exe=False):
    folder = os.path.join(HERE, "linux", case)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in FILES:
        with open(f"/proc/{pid}/{name}", "rb") as source, open(f"{folder}/{name}", "wb") as to:
            to.write(source.read())
    if exe:
        with open(f"{folder}/exe", "w", encoding="ascii") as to:
            to.write(os.readlink(f"/proc/{pid}/exe") + "\n")


def named(case, name, uids=None):
    """A process that gave itself a name, as nutlet does."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)
        if uids:
            os.setresuid(*uids)
        os.write(tell, b"x")
        signal.pause()
    os.read(ready, 1)
    keep(case, pid)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def started(case, path, *args, after=None):
    """A process that has its name from the file that it was started through."""
    with subprocess.Popen([path, *args], stderr=subprocess.DEVNULL) as p:
        # until it has got to its work, and nutlet to its name
        time.sleep(0.5)
        if after:
            after()
        keep(case, p.pid, exe=True)
        p.terminate()


def main():
    nutlet = os.path.abspath(sys.argv[1])
    sleep = shutil.which("sleep")
    named("spaces", b"ups mon ", uids=(1, 2, 3))
    named("parentheses", b"upsmon) Z (x")
    named("newline", b"ups\nmon\n")
    named("backslash", b"ups\\nmon")
    named("empty", b"")
    named("fifteen", b"fifteen-letters")
    keep("kernel-thread", 2)

    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_NAME, b"upsmon", 0, 0, 0)
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    keep("zombie", pid)
    os.waitpid(pid, 0)

    with tempfile.TemporaryDirectory(prefix="nutlet-") as place:
        def path(name):
            return os.path.join(place, name)

        def replace():
            shutil.copy(sleep, path("new"))
            os.rename(path("new"), path("upsmon"))

        for name in ("upsmon", "lt-upsmon", "a-program-with-a-long-name"):
            shutil.copy(sleep, path(name))
        started("replaced", path("upsmon"), "60", after=replace)
        started("lt-upsmon", path("lt-upsmon"), "60")
        started("longer", path("a-program-with-a-long-name"), "60")
        os.symlink("upsmon", path("ups-watch"))
        started("symlink", path("ups-watch"), "60")

        # the same two with nutlet itself, which minds its own name
        shutil.copy(nutlet, path("lt-upsmon"))
        os.symlink("lt-upsmon", path("power-watch"))
        with open(path("upsmon.conf"), "w", encoding="ascii") as conf:
            conf.write('MONITOR ups@127.0.0.1:9 1 user secret secondary\nSHUTDOWNCMD "true"\n')
        os.environ.update(NUT_CONFPATH=place, NUT_PIDPATH=place, NUT_ALTPIDPATH=place,
                          NUT_STATEPATH=place, NUT_DEBUG_SYSLOG="stderr")
        started("nutlet-lt-upsmon", path("lt-upsmon"), "-F")
        started("nutlet-symlink", path("power-watch"), "-F")


main()
