"""A router of the stand-in: a folder that is the root of busybox, of the package, and of what
stands in for OpenWrt. Its processes share kernel, process numbers and loopback with the test."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from daemon import end_marked, lock_holder
from lab.upsd import wait_for

from .procd import Procd
from .uci import Uci

HERE = pathlib.Path(__file__).resolve().parent

# In a mount namespace of its own; $1 is the root, $2 the folder in memory that is its /tmp.
ENTER = ('mount --bind "$2" "$1/tmp" && mount --rbind /proc "$1/proc" && '
         'mount --rbind /dev "$1/dev" && root=$1 && shift 2 && exec chroot "$root" "$@"')

PASSWD = ("root:x:0:0:root:/root:/bin/sh\n"
          "nobody:x:65534:65534:nobody:/var:/bin/false\n"
          "nutmon:x:114:114:nutmon:/var/run/nutmon:/bin/false\n"
          "watcher:x:115:115:watcher:/var:/bin/false\n")
GROUP = "root:x:0:\nnogroup:x:65534:\nnutmon:x:114:\nwatcher:x:115:\n"


def _copy_busybox(root):
    busybox = shutil.which("busybox")
    (root / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    said = subprocess.run(["ldd", busybox], capture_output=True, text=True, check=False).stdout
    for word in said.split():
        if word.startswith("/"):
            target = root / word.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        link = root / "bin" / applet
        if not link.exists():
            link.symlink_to("busybox")


class Router:
    """unpack(root): puts the package's files into the root."""

    def __init__(self, directory, unpack):
        self.root = pathlib.Path(directory) / "router"
        # where there is no tmpfs, the folder is as good
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self._tmp = tempfile.TemporaryDirectory(prefix="router-", dir=memory)
        self.tmp = pathlib.Path(self._tmp.name)
        self.tmp.chmod(0o755)
        self.messages = self.tmp / "messages"
        self.mark = f"NUTLET_TEST={self.root}"
        self._build(unpack)
        self.uci = Uci(self.root / "etc" / "config")
        self.procd = Procd(self._spawn, self.log, self._read)
        self._bus = threading.Thread(target=self._listen, daemon=True)
        self._bus.start()

    def _build(self, unpack):
        for name in "tmp proc dev root sbin etc/config etc/rc.d usr/bin".split():
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "var").symlink_to("tmp")
        for name in "run lock etc standin".split():
            (self.tmp / name).mkdir()
        _copy_busybox(self.root)
        unpack(self.root)
        shutil.copytree(HERE / "root", self.root, dirs_exist_ok=True)
        (self.root / "etc" / "passwd").write_text(PASSWD)
        (self.root / "etc" / "group").write_text(GROUP)
        self.script("/sbin/poweroff", 'echo "poweroff $*" >>/tmp/down')
        self.messages.touch()
        self.fifo = self.tmp / "standin" / "bus"
        os.mkfifo(self.fifo)

    def script(self, path, text):
        """A program of the router."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    # -- the bus -------------------------------------------------------------

    def _listen(self):
        # open for both, so that it never ends for want of a writer
        with os.fdopen(os.open(self.fifo, os.O_RDWR), "r") as bus:
            for line in bus:
                if line == "end\n":
                    return
                threading.Thread(target=self._answer, args=(line.strip(),), daemon=True).start()

    def _answer(self, number):
        directory = self.tmp / "standin"
        args = (directory / f"ask.{number}").read_bytes().decode().split("\0")[:-1]
        player = {"uci": self.uci, "procd": self.procd}[args[0]]
        try:
            code, text = player.run(args[1:])
        except Exception as error:  # the script must not wait for ever
            code, text = 99, f"stand-in: {error!r}\n"
            self.log(f"daemon.crit standin: {args}: {error!r}")
        (directory / f"answer.{number}").write_text(f"{code}\n{text}")

    def _read(self, path):
        return (self.tmp / path.removeprefix("/tmp/")).read_bytes()

    # -- processes -----------------------------------------------------------

    def _command(self, command):
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", ENTER, "router",
                str(self.root), str(self.tmp), *command]

    def _environment(self, more):
        mark, value = self.mark.split("=")
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", mark: value, **more}

    def _spawn(self, command, environment):
        return subprocess.Popen(
            self._command(command), env=self._environment(environment), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")

    def run(self, *command, timeout=120, **environment):
        """A command in the router, to its end."""
        return subprocess.run(
            self._command(command), env=self._environment(environment), timeout=timeout,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False)

    def sh(self, text, **environment):
        return self.run("/bin/sh", "-c", text, **environment)

    def service(self, action):
        return self.run("/etc/init.d/nut-monitor", action)

    # -- what is there -------------------------------------------------------

    def log(self, text):
        with open(self.messages, "a") as f:
            f.write(text + "\n")

    def logged(self, start=0):
        return self.messages.read_text(errors="replace")[start:]

    def wait_log(self, text, start=0):
        wait_for(f"in the log: {text}", lambda: text in self.logged(start))

    def config(self, text, package="nut_monitor"):
        file = self.root / "etc" / "config" / package
        file.write_text(text)
        file.chmod(0o600)

    def file(self, path):
        """A path of the router, seen from here."""
        for link in ("/var/", "/tmp/"):
            if path.startswith(link):
                return self.tmp / path[len(link):]
        return self.root / path.lstrip("/")

    def made(self):
        """The lines of upsmon.conf, without comments; the last of its kind counts."""
        text = self.file("/var/etc/nut/upsmon.conf").read_text()
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def pid(self):
        """Of the upsmon that runs and is ready."""
        holder = lock_holder(self.file("/var/run/upsmon.lock"))
        try:
            written = int(self.file("/var/run/upsmon.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return written if written == holder else None

    def wait_pid(self, other_than=None):
        return wait_for("upsmon ready", lambda: self.pid() not in (None, other_than)
                        and self.pid())

    def down(self):
        file = self.tmp / "down"
        return file.read_text() if file.exists() else ""

    # -- the end -------------------------------------------------------------

    def end(self):
        self.procd.stop()
        end_marked(self.mark)
        with open(self.fifo, "w") as bus:
            bus.write("end\n")
        self._bus.join(10)
        self._tmp.cleanup()
