"""A Debian of its own: the small one of debian_root.sh below an overlay, in namespaces.

It has its own processes, network (loopback alone), /dev and /run, so that dpkg, apt, init scripts
and servers do there what they do on a real machine, and this one sees nothing of it. Its first
process is either systemd or a `sleep` that lets the kernel reap orphans (see tests/proof/room.py).
"""

import os
import pathlib
import shlex
import shutil
import subprocess

from lab.upsd import wait_for

HERE = pathlib.Path(__file__).resolve().parent
CGROUPS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")

DEVICES = "null 3 zero 5 full 7 random 8 urandom 9"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"}


# no name server is there to be asked
HOSTS = {"/etc/hosts": "127.0.0.1 localhost\n", "/etc/resolv.conf": ""}
# what sysvinit would say: without a runlevel, invoke-rc.d starts nothing
SYSVINIT = {"/usr/sbin/runlevel": "#!/bin/sh\necho N 2\n"}


def debian_root(suite):
    """The folder of that Debian; made by the first who asks."""
    return pathlib.Path(subprocess.run([HERE / "debian_root.sh", suite], check=True,
                                       stdout=subprocess.PIPE, text=True).stdout.strip())


class Failed(AssertionError):
    """A command in the room failed."""


class DebianRoom:
    def __init__(self, root, directory, systemd=False, files=()):
        """files: path and text of what is there before the first process starts."""
        self.dir = pathlib.Path(directory)
        self.systemd = systemd
        self.cgroup = self._make_cgroup() if systemd else None
        self.init = None
        self.log = self.dir / "room.log"
        for name in ("tmpfs", "share", "files"):
            (self.dir / name).mkdir(parents=True)
        self._write(root, {**HOSTS, **({} if systemd else SYSVINIT), **dict(files)})
        self.outer = subprocess.Popen(
            # setpriv: the room ends also when the test itself is killed
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--uts",
             "--ipc", *(["--cgroup"] if systemd else []), "--fork", "--kill-child",
             "sh", "-euc", self._script(root)],
            stdin=subprocess.DEVNULL, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=self._enter_cgroup)
        try:
            wait_for("the room", self._init_is_there, step=0.01)
            if systemd:
                wait_for("systemd", self._systemd_is_up, 60)
        except BaseException:
            self.end()
            raise

    # -- life ----------------------------------------------------------------

    def _write(self, root, files):
        """Each with the owner and the mode of the folder's file of that name, else root's."""
        for name, text in files.items():
            original, path = root / name.lstrip("/"), self.dir / "files" / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o644)
            if original.exists():
                stat = original.stat()
                os.chown(path, stat.st_uid, stat.st_gid)
                path.chmod(stat.st_mode & 0o777)
            for folder in path.relative_to(self.dir / "files").parents:
                shutil.copystat(root / folder, self.dir / "files" / folder)

    def _script(self, root):
        m = shlex.quote(str(self.dir / "tmpfs"))
        files = shlex.quote(str(self.dir / "files"))
        nodes = DEVICES.split()
        lines = [
            # in memory: nothing here has to last
            f"mount -t tmpfs -o mode=755 tmpfs {m}", f"cd {m}", "mkdir upper work root",
            f"mount -t overlay overlay -o lowerdir={files}:{shlex.quote(str(root))},upperdir=upper,"
            "workdir=work root", "cd root",
            # as systemd-nspawn does: what it would set there holds for the whole machine
            "mount -t proc proc proc", "mount --bind proc/sys proc/sys",
            "mount -o remount,bind,ro proc/sys",
            "mount -t sysfs -o ro sysfs sys",
            "mount -t tmpfs -o mode=755 tmpfs run", "mount -t tmpfs -o mode=755 tmpfs dev",
            "umask 0",
            *(f"mknod -m 666 dev/{n} c 1 {minor}" for n, minor in zip(nodes[::2], nodes[1::2])),
            "mknod -m 666 dev/tty c 5 0", "mkdir dev/pts dev/shm mnt/share", "umask 022",
            "mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts",
            "ln -s pts/ptmx dev/ptmx", "ln -s /proc/self/fd dev/fd",
            f"mount --bind {shlex.quote(str(self.dir / 'share'))} mnt/share",
            "ip link set lo up", "hostname room",
        ]
        if self.systemd:
            lines += ["mount -t cgroup2 cgroup2 sys/fs/cgroup",
                      "exec env -i container=nutlet /usr/sbin/chroot . /lib/systemd/systemd"]
        else:
            lines += ["exec env --ignore-signal=CHLD chroot . /bin/sleep 3600"]
        return "\n".join(lines)

    def _make_cgroup(self):
        parent = next(pathlib.Path(p) for p in CGROUPS
                      if os.path.exists(f"{p}/cgroup.procs") and
                      os.path.exists(f"{p}/cgroup.controllers"))
        path = parent / f"nutlet-{os.getpid()}-{self.dir.name}"
        path.mkdir()
        return path

    def _enter_cgroup(self):
        if self.cgroup:
            (self.cgroup / "cgroup.procs").write_text("0")

    def _init_is_there(self):
        assert self.outer.poll() is None, self.log.read_text()
        pid = self.outer.pid
        below = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not below:
            return False
        # unshare's only child: a shell, until it has become the init
        self.init = int(below[0])
        name = pathlib.Path(f"/proc/{self.init}/comm").read_text().strip()
        return name in ("sleep", "systemd")

    def _systemd_is_up(self):
        assert self.outer.poll() is None, self.log.read_text()
        state = self.call("systemctl", "is-system-running").stdout.strip()
        return state in ("running", "degraded")

    def end(self):
        self.outer.kill()
        self.outer.wait()
        if self.cgroup:
            wait_for("the end of its processes", lambda: not self._left(), step=0.02)
            for path in sorted(self.cgroup.rglob("*"), reverse=True):
                if path.is_dir():
                    path.rmdir()
            self.cgroup.rmdir()

    def _left(self):
        return "1" in (self.cgroup / "cgroup.events").read_text().splitlines()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    # -- what is done in it --------------------------------------------------

    def path(self, inside):
        """A file of the room, as a path from outside."""
        return pathlib.Path(f"/proc/{self.init}/root{inside}")

    def call(self, *command, timeout=120):
        return subprocess.run(
            ["nsenter", "-t", str(self.init), "-m", "-p", "-n", "-u", "-i", "-r", "-w", "--",
             *map(str, command)],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=timeout, check=False)

    def do(self, *command):
        """The same, and it has to succeed; what it says on both."""
        result = self.call(*command)
        if result.returncode:
            raise Failed(f"{' '.join(map(str, command))}: exit code {result.returncode}\n"
                         f"{result.stdout}{result.stderr}")
        return result.stdout + result.stderr

    def upsmons(self):
        """pid, as seen from here, and program of each guard: those whose parent is no upsmon."""
        space = os.readlink(f"/proc/{self.init}/ns/pid")
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{name}/ns/pid") != space:
                    continue
                stat = pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)
                if stat[0].split("(", 1)[1] == "upsmon" and stat[1].split()[0] not in "ZX":
                    found[int(name)] = (int(stat[1].split()[1]),
                                        pathlib.Path(f"/proc/{name}/exe").read_bytes())
            except OSError:
                continue
        return {pid: program for pid, (parent, program) in found.items() if parent not in found}
