"""The init script with the real upsmon and a real upsd: start, reload, stop, crash, power cut."""

import os
import shutil
import signal

import pytest

from daemon import alive, uid_of
from lab.upsd import Upsd, wait_for
from openwrt_lab import MONITOR, TIMES, made, options, uci_quoted
from openwrt_lab import ipk, router, tmp_path  # noqa: F401  fixtures

EXEC = "\toption notifycmd /tmp/notify\n\toption defaultnotify SYSLOG+EXEC\n"


@pytest.fixture
def upsd(tmp_path):
    with Upsd(tmp_path / "upsd") as server:
        yield server


@pytest.fixture
def config(router, upsd):  # noqa: F811
    """A configuration that works, and a way to notify."""
    events = router.file("/tmp/events")
    events.touch()
    events.chmod(0o666)
    router.script("/tmp/notify", "")
    notify = router.file("/tmp/notify")
    notify.write_text('#!/bin/sh\necho "$NOTIFYTYPE|$UPSNAME|$#|$1|$(id -un)" >>/tmp/events\n')
    notify.chmod(0o755)
    text = TIMES + EXEC + MONITOR.format(port=upsd.port)
    router.config(text)
    return text


@pytest.fixture
def running(router, upsd, config):  # noqa: F811
    assert router.service("start").returncode == 0
    router.wait_pid()
    wait_for("login", lambda: upsd.logins() == 1)
    return router


def events(router):  # noqa: F811
    return router.file("/tmp/events").read_text().splitlines()


def wait_event(router, text):  # noqa: F811
    wait_for(f"event {text}", lambda: any(text in e for e in events(router)))


# -- start, reload, stop ---------------------------------------------------------------


def test_start(running):
    pid = running.pid()
    instance = running.procd.services["nut-monitor"].instances["upsmon"]
    assert instance.params["command"] == ["/usr/sbin/upsmon", "-FF", "-u", "nutmon"]
    # procd must never give up
    assert instance.params["respawn"][2] == "0"
    assert "reload_signal" not in instance.params
    children = [int(c) for c in open(f"/proc/{pid}/task/{pid}/children").read().split()]
    assert (uid_of(pid), [uid_of(c) for c in children if alive(c)]) == (0, [114])
    # without any environment, as a person types it
    status = running.run("/usr/sbin/upsmon", "-c", "status")
    assert status.returncode == 0 and "logged in" in status.stdout
    running.wait_log("daemon.err upsmon: ready")


def test_start_while_it_runs_changes_nothing(running):
    pid = running.pid()
    running.service("start")
    assert running.pid() == pid
    assert running.procd.services["nut-monitor"].instances["upsmon"].started == 1
    assert "there is a new" not in running.logged()


def test_reload(running, config, upsd):
    pid = running.pid()
    running.config(config + "config notifications 'ONBATT'\n\toption message 'now %s!'\n")
    running.service("reload")
    running.wait_log("the configuration was read anew")
    assert running.pid() == pid
    upsd.set_status("OB")
    wait_event(running, "ONBATT|")
    assert events(running) == [f"ONBATT|ups@127.0.0.1:{upsd.port}|1|"
                               f"now ups@127.0.0.1:{upsd.port}!|nutmon"]
    assert upsd.login_history()[2] >= 1


def test_reload_of_what_cannot_be_used_keeps_what_runs(running, config, upsd):
    pid, before = running.pid(), running.made()
    running.config(config.replace("127.0.0.1", "no host"))
    running.service("reload")
    assert "not reloaded" in running.logged()
    assert (running.pid(), running.made()) == (pid, before)
    # neither does a restart
    running.service("restart")
    running.wait_pid(other_than=pid)
    wait_for("login", lambda: upsd.logins() == 1)
    assert running.made() == before


def test_reload_of_another_user_restarts(running, config):
    pid = running.pid()
    running.config(config.replace("option pollfreq 1", "option pollfreq 1\n\toption runas watcher"))
    running.service("reload")
    pid = running.wait_pid(other_than=pid)
    children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    assert 115 in [uid_of(int(c)) for c in children if alive(int(c))]


def test_reload_when_it_does_not_run_starts_it(router, config):  # noqa: F811
    router.config("")
    router.service("start")
    assert "not started" in router.logged()
    # as LuCI saves it
    router.config(config)
    assert router.procd.event("config.change", router.run, package="nut_monitor") == [1000]
    router.wait_pid()


def test_start_of_what_cannot_be_used_ends_nothing(running):
    pid = running.pid()
    running.config("")
    running.file("/var/etc/nut/upsmon.conf").unlink()
    running.service("start")
    assert "upsmon goes on as it is" in running.logged()
    assert running.pid() == pid


def test_stop(running, upsd):
    pid = running.pid()
    running.service("stop")
    assert not alive(pid)
    assert "nut-monitor" not in running.procd.services
    assert upsd.logins() == 0
    assert not running.file("/var/run/upsmon.pid").exists()
    running.wait_log("daemon.err upsmon: stopped")


def test_stop_of_one_that_procd_did_not_start(router, config, upsd):  # noqa: F811
    router.service("start")
    router.wait_pid()
    router.service("stop")
    # the configuration is still there
    assert router.run("/usr/sbin/upsmon").returncode == 0
    pid = router.wait_pid()
    router.service("stop")
    assert not alive(pid)


def test_stop_without_a_pidfile(running):
    pid = running.pid()
    running.file("/var/run/upsmon.pid").unlink()
    running.service("stop")
    wait_for("the end", lambda: not alive(pid))


# -- crash, power cut ---------------------------------------------------------------------


def test_it_is_started_again_however_often_it_dies(running, upsd):
    instance = running.procd.services["nut-monitor"].instances["upsmon"]
    instance.params["respawn"][1] = "1"  # not five seconds, so that the test is quick
    for death in range(3):
        pid = running.wait_pid()
        os.kill(pid, signal.SIGKILL)
        running.wait_pid(other_than=pid)
        wait_for("started again", lambda d=death: instance.started == d + 2)
    wait_for("login", lambda: upsd.logins() == 1)
    running.wait_log("stale pidfile")


def test_a_pidfile_that_a_power_cut_left(router, config):  # noqa: F811
    router.file("/var/run/upsmon.pid").write_text(f"{os.getpid()}\n")
    router.service("start")
    assert router.wait_pid() != os.getpid()


def test_nothing_starts_while_the_machine_goes_down(router, config):  # noqa: F811
    router.file("/var/run/killpower").touch()
    router.service("start")
    router.service("reload")
    assert router.logged().count("this machine is going down") == 2
    assert not router.procd.services["nut-monitor"].instances
    assert not router.file("/var/etc/nut/upsmon.conf").exists()


@pytest.mark.parametrize("here", [True, False], ids=["the UPS is here", "the UPS is elsewhere"])
def test_the_mains_fail(running, upsd, here):
    running.script("/etc/init.d/nut-server", 'echo "server $*" >>/tmp/down')
    running.script("/usr/libexec/nut/usbhid-ups", 'echo "driver $*" >>/tmp/down')
    running.script("/usr/libexec/evil", 'echo "evil $*" >>/tmp/down')
    running.script("/bin/mount", 'echo "mount $*" >>/tmp/down')
    if here:
        running.config("config driver 'left'\n\toption driver usbhid-ups\n"
                       "config driver 'bad'\n\toption driver '../evil'\n", "nut_server")
    upsd.set_status("OB LB")
    wait_for("poweroff", lambda: "poweroff" in running.down())
    lines = running.down().splitlines()
    if here:
        assert lines[:2] == ["server stop left", "server stop bad"]
        assert lines[-2:] == ["driver -a left -k", "poweroff "]
        assert running.file("/var/run/nut/disable-hotplug").exists()
    else:
        assert lines == ["poweroff "]
    assert running.file("/var/run/killpower").read_text().startswith("upsmon-shutdown-file")


def test_a_driver_that_hangs_does_not_keep_the_machine_on(running, upsd):
    running.script("/etc/init.d/nut-server", "")
    running.script("/bin/mount", "")
    running.script("/usr/libexec/nut/usbhid-ups", "echo driver >>/tmp/down; exec sleep 600")
    running.config("config driver 'left'\n\toption driver usbhid-ups\n", "nut_server")
    script = running.file("/usr/sbin/nutshutdown")
    script.write_text(script.read_text().replace("UPS_DELAY=60", "UPS_DELAY=1")
                      .replace("FAIL_DELAY=120", "FAIL_DELAY=3"))
    upsd.set_status("OB LB")
    wait_for("poweroff", lambda: "poweroff -f" in running.down())
    assert running.down().splitlines() == ["driver", "poweroff ", "poweroff -f"]


def test_a_shutdown_that_is_no_power_failure_leaves_the_ups_on(running):
    running.script("/usr/libexec/nut/usbhid-ups", 'echo "driver $*" >>/tmp/down')
    running.config("config driver 'left'\n\toption driver usbhid-ups\n", "nut_server")
    running.sh("nutshutdown >/dev/null 2>&1 &")
    wait_for("poweroff", running.down)
    assert running.down() == "poweroff \n"


# -- TLS --------------------------------------------------------------------------------------


def test_what_wants_encryption_does_not_start_without(running, config, upsd):
    pid = running.pid()
    running.config(config.replace("option pollfreq 1", "option pollfreq 1\n\toption forcessl 1"))
    running.service("reload")
    running.service("start")
    assert running.pid() == pid  # a machine that was protected
    running.service("restart")
    assert "not started: it would not be encrypted" in running.logged()
    assert running.pid() is None and upsd.logins() == 0


# -- triggers -----------------------------------------------------------------------------------


def test_an_interface_that_comes_up(running, config):
    pid = running.pid()
    running.config(config.replace("option pollfreq 1",
                                  "option pollfreq 1\n\toption triggerlist 'wan lan'\n"
                                  "\toption interface_reload_delay 1500"))
    assert running.procd.event("config.change", running.run, package="nut_monitor") == [1000]
    seen = running.logged().count("the configuration was read anew")
    for name in ("wan", "lan"):
        assert running.procd.event("interface.x.up", running.run, interface=name) == [1500]
    assert running.procd.event("interface.x.up", running.run, interface="guest") == []
    assert running.procd.event("interface.x.down", running.run, interface="wan") == []
    assert running.procd.event("config.change", running.run, package="nut_monitor") == [1000]
    running.wait_log("the configuration was read anew")
    assert running.logged().count("daemon.notice nut-monitor: the configuration is read anew") == 4
    assert seen >= 1 and running.pid() == pid


@pytest.mark.parametrize("delay, used", [("2000", 2000), ("soon", 3000), ("", 3000)])
def test_any_interface(router, config, delay, used):  # noqa: F811
    router.config(config.replace("option pollfreq 1",
                                 "option pollfreq 1\n\toption triggerlist all\n"
                                 f"\toption interface_reload_delay '{delay}'"))
    router.service("start")
    router.wait_pid()
    assert router.procd.event("interface.x.up", router.run, interface="any") == [used]
    assert ("upsmon.interface_reload_delay" in router.logged()) == (delay == "soon")


# -- upgrade ------------------------------------------------------------------------------------


def test_an_upgrade_of_the_package_keeps_the_login(running, upsd):
    pid, program = running.pid(), running.file("/usr/sbin/upsmon")
    shutil.copy(program, f"{program}.new")
    os.rename(f"{program}.new", program)
    running.service("start")
    assert os.stat(f"/proc/{pid}/exe").st_ino == os.stat(program).st_ino
    assert running.pid() == pid
    wait_for("one login", lambda: upsd.logins() == 1)
    assert upsd.login_history()[2] >= 1


def test_an_upgrade_that_fails_is_a_restart(running):
    pid, program = running.pid(), running.file("/usr/sbin/upsmon")
    shutil.copy(program, f"{program}.real")
    shutil.copy(program, f"{program}.new")
    os.rename(f"{program}.new", program)
    # a build without hot upgrade
    library = running.file("/lib/functions/nutlet-upsmon.sh")
    library.write_text(library.read_text().replace("UPSMON=/usr/sbin/upsmon",
                                                   "UPSMON=/usr/sbin/plain"))
    running.script("/usr/sbin/plain", '[ "$2" != upgrade ] && exec /usr/sbin/upsmon "$@"')
    running.procd.services["nut-monitor"].instances["upsmon"].params["command"][0] = \
        "/usr/sbin/plain"
    running.service("start")
    new = running.wait_pid(other_than=pid)
    assert os.stat(f"/proc/{new}/exe").st_ino == os.stat(program).st_ino


# -- what others have on a router -----------------------------------------------------------------


def test_hostile_words_on_their_way(router, tmp_path):  # noqa: F811
    """Through UCI, upsmon.conf and the protocol to a real server, and to NOTIFYCMD."""
    password = 'two words #1 "q" \\ $(touch /tmp/owned)'
    # upsd takes # for a comment even inside quotes
    escaped = password.replace("\\", "\\\\").replace('"', '\\"').replace("#", "\\#")
    users = f'[odd]\n password = "{escaped}"\n upsmon primary\n'
    with Upsd(tmp_path / "upsd", users=users) as upsd:
        message = 'UPS %s: "on" \\ # battery; $(touch /tmp/owned) `x`'
        router.script("/usr/bin/say what", 'echo "$1" >>/tmp/events')
        router.config(TIMES + options({"notifycmd": "'/usr/bin/say what'"})
                      + MONITOR.format(port=upsd.port)
                      + options({"username": "odd", "password": password})
                      + "config notifications 'ONBATT'\n"
                      + options({"message": message, "flag": "EXEC"}))
        router.file("/tmp/events").touch()
        router.file("/tmp/events").chmod(0o666)
        router.service("start")
        wait_for("login", lambda: upsd.logins() == 1)
        upsd.set_status("OB")
        wait_for("message", lambda: events(router))
        assert events(router) == [message.replace("%s", f"ups@127.0.0.1:{upsd.port}")]
    assert not router.file("/tmp/owned").exists()


def test_nut_upssched_and_sendmail_notify(router, upsd, config):  # noqa: F811
    """What their packages set in UCI, in the order in which they run, and what they need when they
    are called: type and UPS in the environment, one argument, functions.sh to be read."""
    router.config("")
    router.script("/usr/sbin/upssched",
                  '. /lib/functions.sh && config_load nut_monitor; '
                  'echo "$NOTIFYTYPE $UPSNAME $# $1" >>/tmp/events')
    for setting in ("nut_monitor.upsmon=upsmon", "nut_monitor.upsmon.defaultnotify=SYSLOG+EXEC",
                    "nut_monitor.upsmon.notifycmd=/usr/sbin/upssched"):
        assert router.run("uci", "set", setting).returncode == 0
    router.run("uci", "commit", "nut_monitor")
    text = router.file("/etc/config/nut_monitor").read_text()
    router.config(text + "\toption pollfreq 1\n\toption pollfreqalert 1\n"
                  + MONITOR.format(port=upsd.port))
    router.service("start")
    wait_for("login", lambda: upsd.logins() == 1)
    upsd.set_status("OB")
    system = f"ups@127.0.0.1:{upsd.port}"
    wait_for("event", lambda: events(router))
    assert events(router) == [f"ONBATT {system} 1 UPS {system} on battery"]


def test_luci(router, upsd, config):  # noqa: F811
    """What luci-app-nut writes, step by step, and its event at the end."""
    router.config("")
    router.service("start")

    def uci(*words):
        result = router.run("uci", *words)
        assert result.returncode == 0, result.stdout
        return result.stdout.strip()

    uci("set", "nut_monitor.upsmon=upsmon")
    for name, value in {"runas": "nutmon", "minsupplies": 1, "shutdowncmd": "/sbin/halt",
                        "pollfreq": 1, "pollfreqalert": 1, "hostsync": 15, "deadtime": 15,
                        "certverify": 0, "forcessl": 0}.items():
        uci("set", f"nut_monitor.upsmon.{name}={value}")
    section = uci("add", "nut_monitor", "monitor")
    for name, value in {"upsname": "ups", "hostname": "127.0.0.1", "port": upsd.port,
                        "powervalue": 1, "username": "monuser", "password": "secret",
                        "type": "primary"}.items():
        uci("set", f"nut_monitor.{section}.{name}={value}")
    uci("set", "nut_monitor.ONBATT=notifications")
    uci("set", "nut_monitor.ONBATT.message=it's on battery")
    uci("set", "nut_monitor.ONBATT.flag=SYSLOG+EXEC")
    uci("commit", "nut_monitor")
    router.procd.event("config.change", router.run, package="nut_monitor")
    wait_for("login", lambda: upsd.logins() == 1)
    got = made(router)
    assert got["NOTIFYMSG", "ONBATT"] == ["it's on battery"]
    assert got["SHUTDOWNCMD"] == ["/sbin/halt"]
    assert uci_quoted("it's on battery") in router.file("/etc/config/nut_monitor").read_text()
