"""An upsmon under test: its files, its life, and what it did."""

import fcntl
import os
import pathlib
import pwd
import signal
import struct
import subprocess
import time

from lab.upsd import PRIMARY, wait_for

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
BINARIES = {"host": BUILD / "host" / "upsmon", "uclibc": BUILD / "host-uclibc" / "upsmon"}
# One of another architecture instead, where something runs it (foreign.sh).
if "NUTLET_BINARY" in os.environ:
    BINARIES = {"foreign": pathlib.Path(os.environ["NUTLET_BINARY"]).resolve()}

def _default_user():
    """As options.h has it: the first that exists."""
    for name in "nut nutmon ups nobody".split():
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


DEFAULT_USER = _default_user()

TYPES = "ONLINE ONBATT LOWBATT FSD COMMOK COMMBAD SHUTDOWN NOCOMM NOPARENT".split()

# struct flock of a 64-bit Linux: type, whence, start, len, pid
FLOCK = "hhqqi4x"


def freeze(pid):
    """SIGSTOP, and the process has come to a stand: until then it may still act."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(f"pid {pid} to stop", lambda: state_of(pid) == "T", step=0.005)


def lock_holder(path):
    """The pid that holds the fcntl lock of a file, None if nobody does."""
    try:
        with open(path, "rb") as f:
            raw = fcntl.fcntl(f, fcntl.F_GETLK, struct.pack(FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0))
    except (FileNotFoundError, IsADirectoryError):
        return None
    kind, _, _, _, pid = struct.unpack(FLOCK, raw)
    return None if kind == fcntl.F_UNLCK else pid


def children(pid):
    """The direct children of a process."""
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def state_of(pid):
    """As ps has it; X if there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "X"
    return stat.rsplit(")", 1)[1].split()[0]


def alive(pid):
    return state_of(pid) not in "ZX"


def uid_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


def _read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def marked(mark, but=()):
    """pid -> parent of every process with this text in its environment, whatever its name."""
    found = {}
    needle = mark.encode() + b"\0"
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in but:
            continue
        if needle in _read(f"/proc/{name}/environ"):
            stat = _read(f"/proc/{name}/stat").rsplit(b")", 1)[-1].split()
            if len(stat) > 1 and stat[0] not in b"ZX":
                found[int(name)] = int(stat[1])
    return found


def tops(found):
    """Those whose parent is none of them: one for each daemon, and one for each orphan."""
    return sorted(pid for pid, parent in found.items() if parent not in found)


def in_order_of_pids(pairs, pid_max=None):
    """What stands behind each pid, in the order in which these were given.

    The numbers begin anew behind pid_max, which a day of tests comes to a few times.
    """
    pid_max = pid_max or int(pathlib.Path("/proc/sys/kernel/pid_max").read_text())
    pids = [pid for pid, _ in pairs]
    wrapped = pids and max(pids) - min(pids) > pid_max // 2
    return [kind for _, kind in sorted(
        (pid + pid_max if wrapped and pid < pid_max // 2 else pid, kind) for pid, kind in pairs)]


def end_marked(mark):
    """Kills them all, each by its pid, until there is none."""
    def gone():
        found = marked(mark)
        for pid in tops(found):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not found

    wait_for(f"the end of all with {mark}", gone, step=0.01)


class Daemon:
    def __init__(self, binary, directory, port=None, ups="ups", user=PRIMARY, role="primary",
                 extra=""):
        self.binary = str(binary)
        self.dir = pathlib.Path(directory)
        self.conf = self.dir / "upsmon.conf"
        self.pid_dir = self.dir / "run"
        self.pidfile = self.pid_dir / "upsmon.pid"
        self.lockfile = self.pid_dir / "upsmon.lock"
        self.flag = self.dir / "killpower"
        self.down = self.dir / "down"
        self.events_file = self.dir / "events"
        self.started_file = self.dir / "started"
        self.env = {"PATH": os.environ["PATH"], "NUT_CONFPATH": str(self.dir),
                    "NUT_PIDPATH": str(self.pid_dir), "NUT_ALTPIDPATH": str(self.pid_dir)}
        # whatever a test changes of the rest, by this its processes are found
        self.mark = f"NUTLET_TEST={self.dir}"
        self.env["NUTLET_TEST"] = str(self.dir)
        self.foreground = None
        self._prepare()
        if port:
            self.configure(port, ups, user, role, extra)

    def _prepare(self):
        self.pid_dir.mkdir(parents=True, exist_ok=True)
        # the unprivileged half runs the notify script
        for directory in (self.dir, *self.dir.parents):
            if directory.is_dir() and os.stat(directory).st_uid == os.geteuid() \
                    and directory != pathlib.Path("/"):
                directory.chmod(directory.stat().st_mode | 0o055)
        notify = self.dir / "notify"
        notify.write_text(f'#!/bin/sh\necho "$NOTIFYTYPE $UPSNAME|$1" >>{self.events_file}\n'
                          f'echo "$$ $NOTIFYTYPE" >>{self.started_file}\n')
        notify.chmod(0o755)
        for file in (self.events_file, self.started_file):
            file.touch()
            file.chmod(0o666)

    def live_in(self, directory):
        """Pidfile, lock and state are there; only in memory there is a state."""
        self.pid_dir = pathlib.Path(directory)
        self.pidfile = self.pid_dir / "upsmon.pid"
        self.lockfile = self.pid_dir / "upsmon.lock"
        self.env.update(NUT_PIDPATH=str(directory), NUT_ALTPIDPATH=str(directory))

    def inside(self, setup):
        """From now on it runs where what these shell commands mount is its own, and nobody else's.
        False if nothing can be mounted here."""
        wrapper = self.dir / "inside"
        wrapper.write_text("#!/bin/sh\nexec unshare -m --propagation private sh -ec '"
                           f"{setup}\nexec {self.binary} \"$@\"' sh \"$@\"\n")
        wrapper.chmod(0o755)
        if subprocess.run([wrapper, "-h"], capture_output=True, check=False).returncode != 0:
            return False
        self.binary = str(wrapper)
        return True

    def system(self, port, ups="ups"):
        return f"{ups}@127.0.0.1:{port}"

    def write(self, text):
        self.conf.write_text(text)
        self.conf.chmod(0o640)

    def configure(self, port, ups="ups", user=PRIMARY, role="primary", extra=""):
        flags = "".join(f"NOTIFYFLAG {t} SYSLOG+EXEC\n" for t in TYPES)
        self.write(
            f"MONITOR {self.system(port, ups)} 1 {user[0]} {user[1]} {role}\n"
            f"SHUTDOWNCMD \"echo $(id -u) >>{self.down}\"\n"
            f"NOTIFYCMD {self.dir}/notify\nPOWERDOWNFLAG {self.flag}\n"
            "POLLFREQ 1\nPOLLFREQALERT 1\nDEADTIME 4\nHOSTSYNC 3\nFINALDELAY 1\n"
            + flags + extra)

    # -- life ----------------------------------------------------------------

    def command(self, *args, timeout=60, **options):
        """Runs upsmon with these options to its end."""
        return subprocess.run([self.binary, *args], env=self.env, timeout=timeout,
                              capture_output=True, text=True, check=False, **options)

    def start(self, *args):
        """Into the background; returns the result of the command."""
        return self.command("-B", *args)

    def started(self, *args):
        result = self.start(*args)
        assert result.returncode == 0, result.stderr
        return self

    def launch(self, *args):
        """In the foreground, as a supervisor would; waits for nothing."""
        self.foreground = subprocess.Popen(
            [self.binary, "-F", *args], env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.dir / "log", "ab"))

    def run(self, *args):
        """The same, and waits until it is ready."""
        self.launch(*args)
        wait_for("ready", lambda: self.foreground.poll() is not None or self.pid())
        assert self.foreground.poll() is None, self.log()
        return self

    def log(self):
        return (self.dir / "log").read_text(errors="replace")

    def wait_log(self, text, seconds=30):
        wait_for(f"log: {text}", lambda: text in self.log(), seconds)

    def pid(self):
        """The pidfile's pid, if it is the lock holder's."""
        holder = lock_holder(self.lockfile)
        try:
            written = int(self.pidfile.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return written if written == holder else None

    def monitor(self):
        """The unprivileged half: the guard's child that is called upsmon."""
        for child in children(self.pid()):
            try:
                name = pathlib.Path(f"/proc/{child}/comm").read_text().strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name == "upsmon" and alive(child):
                return child
        return None

    def status(self):
        return self.command("-c", "status").returncode

    def end(self):
        """Whatever state it is in, and wherever its files are: ends it by its pid."""
        end_marked(self.mark)
        if self.foreground:
            self.foreground.kill()
            self.foreground.wait()

    # -- what it did ---------------------------------------------------------

    def events(self):
        """In the order in which their commands were started: on a busy machine one that is
        started later may be quicker."""
        lines = [line.split() for line in self.started_file.read_text().splitlines()]
        return in_order_of_pids([(int(pid), kind) for pid, kind in lines])

    def wait_events(self, *expected, seconds=30):
        """Waits until exactly these have come, and no other."""
        try:
            wait_for(" ".join(expected), lambda: len(self.events()) >= len(expected), seconds)
        except TimeoutError:
            pass
        got = self.events()
        # Told in the same moment, each by a NOTIFYCMD of its own: the second may write first.
        for i, pair in enumerate(zip(got, got[1:])):
            if pair == ("FSD", "LOWBATT"):
                got[i:i + 2] = reversed(pair)
        assert got == list(expected)

    def wait_down(self, seconds=30):
        """Until its line is there: the shell makes the file before it writes."""
        wait_for("SHUTDOWNCMD", lambda: self.down.exists() and self.down.read_text(), seconds)


def as_user(uid):
    """A preexec function: that user, in the group of the same number and in no other."""
    def become():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    return become


def as_nobody():
    """A preexec function: what a user without rights may do."""
    as_user(pwd.getpwnam("nobody").pw_uid)()


def settle(seconds):
    """For what must not happen: gives it the time to happen."""
    time.sleep(seconds)
