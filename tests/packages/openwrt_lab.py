"""What the tests of the OpenWrt package share."""

import fcntl
import io
import os
import pathlib
import subprocess
import tarfile
import tempfile

import pytest

from openwrt_standin.router import Router

TOP = pathlib.Path(__file__).resolve().parents[2]
BOARD = TOP / "board" / "openwrt"
PACKAGES = TOP / "build" / "openwrt" / "x86_64"

MONITOR = """
config monitor
	option upsname ups
	option hostname 127.0.0.1
	option port {port}
	option username monuser
	option password secret
	option type primary
"""

# quick, so that a test is
TIMES = """
config upsmon 'upsmon'
	option pollfreq 1
	option pollfreqalert 1
	option deadtime 4
	option hostsync 2
	option finaldelay 0
"""


def plain_environment():
    """Without what a make around the tests tells its children."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def make_ipk(package="nutlet-upsmon"):
    """A package, built from this tree by the package's own Makefile; by one test at a time."""
    lock = TOP / "build" / "openwrt.lock"
    lock.parent.mkdir(exist_ok=True)
    with open(lock, "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-C", str(TOP), "ipk"], check=True,
                       env=plain_environment(), stdout=subprocess.DEVNULL)
    return PACKAGES / f"{package}.ipk"


def part(ipk, name):
    """control.tar.gz or data.tar.gz of a package."""
    with tarfile.open(ipk) as outer:
        data = outer.extractfile(f"./{name}.tar.gz").read()
    return tarfile.open(fileobj=io.BytesIO(data))


@pytest.fixture(scope="session")
def ipk():
    return make_ipk()


@pytest.fixture
def tmp_path():
    """In the place of pytest's, which is closed to others: upsmon is another user, too."""
    with tempfile.TemporaryDirectory(prefix="openwrt-", ignore_cleanup_errors=True) as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        yield path


@pytest.fixture
def router(ipk, tmp_path):
    """A router on which the package is installed, as opkg would."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts and chroot")
    def unpack(root):
        with part(ipk, "data") as data:
            data.extractall(root)

    made = Router(tmp_path, unpack)
    yield made
    made.end()


def words(line):
    """A line of upsmon.conf as its manual page reads it; written apart from src/."""
    found, word, quotes, i = [], None, False, 0
    while i < len(line):
        c = line[i]
        if c == "\\":
            i += 1
            word = (word or "") + line[i]
        elif c == '"':
            quotes = not quotes
            word = word or ""
        elif quotes:
            word += c
        elif c in " \t":
            if word is not None:
                found.append(word)
            word = None
        elif c == "#":
            break
        elif c == "=":
            found += [w for w in (word, "=") if w is not None]
            word = None
        else:
            word = (word or "") + c
        i += 1
    assert not quotes, line
    return found + ([word] if word is not None else [])


def made(router):
    """What is in upsmon.conf, as words; as in upsmon, the last of a kind counts."""
    result = {}
    for line in router.made():
        found = words(line)
        count = 2 if found[0] in ("MONITOR", "NOTIFYMSG", "NOTIFYFLAG") else 1
        if found[0] in ("BATTERYLEVEL", "MINUTES", "TIMEOUT", "ONBATTERYDELAY") and found[2:]:
            result[found[0], found[2]] = found[1:2]
        else:
            result[tuple(found[:count]) if count > 1 else found[0]] = found[count:]
    return result


def uci_quoted(value):
    return "'" + value.replace("'", "'\\''") + "'"


def options(values):
    return "".join(f"\toption {name} {uci_quoted(str(value))}\n"
                   for name, value in values.items())


def configure_as(router):
    """Makes upsmon.conf; returns nutlet_configure's answer, and the user for upsmon."""
    result = router.sh(". /lib/functions.sh; . /lib/functions/nutlet-upsmon.sh\n"
                       "nutlet_configure; echo $? $NUTLET_RUNAS")
    assert result.stderr == "", result.stderr
    code, user = result.stdout.split()
    return int(code), user


def configure(router):
    return configure_as(router)[0]


def complaints(router):
    return [line for line in router.logged().splitlines()
            if line.startswith(("daemon.err nut-monitor", "daemon.warn nut-monitor",
                                "daemon.crit"))]
