"""An upsmon of anybody's in a room of its own, and the recorder of what it does.

Peer runs any upsmon binary: NUT's, ours, a third one (UPSMON_PEER). Both sides of a comparison
get this same class, the same upsmon.conf and the same recorder, so that what differs is the
binary. Each one lives in its own pid and mount namespace with an empty /run: NUT's upsmon has
the place of its pidfile compiled in, and several must run at once without touching the machine.

The recorder is a NOTIFYCMD. NUT's upsmon starts each one from a fork of its own, so that two of
the same moment may write in any order; the number of that fork, which only grows in a fresh pid
namespace, tells the order in which upsmon notified.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "board" / "common"))

from lab.upsd import PRIMARY, wait_for  # noqa: E402 (the path comes first)

# /usr/sbin/upsmon is a wrapper of Debian's, which wants /etc/nut/nut.conf
PEER = os.environ.get("UPSMON_PEER") or "/lib/nut/upsmon"
OURS = os.environ.get("UPSMON_OURS") or str(TOP / "build" / "host" / "upsmon")

TYPES = ("ONLINE ONBATT LOWBATT FSD COMMOK COMMBAD SHUTDOWN SHUTDOWN_HOSTSYNC REPLBATT NOCOMM "
         "NOPARENT CAL NOTCAL OFF NOTOFF BYPASS NOTBYPASS ECO NOTECO ALARM NOTALARM OVER NOTOVER "
         "TRIM NOTTRIM BOOST NOTBOOST OTHER NOTOTHER").split()

# Short, and far enough apart that a busy machine does not mix them up.
TIMES = {"POLLFREQ": 1, "POLLFREQALERT": 1, "DEADTIME": 4, "HOSTSYNC": 3, "FINALDELAY": 1}

# First process of the room. It stays when upsmon leaves: the room would go with it, and with the
# room the notify commands that still run.
INIT = """mount -t tmpfs tmpfs /run && mkdir -m 755 /run/nut && eval "$ROOM_SETUP" || exit 99
"$@"
echo $? >"$ROOM/exit.new" && mv "$ROOM/exit.new" "$ROOM/exit"
exec sleep 600
"""

NOTIFY = """#!/bin/sh
# Who notified: the parent, or its parent where a shell stands between.
read -r pid name state up rest </proc/$PPID/stat
case $name in "("*sh")") ;; *) up=$PPID ;; esac
echo "$up|$NOTIFYTYPE|$UPSNAME|$1" >>%s
"""


def cannot_run():
    """Why no room can be made here; None if it can."""
    if os.geteuid() != 0:
        return "needs root: each upsmon gets a mount namespace with its own /run"
    for tool in ("unshare", "nsenter", "setpriv"):
        if not shutil.which(tool):
            return f"needs {tool} of util-linux"
    return None


def version(binary):
    """The first line of -V, which NUT's writes to either stream."""
    result = subprocess.run([binary, "-V"], capture_output=True, text=True, check=False,
                            stdin=subprocess.DEVNULL)
    return ((result.stdout + result.stderr).strip().splitlines() or ["unknown"])[0]


class Peer:
    def __init__(self, binary, directory):
        self.binary = str(binary)
        self.dir = pathlib.Path(directory)
        self.conf = self.dir / "upsmon.conf"
        self.down = self.dir / "down"
        self.flag = self.dir / "killpower"
        self.events_file = self.dir / "events"
        self.exit_file = self.dir / "exit"
        self.env = {"PATH": os.environ["PATH"], "NUT_CONFPATH": str(self.dir),
                    "ROOM": str(self.dir), "ROOM_SETUP": ""}
        self.room = None
        self._prepare()

    def _prepare(self):
        # the unprivileged half reads upsmon.conf and runs the notify command
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o755)
        notify = self.dir / "notify"
        notify.write_text(NOTIFY % self.events_file)
        notify.chmod(0o755)
        self.events_file.touch()
        self.events_file.chmod(0o666)

    # -- configuration -------------------------------------------------------

    def configure(self, port, ups=("ups",), user=PRIMARY, role="primary", extra="", monitors="",
                  flag="EXEC", **times):
        """One MONITOR line a UPS; monitors: more of them, as text; flag: "" for the defaults."""
        lines = [f"MONITOR {u}@127.0.0.1:{port} 1 {user[0]} {user[1]} {role}" for u in ups]
        lines += monitors.splitlines()
        lines += [f"NOTIFYFLAG {t} {flag}" for t in TYPES if flag]
        lines += [f"{name} {value}" for name, value in {**TIMES, **times}.items()]
        lines += [f'SHUTDOWNCMD "echo down >>{self.down}"', f"NOTIFYCMD {self.dir}/notify",
                  f"POWERDOWNFLAG {self.flag}", "RUN_AS_USER nobody"]
        self.write("\n".join(lines) + "\n" + extra)
        return self

    def write(self, text):
        self.conf.write_text(text)
        # a reload is read by the unprivileged half
        self.conf.chmod(0o644)

    # -- life ----------------------------------------------------------------

    def run(self, *args):
        """In the foreground of its room; returns when it runs or has left."""
        self.exit_file.unlink(missing_ok=True)
        # setpriv: the room ends also when the test itself is killed
        self.room = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork",
             "--kill-child", "--mount-proc", "sh", "-c", INIT, "init", self.binary, "-F", *args],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.dir / "log", "ab"), start_new_session=True)
        wait_for("the room", lambda: self.room.poll() is not None or self.init(), 20)
        wait_for("upsmon in its room", lambda: self.exited() is not None or self._pidfile(), 20)
        return self

    def init(self):
        """The first process of the room, as seen from outside."""
        if not self.room or self.room.poll() is not None:
            return None
        text = pathlib.Path(f"/proc/{self.room.pid}/task/{self.room.pid}/children").read_text()
        return int(text.split()[0]) if text.split() else None

    def _pidfile(self):
        try:
            return pathlib.Path(f"/proc/{self.init()}/root/run/nut/upsmon.pid").stat().st_size
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def exited(self):
        """Its exit code; None while it runs."""
        if self.room and self.room.poll() is not None and not self.exit_file.exists():
            raise RuntimeError(f"the room is gone: {self.log()}")
        return int(self.exit_file.read_text()) if self.exit_file.exists() else None

    def _living(self):
        """Who lives in its room: (pid as seen from outside, is it an upsmon), the oldest first."""
        todo = [pid for pid in [self.init()] if pid is not None]
        while todo:
            pid = todo.pop(0)
            try:
                todo += map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children")
                            .read_text().split())
                stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if stat.rsplit(")", 1)[1].split()[0] not in "ZX":
                yield pid, "(upsmon)" in stat

    def processes(self):
        """The upsmons of its room."""
        return [pid for pid, is_upsmon in self._living() if is_upsmon]

    def is_busy(self):
        """A notify or shutdown command is on its way: something in its room is not upsmon."""
        return any(pid != self.init() and not is_upsmon for pid, is_upsmon in self._living())

    def command(self, *args, timeout=60):
        """Runs the same binary with these options in the room, to its end."""
        command = [self.binary, *args]
        if self.init():
            command = ["nsenter", "-t", str(self.init()), "-m", "-p", *command]
        return subprocess.run(command, env=self.env, timeout=timeout, capture_output=True,
                              text=True, check=False, stdin=subprocess.DEVNULL)

    def log(self):
        path = self.dir / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self):
        """The whole room, whatever is in it."""
        if self.room:
            try:
                os.killpg(self.room.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.room.wait()

    # -- what it did ---------------------------------------------------------

    def records(self):
        """(NOTIFYTYPE, UPSNAME, message), in the order in which they were notified."""
        rows = [line.split("|", 3) for line in self.events_file.read_text().splitlines()]
        return [tuple(row[1:]) for row in sorted(rows, key=lambda row: int(row[0]))]

    def events(self):
        return [row[0] for row in self.records()]

    def finished(self):
        """It has called the shutdown, or is gone: nothing is to be waited for any more."""
        return self.down.exists() or self.exited() is not None
