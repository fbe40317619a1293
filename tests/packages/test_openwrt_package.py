"""The package itself: what is in it, how it is made, and what it does when it is installed."""

import os
import re
import subprocess

import pytest

from openwrt_lab import BOARD, TOP, configure, made, part, plain_environment, uci_quoted
from openwrt_lab import ipk, router, tmp_path  # noqa: F401  fixtures

FILES = {
    "./etc/config/nut_monitor": 0o600, "./etc/init.d/nut-monitor": 0o755,
    "./etc/uci-defaults/80-nutlet-migrate": 0o644, "./lib/functions/nutlet-upsmon.sh": 0o644,
    "./usr/sbin/nutshutdown": 0o755, "./usr/sbin/upsmon": 0o755,
}


def control(ipk):  # noqa: F811
    with part(ipk, "control") as tar:
        text = tar.extractfile("./control").read().decode()
    return dict(re.findall(r"^([\w-]+): (.*)", text, re.M))


def test_what_is_in_it(ipk):  # noqa: F811
    with part(ipk, "data") as tar:
        members = {m.name: m for m in tar.getmembers()}
    assert {n: m.mode for n, m in members.items() if m.isfile()} == FILES
    assert members["./etc/nut/upsmon.conf"].linkname == "/var/etc/nut/upsmon.conf"
    assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, 0)}
    with part(ipk, "control") as tar:
        assert tar.extractfile("./conffiles").read().decode().split() == [
            "/etc/config/nut_monitor", "/etc/nut/upsmon.conf"]
        assert tar.getmember("./postinst").mode == tar.getmember("./prerm").mode == 0o755


def test_what_it_says_of_itself(ipk):  # noqa: F811
    said = control(ipk)
    assert said["Package"] == "nutlet-upsmon"
    assert said["Provides"] == said["Conflicts"] == "nut-upsmon"
    assert said["License"] == "ISC"
    assert said["Require-User"] == "nutmon=114:nutmon=114"
    assert said["Architecture"] == "x86_64"
    assert "Depends" not in said
    options = (TOP / "src" / "options.h").read_text()
    version = re.search(r'NUTLET_VERSION "(.*)"', options)[1]
    assert said["Version"] == f"{version}-r1"


def test_nothing_of_it_is_in_nuts_other_packages(ipk):  # noqa: F811
    """nut-common, nut-server, nut-upssched and nut-upsmon-sendmail-notify are installed beside."""
    with part(ipk, "data") as tar:
        names = tar.getnames()
    for theirs in ("lib/functions/nut/", "usr/share/nut/", "usr/sbin/upssched", "etc/nut/nut.conf",
                   "usr/bin/nut-sendmail-notify", "etc/init.d/nut-server", "etc/uci-defaults/7",
                   "etc/uci-defaults/80-nut-upssched", "etc/uci-defaults/81-nut-sendmail-notify"):
        assert not [n for n in names if n.startswith(f"./{theirs}")], theirs


def test_the_same_input_gives_the_same_package(ipk, tmp_path):  # noqa: F811
    again = tmp_path / "again.ipk"
    os.utime(ipk.parent / "plain" / "root" / "usr" / "sbin" / "upsmon")
    subprocess.run([BOARD / "ipk.sh", ipk.parent / "plain" / "root",
                    ipk.parent / "plain" / "control", again], check=True)
    assert again.read_bytes() == ipk.read_bytes()
    assert list(tmp_path.iterdir()) == [again]


def test_its_program_says_its_version(router, ipk):  # noqa: F811
    version = control(ipk)["Version"].split("-")[0]
    script = (BOARD / "test-version.sh").read_text()
    for name, wanted, code in [("nutlet-upsmon", version, 0), ("nutlet-upsmon-mbedtls", version, 0),
                               ("nutlet-upsmon", "9.9.9", 1), ("nutlet", "9.9.9", 0)]:
        result = router.sh(script, PKG_NAME=name, PKG_VERSION=wanted)
        assert result.returncode == code, (name, wanted, result)


def recipe(tmp_path, package, *more, folder=BOARD):  # noqa: F811
    """make's own plan for a package, of which nothing is done."""
    return subprocess.run(
        ["make", "-n", "-C", folder, "package", f"TOPDIR={BOARD}/standalone",
         f"BUILD_DIR={tmp_path}", f"PACKAGE={package}", "BUILD_VARIANT=plain", "TARGET_CC=cc",
         "TARGET_CFLAGS=-Os", *more], env=plain_environment(), capture_output=True, text=True,
        check=False)


def test_a_feed_that_is_a_link_finds_the_source(tmp_path):  # noqa: F811
    """src-link makes one: the source is then still two folders above the Makefile."""
    (tmp_path / "feeds").mkdir()
    link = tmp_path / "feeds" / "nutlet"
    link.symlink_to(BOARD.parent)
    plan = recipe(tmp_path, "nutlet-upsmon", folder=link / "openwrt").stdout
    assert f"{TOP}/src" in plan and f"{link}/src" not in plan


def test_the_variant_with_tls_selects_openwrts_library(tmp_path):  # noqa: F811
    plan = recipe(tmp_path, "nutlet-upsmon-mbedtls", "BUILD_VARIANT=mbedtls").stdout
    assert "TLS=mbedtls" in plan
    assert "TLS=mbedtls" not in recipe(tmp_path, "nutlet-upsmon").stdout
    assert "DEPENDS:=+libmbedtls\n" in (BOARD / "Makefile").read_text()


def test_the_options_of_menuconfig_reach_make(tmp_path):  # noqa: F811
    menu = (BOARD / "Config.in").read_text()
    offered = set(re.findall(r"^config (NUTLET_\w+)", menu, re.M))
    makefile = (BOARD / "Makefile").read_text()
    depends = re.search(r"^PKG_CONFIG_DEPENDS:=(.*?)\n\n", makefile, re.M | re.S)[1]
    assert {f"CONFIG_{o}" for o in offered} | {"CONFIG_IPV6"} == set(re.findall(r"CONFIG_\w+",
                                                                               depends))
    features = re.search(r"^FEATURES := (.*)", (TOP / "Makefile").read_text(), re.M)[1].split()
    # -t is what the init script asks
    assert {o.removeprefix("NUTLET_") for o in offered} | {"IPV6"} == set(features) - {"CHECK"}
    everything = recipe(tmp_path, "nutlet-upsmon").stdout
    assert "=no" not in everything
    for name in sorted(offered | {"IPV6"}):
        plan = recipe(tmp_path, "nutlet-upsmon", f"CONFIG_{name}=").stdout
        assert re.findall(r"\b(\w+)=no", plan) == [name.removeprefix("NUTLET_")]


# -- the configurations of old -----------------------------------------------------------------


def migrate(router, text):  # noqa: F811
    router.config(text)
    # as default_postinst runs it
    result = router.sh("cd /etc/uci-defaults && (. ./80-nutlet-migrate)")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return router.uci.load("nut_monitor")


OLD = """
config upsmon
	option runas nutmon
	list defaultnotify SYSLOG
	list defaultnotify EXEC
	option onlinemsg "it's on %s"
	option onbattmsg 'battery # 1'
	list onbattnotify SYSLOG
	list onbattnotify EXEC
	list lowbatnotify EXEC
	option nocommsmsg 'gone'
	option noparentnotify IGNORE
	option hotsync 33

config master 'left'
	option upsname ups
	option username a
	option password 'p "w" # x'

config slave
	option upsname other
	option hostname nas.lan
	option port 4000
	option username b
	option password c
"""


def test_the_forms_of_2019(router):  # noqa: F811
    package = migrate(router, OLD)
    kinds = [(s.kind, s.name) for s in package.sections]
    assert kinds[0] == ("upsmon", "upsmon")
    assert kinds[1] == ("monitor", "left") and kinds[2][0] == "monitor"
    assert sorted(kinds[3:]) == [("notifications", n)
                                 for n in ("LOWBATT", "NOCOMM", "NOPARENT", "ONBATT", "ONLINE")]
    assert package.find("upsmon").options == {
        "runas": "nutmon", "defaultnotify": "SYSLOG+EXEC", "hostsync": "33"}
    assert package.find("left").options == {
        "upsname": "ups", "username": "a", "password": 'p "w" # x', "type": "primary"}
    assert package.find("@monitor[1]").options["type"] == "secondary"
    assert package.find("ONLINE").options == {"message": "it's on %s"}
    assert package.find("ONBATT").options == {"message": "battery # 1", "flag": "SYSLOG+EXEC"}
    assert package.find("LOWBATT").options == {"flag": "EXEC"}
    assert package.find("NOCOMM").options == {"message": "gone"}
    assert package.find("NOPARENT").options == {"flag": "IGNORE"}
    # and it is what upsmon gets
    router.script("/usr/sbin/mail", "")
    assert configure(router) == 0
    got = made(router)
    assert got["MONITOR", "ups@localhost"] == ["1", "a", 'p "w" # x', "primary"]
    assert got["MONITOR", "other@nas.lan:4000"] == ["1", "b", "c", "secondary"]
    assert got["NOTIFYFLAG", "ONLINE"] == ["SYSLOG+EXEC"]
    assert got["NOTIFYMSG", "ONBATT"] == ["battery # 1"]
    assert got["HOSTSYNC"] == ["33"]


def test_a_second_time_nothing_changes(router):  # noqa: F811
    migrate(router, OLD)
    file = router.file("/etc/config/nut_monitor")
    text, written = file.read_text(), file.stat().st_mtime_ns
    migrate(router, text)
    assert file.read_text() == text
    # not even to the disk
    os.utime(file, ns=(written, written))
    assert router.sh("cd /etc/uci-defaults && (. ./80-nutlet-migrate)").returncode == 0
    assert file.stat().st_mtime_ns == written


def test_what_is_new_wins_over_what_is_old(router):  # noqa: F811
    package = migrate(router, "config upsmon 'upsmon'\n\toption onbattmsg old\n"
                      "\toption onbattnotify EXEC\n\toption hotsync 1\n\toption hostsync 2\n"
                      "config notifications 'ONBATT'\n\toption message new\n")
    assert package.find("ONBATT").options == {"message": "new", "flag": "EXEC"}
    assert package.find("upsmon").options == {"hostsync": "2"}


@pytest.mark.parametrize("name, kind, option", [
    ("comokmsg", "COMMOK", "message"), ("combadmsg", "COMMBAD", "message"),
    ("shutdowmsg", "SHUTDOWN", "message"), ("shutdownotify", "SHUTDOWN", "flag"),
    ("comoknotify", "COMMOK", "flag"), ("lowbattnotify", "LOWBATT", "flag")])
def test_the_examples_of_2019_and_their_spelling(router, name, kind, option):  # noqa: F811
    package = migrate(router, f"config upsmon 'upsmon'\n\toption {name} EXEC\n")
    assert package.find(kind).options == {option: "EXEC"}
    assert package.find("upsmon").options == {}


def test_the_configuration_of_today_is_not_touched(router):  # noqa: F811
    text = (f"# a comment\nconfig upsmon 'upsmon'\n\toption notifycmd {uci_quoted('a b')}\n"
            "config monitor\n\toption password \"x y\"\n")
    migrate(router, text)
    assert router.file("/etc/config/nut_monitor").read_text() == text


def test_passwords_are_nobody_elses(router):  # noqa: F811
    router.config(OLD)
    file = router.file("/etc/config/nut_monitor")
    file.chmod(0o644)
    assert router.sh("cd /etc/uci-defaults && (. ./80-nutlet-migrate)").returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_read_is_left_for_the_next_boot(router):  # noqa: F811
    router.config("config upsmon 'open\n")
    result = router.sh("cd /etc/uci-defaults && (. ./80-nutlet-migrate)")
    assert result.returncode == 1
    assert router.file("/etc/config/nut_monitor").read_text() == "config upsmon 'open\n"


def test_an_image_that_is_being_made_is_left_alone(router):  # noqa: F811
    router.config(OLD)
    result = router.sh("cd /etc/uci-defaults && (. ./80-nutlet-migrate)", IPKG_INSTROOT="/none")
    assert result.returncode == 0
    assert router.file("/etc/config/nut_monitor").read_text() == OLD


def test_it_is_enabled_in_the_right_place(router):  # noqa: F811
    router.service("enable")
    links = {p.name: os.readlink(p) for p in router.file("/etc/rc.d").iterdir()}
    assert links == {"S82nut-monitor": "../init.d/nut-monitor",
                     "K28nut-monitor": "../init.d/nut-monitor"}
