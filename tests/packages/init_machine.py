"""A small machine of its own, in namespaces: its pid 1 is a real init of a Debian suite, and nutlet
is installed on it as `make install INIT=...` does it."""

import os
import pathlib
import shutil
import signal
import subprocess

from daemon import BINARIES, alive, children
from lab.upsd import wait_for

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
TREES = TOP / "build" / "init"
PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_install(layer, init, prefix="/usr", **options):
    """As the README has it. Returns what make has said."""
    command = ["make", "-s", "install", "install-init", f"DESTDIR={layer}", f"PREFIX={prefix}",
               f"INIT={init}"]
    # no variable of a make around the tests gets into this one
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, check=True,
                          timeout=120, **options)


class Machine:
    def __init__(self, directory, suite, build="host", prefix="/usr"):
        self.dir = pathlib.Path(directory)
        self.tree = TREES / suite
        self.build = build
        self.prefix = prefix
        # what lies above the suite's tree at the boot
        self.layer = self.dir / "layer"
        self.layer.mkdir(parents=True)
        self.outer = None
        self.pid1 = None

    # -- before the boot -----------------------------------------------------

    def write(self, path, text, mode=0o644):
        """A file of the machine, before the boot or while it runs."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def install(self, init):
        make_install(self.layer, init, self.prefix)
        self.put_program(self.build)

    def put_program(self, build):
        """In the place of the one that is there, as upsmon(8) says. Returns its size."""
        program = self.path(f"{self.prefix}/sbin/upsmon")
        shutil.copy(BINARIES[build], f"{program}.new")
        os.rename(f"{program}.new", program)
        return program.stat().st_size

    def program_size(self, pid):
        """Of the one that runs."""
        return int(self.run("stat", "-L", "-c", "%s", f"/proc/{pid}/exe").stdout)

    # -- life ----------------------------------------------------------------

    def boot(self, *init):
        assert self.tree.is_dir(), f"{self.tree} is missing: make package-test makes it"
        root = self.dir / "root"
        root.mkdir()
        self.console = open(self.dir / "console", "wb")
        # with us, if we are killed, everything in there ends
        self.outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", str(HERE / "init_boot.sh"),
             str(root), f"{self.layer}:{self.tree}", *init],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console)
        self.pid1 = wait_for("pid 1", self._find_pid1)
        return self

    def _find_pid1(self):
        """The host's number of the machine's pid 1, once it is what it shall be."""
        assert self.outer.poll() is None, self.console_text()
        below = [self.outer.pid]
        while below:
            pid = below.pop()
            try:
                below += children(pid)
                numbers = pathlib.Path(f"/proc/{pid}/status").read_text().split("NSpid:")[1]
                up = pathlib.Path(f"/proc/{pid}/root/run/up").exists()
            except (OSError, IndexError):
                continue
            if up and numbers.splitlines()[0].split()[1:] == ["1"]:
                return pid
        return None

    def console_text(self):
        return (self.dir / "console").read_text(errors="replace")

    def path(self, path):
        """A file of the machine as we see it."""
        root = pathlib.Path(f"/proc/{self.pid1}/root") if self.pid1 else self.layer
        return root / str(path).lstrip("/")

    def read(self, path):
        try:
            return self.path(path).read_text(errors="replace")
        except OSError:
            return ""

    def _inside(self, command):
        return ["nsenter", "-t", str(self.pid1), "-m", "-p", "-i", "-u", "-C", "-r", "-w",
                "env", "-i", f"PATH={PATH}", *command]

    def run(self, *command, timeout=60):
        return subprocess.run(self._inside(command), stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=timeout, check=False)

    def spawn(self, *command):
        """One that goes on; ends with the machine."""
        return subprocess.Popen(self._inside(command), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_up(self):
        return self.pid1 is not None and alive(self.pid1)

    def end(self):
        if self.outer is None:
            return
        if self.is_up():
            os.kill(self.pid1, signal.SIGKILL)
        try:
            self.outer.wait(30)
        except subprocess.TimeoutExpired:
            self.outer.kill()
            self.outer.wait()
        self.console.close()
        # systemd takes the console for its own, which is a /dev/null: not the one out here
        null = os.stat("/dev/null")
        assert (null.st_mode & 0o777, null.st_uid, null.st_gid) == (0o666, 0, 0)

    # -- its upsmon ----------------------------------------------------------

    def kill(self, pid):
        """kill -9, and it is dead: what holds its lock is the kernel for a moment more."""
        self.run("kill", "-9", str(pid))
        wait_for(f"the death of {pid}",
                 lambda: self.read(f"/proc/{pid}/stat").rsplit(")", 1)[-1].split()[:1] in
                 ([], ["Z"], ["X"]))

    def upsmon(self, *args):
        return self.run(f"{self.prefix}/sbin/upsmon", *args)

    def pid(self):
        """The pid of the upsmon that is ready, in the machine's numbers; None if there is none."""
        status = self.upsmon("-c", "status")
        written = self.read("/run/nut/upsmon.pid").strip()
        if status.returncode != 0 or not written:
            return None
        return int(written) if f"pid {written} holds the lock" in status.stdout else None
