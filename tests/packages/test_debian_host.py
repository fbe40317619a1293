"""The package on a Debian with the real dpkg, apt, systemd, nut-client and nut-server: it comes,
is updated, goes and comes back, and the machine is protected all the time."""

import os
import pathlib
import shutil
import tempfile

import pytest

import debian_packages
from debian_room import DebianRoom, debian_root
from lab.upsd import wait_for

pytestmark = pytest.mark.root

SUITE = os.environ.get("DEBIAN_SUITE", "bookworm")

UPSMON = "/usr/lib/nut/upsmon"
CONF = "/etc/nut/upsmon.conf"
ASIDE = {"Debian 12": UPSMON + ".distrib-lib", "Debian 13": UPSMON + ".distrib"}
# A primary, as an administrator of Debian sets one up; comments and order of nut-client stay.
PRIMARY = {
    "/etc/nut/nut.conf": "MODE=standalone\n",
    "/etc/nut/ups.conf": "[ups]\n driver = dummy-ups\n port = ups.dev\n",
    "/etc/nut/ups.dev": "ups.status: OL\nbattery.charge: 100\n",
    "/etc/nut/upsd.users": "[monuser]\n password = secret\n upsmon primary\n",
}
MONITOR = "MONITOR ups@localhost 1 monuser secret primary\n"

# What is there, but for dpkg's and apt's own, and for what changes by itself.
LIST = r"""find / -xdev \( -path /run -o -path /dev -o -path /mnt -o -path /tmp -o -path /proc \
    -o -path /sys -o -path /var/cache -o -path /var/log -o -path /var/lib/apt \
    -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /etc/.pwd.lock \) -prune -o \
    \( -type d -printf '%y %m %u:%g %p\n' -o -printf '%y %m %u:%g %s %p -> %l\n' \) | sort"""


@pytest.fixture(scope="session")
def root():
    # trixie works, too; the package has to be built for a libc that it has
    return debian_root(SUITE)


@pytest.fixture
def deb(tmp_path_factory):
    return debian_packages.build(tmp_path_factory, "amd64")


@pytest.fixture
def program(deb, tmp_path):
    """What the package has as upsmon."""
    return (debian_packages.unpack(deb, tmp_path / "package") / UPSMON.lstrip("/")).read_bytes()


@pytest.fixture
def nut(root):
    """What nut-client has."""
    return (root / UPSMON.lstrip("/")).read_bytes()


@pytest.fixture
def make_host(root):
    """Makes Debians with NUT's upsmon running, or none: systemd's or sysvinit's."""
    made = []

    def make(systemd=True, files=(), conf=MONITOR, runs=True):
        # in memory, and with a short name for sockets
        folder = tempfile.TemporaryDirectory(prefix="debian-", dir="/dev/shm")
        made.append(folder.cleanup)
        files = {**PRIMARY, CONF: (root / CONF.lstrip("/")).read_text().replace(
            'SHUTDOWNCMD "/sbin/shutdown -h +0"', 'SHUTDOWNCMD "touch /run/down"') + conf,
                 **dict(files)}
        room = DebianRoom(root, pathlib.Path(folder.name) / "room", systemd, files)
        made.append(room.end)
        if not systemd:
            room.do("service", "nut-server", "start")
            room.do("service", "nut-client", "start")
        if runs:
            wait_for("NUT's upsmon to log in", lambda: logged_in(room))
        return room

    yield make
    for end in reversed(made):
        end()


@pytest.fixture(params=["systemd", "sysvinit"])
def host(request, make_host):
    return make_host(request.param == "systemd")


def give(room, deb):
    shutil.copy(deb, room.path("/mnt/share") / deb.name)
    return f"/mnt/share/{deb.name}"


def apt(room, *words):
    return room.do("apt-get", "-q", "-y", *words)


def install(room, deb):
    """By dpkg alone, which is quicker than apt."""
    return room.do("dpkg", "-i", give(room, deb))


def logged_in(room):
    return "localhost" in room.call("upsc", "-c", "ups").stdout or \
        "127.0.0.1" in room.call("upsc", "-c", "ups").stdout


def runs(room, program):
    """One upsmon runs, and it is this program; its pid."""
    found = room.upsmons()
    return next(iter(found)) if list(found.values()) == [program] else None


def wait_runs(room, program):
    return wait_for("that upsmon, alone", lambda: runs(room, program))


def wait_protected(room, program):
    """It runs, and the server knows it."""
    pid = wait_runs(room, program)
    wait_for("the login", lambda: logged_in(room))
    if b"nutlet" in program:
        wait_for("all of it told", lambda: "logged in" in room.call("upsmon", "-c", "status").stdout)
    return pid


def pids_of(room, name):
    return room.call("pidof", name).stdout.split()


def test_comes_and_goes(host, deb, program, nut):
    before = host.do("sh", "-c", LIST)
    conf = host.path(CONF).read_bytes()
    servers = pids_of(host, "upsd"), pids_of(host, "dummy-ups")
    enabled = host.call("systemctl", "is-enabled", "nut-monitor").stdout
    assert runs(host, nut) and all(servers)
    man = host.path("/usr/share/man/man8/upsmon.8.gz").read_bytes()

    apt(host, "install", give(host, deb))
    wait_protected(host, program)
    assert host.path(CONF).read_bytes() == conf
    assert host.path("/usr/share/man/man8/upsmon-nut.8.gz").read_bytes() == man
    assert host.path("/usr/share/man/man8/upsmon.8.gz").read_bytes() != man
    # what differs from the packages is what was configured
    assert {line.split()[-1] for line in host.call("dpkg", "--verify", "nut-client", "nutlet")
            .stdout.splitlines()} == {CONF, "/etc/nut/nut.conf"}

    apt(host, "remove", "nutlet")
    wait_protected(host, nut)
    assert host.do("sh", "-c", LIST) == before
    assert "nutlet" not in host.do("dpkg-divert", "--list")
    assert not [path.name for path in host.path("/run/nut").glob("upsmon.*")
                if path.name != "upsmon.pid"]

    install(host, deb)
    wait_protected(host, program)
    apt(host, "purge", "nutlet")
    wait_protected(host, nut)
    assert host.do("sh", "-c", LIST) == before
    assert host.call("dpkg-query", "-W", "nutlet").returncode == 1
    # and the server has seen nothing of all this
    assert (pids_of(host, "upsd"), pids_of(host, "dummy-ups")) == servers
    assert host.call("systemctl", "is-enabled", "nut-monitor").stdout == enabled


# its guard, or what NUT's pidfile names, as if it had much to do: it ends later than it is told to
SLOW = "pid=$(cat /run/nut/upsmon.pid); kill -STOP $pid; (sleep 4; kill -CONT $pid) & "


def test_waits_for_the_end_of_the_other(make_host, deb, program, nut):
    """systemd does so by itself; sysvinit's script does not, and the next one is refused."""
    host = make_host(False)
    host.do("sh", "-c", f"{SLOW} dpkg -i {give(host, deb)}")
    wait_protected(host, program)
    host.do("sh", "-c", f"{SLOW} dpkg -r nutlet")
    wait_protected(host, nut)


def test_failed_unpack_changes_nothing(make_host, deb, nut, tmp_path):
    host = make_host(False)
    # another package has one of our files
    tree = tmp_path / "other"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: other\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x.invalid>\n"
        "Description: x\n")
    (tree / "usr/share/doc/nutlet").mkdir(parents=True)
    (tree / "usr/share/doc/nutlet/README.Debian").touch()
    install(host, debian_packages.repack(tree, tmp_path / "other.deb"))
    before = host.do("sh", "-c", LIST)
    pid = runs(host, nut)
    result = host.call("dpkg", "-i", give(host, deb))
    assert "trying to overwrite '/usr/share/doc/nutlet/README.Debian'" in result.stderr
    assert "nutlet" not in host.do("dpkg-divert", "--list")
    assert host.do("sh", "-c", LIST) == before
    assert runs(host, nut) == pid


def test_power_cut(host, deb, program):
    """With the configuration of nut-client, and up to what nut-server's shutdown hook asks."""
    install(host, deb)
    wait_protected(host, program)
    assert host.call("upsmon", "-K").returncode == 1
    host.path("/etc/nut/ups.dev").write_text("ups.status: OB LB\nbattery.charge: 3\n")
    wait_for("SHUTDOWNCMD", host.path("/run/down").exists, 60)
    assert host.path("/etc/killpower").exists()
    assert host.call("upsmon", "-K").returncode == 0


def test_update_keeps_the_daemon(host, deb, program, tmp_path):
    install(host, deb)
    pid = wait_protected(host, program)
    later = debian_packages.next_version(deb, tmp_path / "later")
    install(host, later)
    assert wait_protected(host, host.path(UPSMON).read_bytes()) == pid
    assert host.path(UPSMON).read_bytes() != program


def test_update_leaves_a_shutdown_alone(make_host, deb, program, tmp_path):
    host = make_host(conf=MONITOR + "FINALDELAY 300\n")
    install(host, deb)
    pid = wait_protected(host, program)
    host.do("upsmon", "-c", "fsd")
    wait_for("the shutdown", lambda: "final delay" in host.do("upsmon", "-c", "status", "-j"))
    install(host, debian_packages.next_version(deb, tmp_path / "later"))
    assert runs(host, program) == pid
    assert "final delay" in host.do("upsmon", "-c", "status", "-j")


def test_update_starts_what_does_not_run(make_host, deb, program, tmp_path):
    """There is nothing to be switched then."""
    host = make_host()
    install(host, deb)
    pid = wait_protected(host, program)
    host.do("systemctl", "stop", "nut-monitor")
    install(host, debian_packages.next_version(deb, tmp_path / "later"))
    assert wait_protected(host, host.path(UPSMON).read_bytes()) != pid


def nut_of_debian_13(root, tmp_path):
    """nut-client as a later version, with its files where Debian 13 has them: below /usr."""
    cached = next((root / "var/cache/apt/archives").glob("nut-client_*.deb"))
    tree = debian_packages.unpack(cached, tmp_path / "nut")
    for name in ("sbin", "bin", "lib"):
        (tree / "usr" / name).mkdir(exist_ok=True)
        for entry in (tree / name).iterdir():
            if (tree / "usr" / name / entry.name).exists():
                shutil.move(entry, tree / "usr" / name / (entry.name + ".other"))
            else:
                shutil.move(entry, tree / "usr" / name / entry.name)
        (tree / name).rmdir()
    with open(tree / UPSMON.lstrip("/"), "ab") as file:
        file.write(b"later")
    control = tree / "DEBIAN" / "control"
    text = control.read_text()
    version = debian_packages.field(cached, "Version")
    control.write_text(text.replace(f"Version: {version}", f"Version: {version}+1"))
    return debian_packages.repack(tree, tmp_path / "nut-client.deb"), \
        (tree / UPSMON.lstrip("/")).read_bytes()


@pytest.mark.skipif(SUITE != "bookworm", reason="begins with Debian 12")
def test_updates_of_nut_change_nothing(make_host, root, deb, program, nut, tmp_path):
    """Also the one to Debian 13, where dpkg knows the same files by other names."""
    host = make_host()
    install(host, deb)
    wait_protected(host, program)
    apt(host, "install", "--reinstall", "nut-client")
    wait_protected(host, program)
    assert host.path(ASIDE["Debian 12"]).read_bytes() == nut

    package, later = nut_of_debian_13(root, tmp_path)
    # by dpkg: nut-server insists on its own version of nut-client
    host.do("dpkg", "--force-depends", "-i", give(host, package))
    wait_protected(host, program)
    assert host.path(UPSMON).read_bytes() == program
    assert host.path(ASIDE["Debian 13"]).read_bytes() == later
    assert not host.path(ASIDE["Debian 12"]).exists()
    host.do("dpkg", "--purge", "nutlet")
    wait_protected(host, later)
    assert host.path(UPSMON).read_bytes() == later
    assert not any(host.path(path).exists() for path in ASIDE.values())

    # and from there, as on a new Debian 13
    install(host, deb)
    wait_protected(host, program)
    assert host.path(ASIDE["Debian 13"]).read_bytes() == later
    host.do("dpkg", "--purge", "nutlet")
    wait_protected(host, later)


def test_alone(make_host, deb, program):
    """Where no NUT is, apt brings nut-client along, and MODE=none means: not yet."""
    host = make_host(files={"/etc/nut/nut.conf": "MODE=none\n"}, runs=False)
    apt(host, "purge", "nut-client", "nut-server")
    assert not host.path("/sbin/upsmon").exists()
    said = apt(host, "install", "--no-install-recommends", give(host, deb))
    assert host.path(UPSMON).read_bytes() == program
    assert host.do("dpkg-query", "-W", "-f", "${db:Status-Status}", "nut-client") == "installed"
    assert "did not start" not in said
    assert not host.upsmons()
    assert host.call("systemctl", "is-active", "nut-monitor").stdout == "inactive\n"

    host.path("/etc/nut/nut.conf").write_text("MODE=netclient\n")
    host.path(CONF).write_text(MONITOR + "SHUTDOWNCMD /bin/true\n")
    host.do("systemctl", "restart", "nut-monitor")
    wait_runs(host, program)


TLS = ("CERTVERIFY 1", 'FORCESSL "1"', "  CERTPATH /etc/nut/certs", "CERTHOST localhost x 1 1")


def test_tls_is_refused_before_anything_is_changed(make_host, deb, nut):
    host = make_host(False)
    before = host.do("sh", "-c", LIST)
    pid = runs(host, nut)
    conf = host.path(CONF).read_text() + "# CERTFILE x\nCERTVERIFY 0\n"
    package = give(host, deb)
    for line in TLS:
        host.path(CONF).write_text(conf + line + "\n")
        result = host.call("dpkg", "-i", package)
        assert result.returncode != 0
        assert f"nutlet: {CONF}:{len(conf.splitlines()) + 1}: {line.split()[0]} asks for TLS" \
            in result.stderr
    host.path(CONF).write_text(conf.removesuffix("# CERTFILE x\nCERTVERIFY 0\n"))
    assert host.do("sh", "-c", LIST) == before
    assert "nutlet" not in host.do("dpkg-divert", "--list")
    assert pid and runs(host, nut) == pid


def test_broken_configuration_leaves_what_runs(make_host, deb, program, nut):
    host = make_host()
    good = host.path(CONF).read_text()
    host.path(CONF).write_text(good.replace(MONITOR, MONITOR.replace("primary", "first")))
    pid = runs(host, nut)
    result = host.call("dpkg", "-i", give(host, deb))
    assert result.returncode != 0
    number = good.splitlines().index(MONITOR.strip()) + 1
    assert f"{CONF}:{number}: error" in result.stderr
    assert "dpkg --configure nutlet" in result.stderr
    assert pid in host.upsmons() and logged_in(host)

    host.path(CONF).write_text(good)
    host.do("dpkg", "--configure", "nutlet")
    wait_protected(host, program)


def test_what_may_not_be_started_is_not_stopped(make_host, deb, nut):
    host = make_host(False)
    pid = runs(host, nut)
    # without a runlevel, invoke-rc.d starts nothing, and stops all the same
    host.path("/usr/sbin/runlevel").write_text("#!/bin/sh\necho unknown\nexit 1\n")
    install(host, deb)
    assert runs(host, nut) == pid
    host.do("service", "nut-client", "stop")
    wait_for("its end", lambda: not host.upsmons())
    host.do("service", "nut-client", "start")
    pids = wait_for("ours", lambda: list(host.upsmons()))
    host.do("dpkg", "-r", "nutlet")
    assert list(host.upsmons()) == pids


def show(room, name):
    return room.do("systemctl", "show", "-P", name, "nut-monitor").strip()


def test_service(make_host, deb, program):
    """What the drop-in gives: readiness, a reload that can fail, and a start after any death."""
    host = make_host()
    install(host, deb)
    pid = wait_protected(host, program)
    assert show(host, "Type") == "notify"
    assert show(host, "OOMScoreAdjust") == "-900"
    assert host.do("journalctl", "-u", "nut-monitor").count("ready, watching 1 UPS") == 1
    host.do("systemctl", "reload", "nut-monitor")
    conf = host.path(CONF).read_text()
    host.path(CONF).write_text(conf.replace("primary", "first"))
    assert host.call("systemctl", "reload", "nut-monitor").returncode != 0
    assert runs(host, program) == pid
    host.path(CONF).write_text(conf)

    host.do("systemctl", "kill", "-s", "KILL", "--kill-whom=main", "nut-monitor")
    wait_for("another one", lambda: runs(host, program) not in (None, pid))
    wait_protected(host, program)
    host.do("systemctl", "stop", "nut-monitor")
    assert show(host, "ActiveState") == "inactive"
    assert not host.upsmons()


def test_mode(make_host, deb):
    """none is no failure, and a wrong word is one that says where."""
    host = make_host(files={"/etc/nut/nut.conf": "MODE=none\n"}, runs=False)
    said = install(host, deb)
    assert "did not start" not in said
    assert show(host, "ActiveState") == "inactive"
    assert not host.upsmons()
    host.path("/etc/nut/nut.conf").write_text("MODE=netclint\n")
    assert host.call("systemctl", "start", "nut-monitor").returncode != 0
    assert "/etc/nut/nut.conf: MODE=netclint: should be none, standalone, netserver or netclient" \
        in host.do("journalctl", "-u", "nut-monitor")
    assert not host.upsmons()


# apt without a question
QUIET = {"/etc/apt/apt.conf.d/99test":
         'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n'}


def readme(section):
    """The indented blocks of a section, as they are to be typed."""
    text = (debian_packages.TOP / "board/debian/README.md").read_text()
    lines = text.split(f"\n## {section}\n")[1].split("\n## ")[0].splitlines()
    blocks = "\n".join(line[4:] if line.startswith("    ") else "" for line in lines)
    found = [block.strip() + "\n" for block in blocks.split("\n\n") if block.strip()]
    assert found
    return found


def type_in(room, block):
    return room.do("sh", "-exc", f"cd /mnt/share\n{block}")


def give_build(room, deb):
    folder = room.path("/mnt/share") / "build" / "deb"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(deb, folder / "nutlet_x_amd64.deb")


def test_readme_where_nut_runs(make_host, deb, program, nut, tmp_path):
    host = make_host(files=QUIET)
    give_build(host, deb)
    [block] = readme("Install, where NUT runs already")
    assert "upsmon is running" in type_in(host, block)
    pid = wait_protected(host, program)
    give_build(host, debian_packages.next_version(deb, tmp_path / "later"))
    [block] = readme("Day by day")
    type_in(host, block)
    assert wait_protected(host, host.path(UPSMON).read_bytes()) == pid
    assert host.path(UPSMON).read_bytes() != program
    [block] = readme("Back to NUT's upsmon")
    type_in(host, block)
    wait_protected(host, nut)


def test_readme_where_nut_is_not(make_host, deb, program):
    host = make_host(files={**QUIET, "/etc/nut/nut.conf": "MODE=none\n",
                            "/etc/hosts": "127.0.0.1 localhost nas.lan\n"}, runs=False)
    apt(host, "purge", "nut-client", "nut-server")
    give_build(host, deb)
    command, conf, commands = readme("Install, where NUT is not")
    type_in(host, command)
    assert not host.upsmons()
    host.path(CONF).write_text(conf)
    assert "upsmon is running" in type_in(host, commands)
    assert runs(host, program)
    # and NUT takes it along when it goes
    apt(host, "purge", "nut-client")
    assert not list(host.path("/usr/lib/nut").glob("upsmon*"))
    assert "nutlet" not in host.do("dpkg-divert", "--list")
    wait_for("the end of upsmon", lambda: not host.upsmons())
