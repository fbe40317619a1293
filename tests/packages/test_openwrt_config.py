"""UCI becomes upsmon.conf: whatever it holds, and whatever is wrong with it."""

import re

import pytest

from openwrt_lab import BOARD, TOP, complaints, configure, configure_as, made, options, uci_quoted
from openwrt_lab import ipk, router, tmp_path  # noqa: F401  fixtures

MONITOR = """
config monitor
	option upsname ups
	option hostname nas.lan
	option username monuser
	option password secret
"""

# option of the section upsmon: what upsmon.conf has for it
ORDINARY = {
    "minsupplies": ("2", "MINSUPPLIES"), "pollfreq": ("7", "POLLFREQ"),
    "pollfreqalert": ("3", "POLLFREQALERT"), "deadtime": ("60", "DEADTIME"),
    "hostsync": ("20", "HOSTSYNC"), "finaldelay": ("0", "FINALDELAY"),
    "nocommwarntime": ("600", "NOCOMMWARNTIME"), "rbwarntime": ("3600", "RBWARNTIME"),
    "offduration": ("-1", "OFFDURATION"), "oblbduration": ("10", "OBLBDURATION"),
    "overduration": ("0", "OVERDURATION"), "shutdownexit": ("no", "SHUTDOWNEXIT"),
    "pollfail_log_throttle_max": ("100", "POLLFAIL_LOG_THROTTLE_MAX"),
    "debug_min": ("1", "DEBUG_MIN"), "no_new_privs": ("no", "NO_NEW_PRIVS"), "alarmcritical": ("0", "ALARMCRITICAL"),
    "batterylevel": ("30", "BATTERYLEVEL"), "minutes": ("5", "MINUTES"),
    "timeout": ("900", "TIMEOUT"), "onbatterydelay": ("10", "ONBATTERYDELAY"),
    "shutdowncmd": ("/sbin/poweroff -d 3", "SHUTDOWNCMD"),
    "notifycmd": ("/bin/echo two words", "NOTIFYCMD"),
    "powerdownflag": ("/tmp/killpower", "POWERDOWNFLAG"),
    "upssched": ("/etc/nut/upssched.conf", "UPSSCHED"),
    "certverify": ("0", "CERTVERIFY"), "forcessl": ("off", "FORCESSL"),
}

HOSTILE = ["two words", "# no comment", 'a "quote" in it', '"', "back\\slash", "\\", "it's", "=",
           "$(touch /tmp/owned)", "`touch /tmp/owned`", "a; touch /tmp/owned", "a=b", "\t", "*",
           "~", "$HOME ${x}", "ends with \\", "é ü €", '" NOTIFYCMD "x', "%", "!", "-n", "&"]


def of(name, more="", head=MONITOR):
    return f"{head}\nconfig upsmon 'upsmon'\n{name}{more}"


def test_every_option_arrives(router):  # noqa: F811
    router.file("/etc/nut/upssched.conf").write_text(
        "CMDSCRIPT /bin/true\nAT ONBATT * START-TIMER long 60\nAT ONLINE * CANCEL-TIMER long\n")
    router.config(of(options({k: v for k, (v, _) in ORDINARY.items()}),
                     "\toption runas watcher\n", MONITOR + "\toption powervalue 2\n"))
    assert configure(router) == 0
    got = made(router)
    for option, (value, directive) in ORDINARY.items():
        assert got[directive] == [{"off": "0"}.get(value, value)], option
    assert got["RUN_AS_USER"] == ["watcher"]
    assert complaints(router) == []


@pytest.mark.parametrize("option, directive", [("debugmin", "DEBUG_MIN"),
                                               ("pollfaillogthrottlemax",
                                                "POLLFAIL_LOG_THROTTLE_MAX")])
def test_the_other_spelling(router, option, directive):  # noqa: F811
    router.config(of(options({option: 3})))
    assert configure(router) == 0
    assert made(router)[directive] == ["3"]


def test_neither_list_of_options_grows_alone():
    source = (TOP / "src" / "core" / "conf_line.c").read_text()
    known = set(re.findall(r'^\t\{ "([A-Z_]+)",', source, re.M))
    known |= set(re.findall(r'^\t\[TRIGGER_\w+\] = "([A-Z]+)"', source, re.M))
    assert len(known) > 25, "the tables of conf_line.c are written in another way now"
    script = (BOARD / "files" / "nutlet-upsmon.sh").read_text()
    lists = " ".join(re.findall(r'^NUTLET_(?:NUMBERS|TRIGGERS|TEXTS|SWITCHES|WORDS)="(.*?)"',
                                script, re.M | re.S))
    handled = {name.upper() for name in lists.split()}
    handled |= set(re.findall(r'nutlet_put \S+ "([A-Z_]+) ', script))
    assert handled == known
    assert {d for _, d in ORDINARY.values()} == known - {
        "MONITOR", "RUN_AS_USER", "NOTIFYMSG", "NOTIFYFLAG", "CERTPATH", "CERTFILE", "CERTIDENT",
        "CERTHOST"}, "ORDINARY, here"


def test_every_type_has_the_default_flags():
    source = (TOP / "src" / "core" / "notify.c").read_text()
    known = set(re.findall(r"\[NOTIFY_\w+\] = \{ \"(\w+)\"", source))
    script = (BOARD / "files" / "nutlet-upsmon.sh").read_text()
    listed = re.search(r'^NUTLET_TYPES="(.*?)"', script, re.M | re.S)[1].split()
    assert set(listed) == known - {"NOLOGIN"}
    assert len(known) > 30


def test_the_manual_page_of_uci_names_every_option():
    readme = (BOARD / "README.md").read_text()
    for option in [*ORDINARY, "runas", "certpath", "certfile", "certident", "certhost",
                   "defaultnotify", "triggerlist", "interface_reload_delay"]:
        assert f"`{option}`" in readme, option


# -- what is hostile ------------------------------------------------------------


def test_hostile_names_and_passwords(router):  # noqa: F811
    values = HOSTILE + ["x" * 200]
    for start in range(0, len(values), 12):
        chosen = values[start:start + 12]
        router.config("".join(
            f"config monitor\n\toption upsname u{i}\n\toption username {uci_quoted(v)}\n"
            f"\toption password {uci_quoted(v)}\n" for i, v in enumerate(chosen)))
        assert configure(router) == 0
        got = made(router)
        for i, value in enumerate(chosen):
            assert got["MONITOR", f"u{i}@localhost"] == ["1", value, value, "secondary"]
        assert complaints(router) == []
    assert not router.file("/tmp/owned").exists()


def test_hostile_commands_and_files(router):  # noqa: F811
    for value in HOSTILE:
        router.config(of(options({"notifycmd": value, "shutdowncmd": value,
                                  "powerdownflag": "/" + value})))
        assert configure(router) == 0
        got = made(router)
        assert [got["NOTIFYCMD"], got["SHUTDOWNCMD"], got["POWERDOWNFLAG"]] == [
            [value], [value], ["/" + value]]
    assert not router.file("/tmp/owned").exists()


def test_what_is_wrong_in_upssched_conf(router):  # noqa: F811
    router.file("/etc/nut/upssched.conf").write_text(
        "CMDSCRIPT /bin/true\nAT ONBATT * START-TIMER\n")
    router.config(of(options({"upssched": "/etc/nut/upssched.conf"})))
    assert configure(router) == 0
    assert "daemon.warn nut-monitor: /etc/nut/upssched.conf:2: warning: expected: AT" in \
        router.logged()
    assert made(router)["UPSSCHED"] == ["/etc/nut/upssched.conf"]
    # no path
    router.config(of(options({"upssched": "upssched.conf"})))
    assert configure(router) == 0
    assert "nut_monitor.upsmon.upssched: UPSSCHED must be an absolute path" in router.logged()
    assert "UPSSCHED" not in made(router)


def test_hostile_messages(router):  # noqa: F811
    types = "ONLINE ONBATT LOWBATT FSD COMMOK COMMBAD SHUTDOWN REPLBATT NOCOMM CAL OFF ECO".split()
    values = [v for v in HOSTILE if v != "%"]
    for start in range(0, len(values), len(types)):
        chosen = dict(zip(types, values[start:]))
        router.config(MONITOR + "".join(
            f"config notifications '{t}'\n\toption message {uci_quoted(v)}\n"
            for t, v in chosen.items()))
        assert configure(router) == 0
        got = made(router)
        for kind, value in chosen.items():
            assert got["NOTIFYMSG", kind] == [value]
    assert not router.file("/tmp/owned").exists()


@pytest.mark.parametrize("value", ["abc", "1 2", "5 # x", '"5', "$(touch /tmp/owned)", "-", "\\",
                                   "9" * 30, "1;touch /tmp/owned"])
def test_no_number_is_left_out_and_named(router, value):  # noqa: F811
    numbers = {k: value for k, (v, _) in ORDINARY.items()
               if re.fullmatch(r"-?\d+|no", v) and k not in ("alarmcritical", "certverify")}
    router.config(of(options(numbers), "\toption certverify junk\n\toption alarmcritical junk\n"))
    assert configure(router) == 0
    got = made(router)
    for option in [*numbers, "certverify", "alarmcritical"]:
        assert ORDINARY[option][1] not in got
        assert f"nut_monitor.upsmon.{option}: " in router.logged(), option
    assert ("MONITOR", "ups@nas.lan") in got
    assert not router.file("/tmp/owned").exists()


@pytest.mark.parametrize("char", ["\n", "\r", "\x01", "\x1b", "\x7f"])
def test_control_characters_are_left_out_and_named(router, char):  # noqa: F811
    value = f"x{char}SHUTDOWNCMD /bin/evil"
    router.config(of(options({"notifycmd": value, "shutdowncmd": value, "deadtime": value,
                              "powerdownflag": f"/tmp/{value}"}))
                  + "\nconfig notifications 'ONBATT'\n" + options({"message": value}))
    assert configure(router) == 0
    got = made(router)
    assert got["SHUTDOWNCMD"] == ["/usr/sbin/nutshutdown"]
    assert got["POWERDOWNFLAG"] == ["/var/run/killpower"]
    assert "NOTIFYCMD" not in got and "DEADTIME" not in got
    assert ("NOTIFYMSG", "ONBATT") not in got
    for name in ("upsmon.notifycmd", "upsmon.shutdowncmd", "upsmon.deadtime",
                 "upsmon.powerdownflag", "ONBATT.message"):
        assert f"nut_monitor.{name}: there is a line break or another control" in router.logged()


def test_what_nuts_package_needed_in_quotes(router):  # noqa: F811
    """A value that is in quotes as a whole means the same as with NUT's package."""
    router.config(of(options({"notifycmd": '"/bin/echo two"', "shutdowncmd": '"/a b" "c"',
                              "minsupplies": "1"}), head=MONITOR.replace("secret", "'\"a # b\"'"))
                  + "\nconfig notifications 'ONBATT'\n"
                  + options({"message": '"UPS %s \\"x\\" \\\\"'}))
    assert configure(router) == 0
    got = made(router)
    assert got["NOTIFYCMD"] == ["/bin/echo two"]
    assert got["SHUTDOWNCMD"] == ['"/a b" "c"']
    assert got["MONITOR", "ups@nas.lan"][2] == "a # b"
    assert got["NOTIFYMSG", "ONBATT"] == ['UPS %s "x" \\']


# -- notifications ----------------------------------------------------------------


@pytest.mark.parametrize("given, flags", [
    (None, "SYSLOG"), ("option defaultnotify EXEC", "EXEC"),
    ("option defaultnotify SYSLOG+EXEC", "SYSLOG+EXEC"),
    ("list defaultnotify SYSLOG\n\tlist defaultnotify EXEC", "SYSLOG+EXEC"),
    ("option defaultnotify 'SYSLOG EXEC'", "SYSLOG+EXEC"),
    ("option defaultnotify nonsense", "SYSLOG")])
def test_default_flags(router, given, flags):  # noqa: F811
    more = f"\t{given}\n" if given else ""
    router.config(of(more) + "\nconfig notifications 'ONBATT'\n\toption flag IGNORE\n"
                  "config notifications 'onbatt'\n")
    assert configure(router) == 0
    got = made(router)
    assert got["NOTIFYFLAG", "ONBATT"] == ["IGNORE"]
    assert got["NOTIFYFLAG", "ALARM"] == [flags]
    assert ("NOTIFYFLAG", "NOLOGIN") not in got
    assert router.logged().count("nut_monitor.upsmon.defaultnotify: ") == more.count("nonsense")


def test_a_notification_that_is_none(router):  # noqa: F811
    router.config(MONITOR + "config notifications 'ONBATTERY'\n"
                  "\toption message x\n\toption flag EXEC\n"
                  "config notifications\n\toption message x\n"
                  "config notifications 'FSD'\n\toption message '100 %'\n\toption flag 'EXEC+X'\n")
    assert configure(router) == 0
    for name in ("ONBATTERY.message", "ONBATTERY.flag", "@notifications[1].message", "FSD.message"):
        assert f"nut_monitor.{name}: " in router.logged()
    assert made(router)["NOTIFYFLAG", "FSD"] == ["EXEC"]
    assert 'nut_monitor.FSD.flag: "X" is none of' in router.logged()
    assert ("NOTIFYMSG", "FSD") not in made(router)


# -- monitors -----------------------------------------------------------------------


@pytest.mark.parametrize("host, system", [
    ("nas.lan", "ups@nas.lan"), ("10.0.0.7", "ups@10.0.0.7"), ("2001:db8::1", "ups@[2001:db8::1]"),
    ("[2001:db8::1]", "ups@[2001:db8::1]"), ("fe80::1%br-lan", "ups@[fe80::1%br-lan]"),
    ("::1", "ups@[::1]")])
def test_hosts(router, host, system):  # noqa: F811
    router.config(MONITOR.replace("nas.lan", f"'{host}'") + "\toption port 4000\n")
    assert configure(router) == 0
    assert ("MONITOR", f"{system}:4000") in made(router)
    assert complaints(router) == []


@pytest.mark.parametrize("option, value, line", [
    ("port", "70000", ["1", "monuser", "secret", "secondary"]),
    ("port", "x", ["1", "monuser", "secret", "secondary"]),
    ("powervalue", "-1", ["1", "monuser", "secret", "secondary"]),
    ("powervalue", "08", ["08", "monuser", "secret", "secondary"]),
    ("type", "both", ["1", "monuser", "secret", "secondary"]),
    ("type", "master", ["1", "monuser", "secret", "master"]),
    ("username", "", ["1", "", "secret", "secondary"]),
    ("password", "", ["1", "monuser", "", "secondary"])])
def test_what_is_wrong_with_a_monitor_costs_no_protection(router, option, value,  # noqa: F811
                                                          line):
    router.config(MONITOR + f"\toption {option} '{value}'\n")
    assert configure(router) == 0
    assert made(router)["MONITOR", "ups@nas.lan"] == line
    named = f"nut_monitor.@monitor[0].{option}: " in router.logged()
    assert named == (value not in ("08", "master"))


LOST = [("upsname", "a b"), ("upsname", "u@h"), ("hostname", "a host"), ("hostname", "h@i"),
        ("hostname", "$(touch /tmp/owned)"), ("hostname", "[::1"), ("password", "a\nb")]


@pytest.mark.parametrize("option, value", LOST)
def test_a_ups_that_cannot_be_watched(router, option, value):  # noqa: F811
    bad = f"{MONITOR}\toption {option} {uci_quoted(value)}\n"
    other = "config monitor 'other'\n\toption username a\n\toption password b\n"
    # alone: there is nothing to watch
    router.config(bad)
    assert configure(router) == 2
    assert not router.file("/var/etc/nut/upsmon.conf").exists()
    # at the first start the other UPS is better than none
    router.config(other + bad)
    assert configure(router) == 0
    assert [k for k in made(router) if k[0] == "MONITOR"] == [("MONITOR", "other@localhost")]
    # later, the UPS that was watched stays watched
    router.config(other + MONITOR)
    assert configure(router) == 0
    before = router.made()
    router.config(other + bad)
    assert configure(router) == 1
    assert router.made() == before
    assert f"nut_monitor.@monitor[1]{'' if option == 'password' else '.' + option}: " \
        in router.logged()
    assert not router.file("/var/etc/nut/upsmon.conf.new").exists()
    assert not router.file("/tmp/owned").exists()


def test_a_ups_that_upsmon_refuses(router):  # noqa: F811
    """What the script does not see, upsmon -t does."""
    many = "".join(MONITOR.replace("option upsname ups", f"option upsname u{i}") for i in range(17))
    router.config(many)
    assert configure(router) == 0
    assert "nut_monitor.@monitor[16]: more than 16 MONITOR lines" in router.logged()
    assert len([k for k in made(router) if k[0] == "MONITOR"]) == 16
    # not once there was a configuration in which nothing was wrong
    router.config(MONITOR)
    assert configure(router) == 0
    router.config(many)
    assert configure(router) == 1
    assert len([k for k in made(router) if k[0] == "MONITOR"]) == 1


def test_minsupplies_that_cannot_be_met(router):  # noqa: F811
    router.config(of(options({"minsupplies": 9})))
    assert configure(router) == 0
    assert "MINSUPPLIES" not in made(router)
    assert "nut_monitor.upsmon.minsupplies: the power values of all" in router.logged()


def test_triggers_of_one_ups(router):  # noqa: F811
    router.config(of(options({"timeout": 900}), head=MONITOR + options(
        {"port": 4000, "timeout": 60, "batterylevel": 20, "minutes": "x"})))
    assert configure(router) == 0
    got = made(router)
    assert got["TIMEOUT"] == ["900"]
    assert got["TIMEOUT", "ups@nas.lan:4000"] == ["60"]
    assert got["BATTERYLEVEL", "ups@nas.lan:4000"] == ["20"]
    assert "nut_monitor.@monitor[0].minutes: " in router.logged()


def test_the_roles_of_old_are_sections(router):  # noqa: F811
    """LuCI still offers them."""
    router.config("config master 'left'\n\toption username a\n\toption password b\n"
                  "config slave\n\toption upsname right\n\toption username a\n\toption password b\n"
                  "config upsmon\n\toption deadtime 33\n")
    assert configure(router) == 0
    got = made(router)
    assert got["MONITOR", "left@localhost"][3] == "primary"
    assert got["MONITOR", "right@localhost"][3] == "secondary"
    assert got["DEADTIME"] == ["33"]


# -- TLS ------------------------------------------------------------------------------


def test_without_tls_a_mere_path_is_left_out(router):  # noqa: F811
    router.config(of(options({"certpath": "/etc/nut/cert_db", "certfile": "/a b.pem",
                              "certident": '"a name" pw', "certverify": 0, "forcessl": "no"})
                     + "\tlist certhost 'nas.lan \"a name\" 0 0'\n"))
    assert configure(router) == 0
    got = made(router)
    assert not [k for k in got if k in ("CERTPATH", "CERTFILE", "CERTIDENT", "CERTHOST")]
    assert got["CERTVERIFY"] == got["FORCESSL"] == ["0"]
    for option in ("certpath", "certfile", "certident", "certhost"):
        assert f"daemon.warn nut-monitor: nut_monitor.upsmon.{option}: {option.upper()} asks for " \
            "TLS" in router.logged()


@pytest.mark.parametrize("line, name", [
    ("option certverify 1", "certverify"), ("option forcessl yes", "forcessl"),
    ("list certhost 'nas.lan \"a name\" 0 1'", "certhost"),
    ("list certhost 'nas.lan name 1 0'", "certhost"),
    ("option certhost 'nas.lan name 1 1'", "certhost")])
def test_without_tls_encryption_is_not_given_up(router, line, name):  # noqa: F811
    router.config(of(f"\t{line}\n"))
    assert configure(router) == 3
    assert f"nut_monitor.upsmon.{name}: {name.upper()} asks for TLS" in router.logged()
    assert not router.file("/var/etc/nut/upsmon.conf").exists()
    assert not router.file("/var/etc/nut/upsmon.conf.new").exists()


# -- the whole --------------------------------------------------------------------------


def test_nothing_is_configured(router):  # noqa: F811
    """As the package is installed: nothing to watch, and no error on the way."""
    assert configure(router) == 2
    assert "there is no section monitor in nut_monitor: nothing to watch" in router.logged()


def test_the_file_of_the_package_works_when_its_comments_go(router):  # noqa: F811
    file = router.file("/etc/config/nut_monitor")
    text = re.sub(r"^#(config|\t)", r"\1", file.read_text(), flags=re.M)
    router.config(text)
    router.script("/path/to/command", "exit 0")
    router.file("/path").chmod(0o755)
    router.file("/path/to").chmod(0o755)
    router.file("/etc/nut/upssched.conf").write_text(
        "CMDSCRIPT /bin/true\nAT ONBATT * EXECUTE onbatt\n")
    assert configure(router) == 0
    assert complaints(router) == []
    assert made(router)["BATTERYLEVEL", "ups@nas.lan"] == ["30"]


def test_an_upsmon_without_a_check(router):  # noqa: F811
    """Built with CHECK=no: it leaves out what is wrong by itself."""
    router.script("/usr/sbin/upsmon", "echo usage >&2; exit 2")
    router.config(of(options({"forcessl": 1, "deadtime": "x"})))
    assert configure(router) == 0
    assert made(router)["FORCESSL"] == ["1"] and made(router)["DEADTIME"] == ["x"]
    assert "this upsmon has no -t" in router.logged()


def test_an_upsmon_that_does_not_work(router):  # noqa: F811
    router.script("/usr/sbin/upsmon", "exit 139")
    router.config(MONITOR)
    assert configure(router) == 2
    assert "nut_monitor cannot be used" in router.logged()


def test_the_file_is_for_its_readers_alone(router):  # noqa: F811
    router.config(MONITOR)
    assert configure(router) == 0
    said = router.sh("stat -c '%a %U %G' /var/etc/nut/upsmon.conf /var/etc/nut; ls /var/etc/nut;"
                     "readlink /etc/nut/upsmon.conf")
    assert said.stdout.splitlines() == ["640 root nutmon", "755 root root", "upsmon.conf",
                                        "/var/etc/nut/upsmon.conf"]


def test_a_user_that_is_not_there(router):  # noqa: F811
    router.config(of(options({"runas": "no body"})))
    assert configure(router) == 0
    assert made(router)["RUN_AS_USER"] == ["nutmon"]
    assert 'nut_monitor.upsmon.runas: there is no user "no body"' in router.logged()


def test_a_router_without_the_user_of_the_package(router):  # noqa: F811
    passwd = router.file("/etc/passwd")
    passwd.write_text(passwd.read_text().replace("nutmon", "other"))
    router.config(MONITOR)
    assert configure(router) == 0
    assert made(router)["RUN_AS_USER"] == ["nobody"]
    assert 'nut_monitor.upsmon.runas: there is no user "nutmon"' in router.logged()


def test_a_broken_file_of_uci_changes_nothing(router):  # noqa: F811
    router.config(of(options({"runas": "watcher"})))
    assert configure_as(router) == (0, "watcher")
    before = router.made()
    router.config(MONITOR + "\toption password 'open\n")
    assert configure_as(router) == (1, "watcher")
    assert router.made() == before
    assert "/etc/config/nut_monitor cannot be read: the configuration before it" in router.logged()


def test_a_file_of_ones_own_is_left_alone(router):  # noqa: F811
    link = router.file("/etc/nut/upsmon.conf")
    link.unlink()
    link.write_text("MONITOR mine@localhost 1 a b primary\n")
    router.config(MONITOR)
    assert configure(router) == 0
    assert not router.file("/var/etc/nut/upsmon.conf").exists()
    assert "/etc/nut/upsmon.conf is a file of its own" in router.logged()


def test_a_link_that_is_gone_is_made_anew(router):  # noqa: F811
    router.file("/etc/nut/upsmon.conf").unlink()
    router.config(MONITOR)
    assert configure(router) == 0
    assert router.file("/etc/nut/upsmon.conf").is_symlink()
