"""A board in QEMU, seen through its serial console.

QEMU computes all the time: beside other work, a board is many times slower than alone, and what is
waited for has its time.
"""

import gzip
import os
import pathlib
import re
import signal
import subprocess
import time

import pexpect

TOP = pathlib.Path(__file__).resolve().parents[3]
QEMU = TOP / "board" / "common" / "qemu.sh"

BOARD_UP = r"board up after (\d+) s"
READY = r"upsmon: ready, watching"
PROMPT = "board> "


def board_conf(name):
    """What a board's board.conf says, by key."""
    text = (TOP / "board" / name / "board.conf").read_text()
    return dict(re.findall(r'^(\w+)="(.*)"$', text, re.M))


def program(name, *folders):
    """The upsmon of a board; with TLS it is in the folder tls."""
    arch = board_conf(name)["ARCH"]
    own = "host" if arch == os.uname().machine else arch
    return TOP.joinpath("build", *folders, f"{own}-uclibc", "upsmon")


class Board:
    """Starts at once.  Lines that were read are kept in .text, and in the file log."""

    def __init__(self, name, upsd_port=None, disk=None, image=None, log=None, stick=None,
                 boot=False):
        command = [name]
        if boot:
            command += ["--boot"]
        if stick:
            command += ["--stick", str(stick)]
        if upsd_port:
            command += ["--upsd-port", str(upsd_port)]
        if disk:
            command += ["--disk", str(disk)]
        if image:
            command += ["--image", str(image)]
        self.log = open(log, "a", encoding="utf-8") if log else None
        # dimensions: a long command must not be wrapped by the shell's line editor
        self.console = pexpect.spawn(str(QEMU), command, encoding="utf-8", timeout=120,
                                     codec_errors="replace", dimensions=(50, 4000),
                                     logfile=self.log)
        self.started = time.monotonic()
        self.text = ""

    # the pid of qemu.sh, which has become QEMU's
    @property
    def pid(self):
        return self.console.pid

    def expect(self, pattern, seconds=120):
        """Waits for a pattern on the console; returns the match."""
        try:
            self.console.expect(pattern, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            kind = "timeout" if isinstance(error, pexpect.TIMEOUT) else "end"
            tail = "\n".join((self.text + (self.console.before or "")).splitlines()[-25:])
            raise AssertionError(f"{kind} while waiting for {pattern!r}; console:\n{tail}") from None
        self.text += self.console.before + (self.console.after or "")
        return self.console.match

    def expect_end(self, seconds=120):
        """Waits until QEMU has ended by itself; returns its exit code."""
        try:
            self.console.expect(pexpect.EOF, timeout=seconds)
        except pexpect.TIMEOUT:
            tail = "\n".join(self.console.before.splitlines()[-25:])
            raise AssertionError(f"still running after {seconds} s; console:\n{tail}") from None
        self.text += self.console.before
        self.console.close()
        return self.console.exitstatus

    def boot(self, seconds=240):
        """To a board that is up and watched over."""
        self.expect(BOARD_UP, seconds)
        self.expect(READY, seconds)
        return self

    def shell(self):
        """Takes the shell that init offers."""
        self.console.send("\r")
        self.expect("# ", 60)
        # in two parts, so that the echo of this line is not taken for the prompt
        self.console.send("PS1='boa''rd> '\r")
        self.expect(PROMPT, 60)
        return self

    def run(self, command, seconds=120):
        """Runs a command in that shell; returns (exit code, output).

        The daemon and the kernel write to the same console whenever they like, also between two
        lines of a command.  So the output goes to a file first, and comes with a mark on each line.
        """
        # the words are put together by the shell, so that its echo has none of them
        self.console.send(f"{{ {command}; }} >/run/.output 2>&1; code=$?; echo MARK''BEGIN; "
                          f"sed 's/^/OUT''PUT:/' /run/.output; echo; echo MARK''END $code\r")
        self.expect(r"MARKBEGIN\r*\n", seconds)
        code = int(self.expect(r"MARKEND (\d+)", seconds).group(1))
        lines = re.findall(r"OUTPUT:(.*\n?)", self.console.before.replace("\r", ""))
        self.expect(PROMPT, seconds)
        return code, "".join(lines)

    def cut_power(self):
        """What a power cut does: no process on the board learns of it."""
        self._kill()

    def _kill(self):
        if self.console.isalive():
            os.kill(self.console.pid, signal.SIGKILL)
            self.console.wait()

    def stop(self):
        self._kill()
        self.console.close(force=True)
        if self.log:
            self.log.close()
            self.log = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def plain(text):
    """Console output as lines without carriage returns and escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "").splitlines()


def variant(name, files, out):
    """An image of the board with some files more, or other ones; returns its path.

    files: path on the board -> text; one that starts with #! is executable.
    The kernel unpacks one archive after the other, so the files are appended.
    """
    tree = pathlib.Path(out).with_suffix(".tree")
    for path, text in files.items():
        file = tree / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if text.startswith("#!") else 0o644)
        for directory in file.relative_to(tree).parents:
            (tree / directory).chmod(0o755)
    return with_tree(name, tree, out)


def with_tree(name, tree, out):
    """The same with a folder's files, which keep their modes; they are root's on the board."""
    names = "\n".join(sorted(str(p.relative_to(tree)) for p in tree.rglob("*")))
    more = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "--owner", "0:0"], cwd=tree,
                          input=names.encode(), stdout=subprocess.PIPE, check=True).stdout
    base = TOP / "build" / name / "rootfs.cpio.gz"
    pathlib.Path(out).write_bytes(base.read_bytes() + gzip.compress(more))
    return pathlib.Path(out)
