"""make deb: what is in the packages, for each architecture."""

import hashlib
import os
import pathlib
import pwd
import shutil
import subprocess

import pytest

import debian_packages
from debian_packages import ARCHES, TOP, field
from lab.upsd import PRIMARY, Upsd, wait_for

MACHINES = {"amd64": "X86-64", "armhf": "ARM", "arm64": "AArch64"}
EMULATORS = {"amd64": [],
             "armhf": ["qemu-arm-static", "-L", "/usr/arm-linux-gnueabihf"],
             "arm64": ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"]}
CONF = "MONITOR ups@localhost 1 monuser secret primary\nSHUTDOWNCMD /bin/true\n"

FILES = """
usr/lib/nut/upsmon
usr/lib/systemd/system/nut-monitor.service.d/10-nutlet.conf
usr/share/doc/nutlet/CHANGES.md.gz
usr/share/doc/nutlet/README.Debian
usr/share/doc/nutlet/README.md.gz
usr/share/doc/nutlet/changelog.gz
usr/share/doc/nutlet/copyright
usr/share/lintian/overrides/nutlet
usr/share/man/man5/upsmon.conf.5.gz
usr/share/man/man8/upsmon.8.gz
"""


@pytest.fixture(params=ARCHES)
def arch(request):
    return request.param


@pytest.fixture
def deb(tmp_path_factory, arch):
    return debian_packages.build(tmp_path_factory, arch)


@pytest.fixture
def tree(deb, tmp_path):
    return debian_packages.unpack(deb, tmp_path / "tree")


def output(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True,
                          text=True, **options).stdout


def test_fields(deb, arch):
    assert field(deb, "Package") == "nutlet"
    assert field(deb, "Architecture") == arch
    assert field(deb, "Version") == debian_packages.version()
    needs = [need.split()[0] for need in field(deb, "Depends").split(", ")]
    assert sorted(needs) == ["libc6", "nut-client"]


def test_files(tree):
    found = sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if not path.is_dir()
                   and "DEBIAN" not in path.parts)
    assert found == FILES.split()
    # nothing that the user may change: the configuration is nut-client's
    assert not (tree / "DEBIAN" / "conffiles").exists()


def test_program_is_of_that_machine_and_hardened(tree, arch):
    header = output("readelf", "-hldW", tree / "usr/lib/nut/upsmon")
    assert header.split("Machine:")[1].splitlines()[0].split()[-1] == MACHINES[arch]
    assert "GNU_RELRO" in header and "NOW" in header and "PIE" in header
    assert "RPATH" not in header and "RUNPATH" not in header


def test_program_runs(tree, arch, tmp_path):
    program = [*EMULATORS[arch], tree / "usr/lib/nut/upsmon"]
    assert debian_packages.version() in output(*program, "-V")
    conf = tmp_path / "upsmon.conf"
    conf.write_text(CONF)
    conf.chmod(0o600)
    output(*program, "-t", "-f", conf)
    conf.write_text(CONF.replace("primary", "first"))
    bad = subprocess.run([*map(str, program), "-t", "-f", conf], capture_output=True, text=True,
                         check=False)
    assert bad.returncode == 1 and "first" in bad.stdout + bad.stderr


def test_daemon_watches(tree, arch, tmp_path):
    """Against a real upsd; the other architectures in QEMU."""
    conf = tmp_path / "upsmon.conf"
    (tmp_path / "run").mkdir()
    with Upsd(tmp_path / "upsd") as upsd:
        conf.write_text(f"MONITOR ups@127.0.0.1:{upsd.port} 1 {' '.join(PRIMARY)} primary\n"
                        f"SHUTDOWNCMD /bin/true\nRUN_AS_USER {pwd.getpwuid(os.geteuid()).pw_name}\n")
        conf.chmod(0o600)
        daemon = subprocess.Popen(
            [*EMULATORS[arch], tree / "usr/lib/nut/upsmon", "-F", "-f", conf],
            env={"PATH": os.environ["PATH"], "NUT_PIDPATH": str(tmp_path / "run"),
                 "NUT_ALTPIDPATH": str(tmp_path / "run")}, stderr=subprocess.DEVNULL)
        try:
            wait_for("the login", lambda: upsd.ask("GET NUMLOGINS ups") == ["NUMLOGINS ups 1"])
            daemon.terminate()
            assert daemon.wait(30) == 0
        finally:
            daemon.kill()
            daemon.wait()


def test_lintian(deb):
    result = subprocess.run(["lintian", "--allow-root", "-I", "--pedantic", deb], check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert (result.returncode, result.stdout) == (0, "")


def test_unknown_architecture_is_refused():
    result = subprocess.run(["make", "deb", "DEB_ARCH=armhf m68k"], cwd=TOP, capture_output=True,
                            text=True, check=False)
    assert result.returncode != 0
    assert "DEB_ARCH=armhf m68k: there are amd64 armhf arm64" in result.stderr
    assert "building" not in result.stdout


def test_two_builds_are_the_same(tmp_path_factory, tmp_path):
    """Also in another folder, at another time, by another user's umask, and without git."""
    first = debian_packages.build(tmp_path_factory, "amd64")
    copy = tmp_path / "elsewhere"
    shutil.copytree(TOP, copy, symlinks=True, ignore=lambda folder, names:
                    [".git", "build", "tests"] if folder == str(TOP) else [])
    epoch = output("git", "-C", TOP, "log", "-1", "--format=%ct").strip()
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "LANG": "de_DE.UTF-8",
           "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": epoch}
    output("sh", "-c", "umask 077 && board/debian/build.sh amd64", cwd=copy, env=env)
    second = copy / "build" / "deb" / first.name
    assert digest(second) == digest(first)


def digest(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
