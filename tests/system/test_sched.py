"""UPSSCHED: an upssched.conf in the daemon, and timers that outlive what the daemon goes through."""

import json
import os
import signal

import pytest

from daemon import BINARIES, children
from lab.upsd import wait_for

FILE = """CMDSCRIPT {dir}/script
PIPEFN /run/nut/upssched.pipe
LOCKFN /run/nut/upssched.lock
AT ONBATT * START-TIMER off {seconds}
AT ONLINE * CANCEL-TIMER off
"""


@pytest.fixture
def memory(tmp_path):
    """A directory in memory, without which -c status tells no timers."""
    place = f"/dev/shm/nutlet-sched-{os.getpid()}-{os.urandom(4).hex()}"
    os.mkdir(place, 0o755)
    yield place
    for name in os.listdir(place):
        os.unlink(f"{place}/{name}")
    os.rmdir(place)


@pytest.fixture
def sched(daemon):
    """Gives the daemon an upssched.conf, and a script that records its calls."""
    def give(seconds, extra=""):
        script = daemon.dir / "script"
        calls = daemon.dir / "calls"
        script.write_text(f'#!/bin/sh\necho "$#|$1|$NOTIFYTYPE|$UPSNAME" >>{calls}\n')
        script.chmod(0o755)
        calls.touch()
        calls.chmod(0o666)
        file = daemon.dir / "upssched.conf"
        file.write_text(FILE.format(dir=daemon.dir, seconds=seconds) + extra)
        file.chmod(0o640)
        if "UPSSCHED" not in daemon.conf.read_text():
            daemon.write(daemon.conf.read_text() + f"UPSSCHED {file}\n")
        return calls
    return give


def started(daemon, upsd, count=1):
    upsd.set_status("OB DISCHRG")
    wait_for("the timer", lambda: daemon.log().count("timer off is started") == count)


def test_it_fires(daemon, upsd, sched):
    calls = sched(2, 'AT ONBATT * EXECUTE "a b $HOME"\n')
    daemon.run()
    started(daemon, upsd)
    system = daemon.system(upsd.port)
    # one word, whatever is in it, and no shell that would look into it
    wait_for("both", lambda: calls.read_text() ==
             f"1|a b $HOME|ONBATT|{system}\n1|off|ONBATT|{system}\n")
    # the notify command is what it was
    daemon.wait_events("ONBATT")


def test_mains_back(daemon, upsd, sched):
    calls = sched(3600, "AT ONLINE * EXECUTE back\n")
    daemon.run()
    started(daemon, upsd)
    upsd.set_status("OL")
    daemon.wait_log("timer off is cancelled")
    wait_for("the next line", lambda: "back" in calls.read_text())
    assert "|off|" not in calls.read_text()


def test_timers_outlive_a_dead_monitor_a_reload_and_an_upgrade(daemon, upsd, sched, memory):
    calls = sched(3600)
    daemon.pid_dir = daemon.dir / "run"
    for name in ("NUT_PIDPATH", "NUT_ALTPIDPATH"):
        daemon.env[name] = memory
    daemon.pidfile, daemon.lockfile = (type(daemon.dir)(memory) / name
                                       for name in ("upsmon.pid", "upsmon.lock"))
    installed = daemon.dir / "upsmon"
    installed.write_bytes(BINARIES["host"].read_bytes())
    installed.chmod(0o755)
    daemon.binary = str(installed)
    daemon.run()
    started(daemon, upsd)

    def due():
        status = json.loads(daemon.command("-c", "status", "-j").stdout)
        return [(t["name"], t["due"], t["type"], t["system"]) for t in status["timers"]]

    wait_for("the timer in the status", due)
    (name, before, kind, system), = due()
    assert (name, kind, system) == ("off", "ONBATT", daemon.system(upsd.port))
    assert 3500 < before <= 3600
    assert "timer off: due in" in daemon.command("-c", "status").stdout

    monitor = daemon.monitor()
    os.kill(monitor, signal.SIGKILL)
    wait_for("the next monitor", lambda: daemon.monitor() not in (None, monitor))
    assert daemon.command("-c", "reload").returncode == 0
    fresh = daemon.dir / "fresh"
    fresh.write_bytes(BINARIES["uclibc"].read_bytes())
    fresh.chmod(0o755)
    fresh.rename(installed)
    result = daemon.command("-c", "upgrade")
    assert result.returncode == 0, result.stderr
    wait_for("the timer after the upgrade", due)
    (name, after, kind, system), = due()
    assert (name, kind, system) == ("off", "ONBATT", daemon.system(upsd.port))
    assert after <= before
    # nothing was started anew, and one word still cancels it
    assert daemon.log().count("timer off is started") == 1
    upsd.set_status("OL")
    daemon.wait_log("timer off is cancelled")
    wait_for("no timer", lambda: not due())
    assert calls.read_text() == ""
    # a reload that takes the lines away ends what they have started
    started(daemon, upsd, 2)
    daemon.write(daemon.conf.read_text().replace("UPSSCHED", "# UPSSCHED"))
    assert daemon.command("-c", "reload").returncode == 0
    wait_for("no timer", lambda: not due())


def test_a_due_timer_waits_for_nobody(daemon, upsd, sched):
    """Mail that cannot be sent is what hangs in a power cut; the shutdown is not to wait for it."""
    calls = sched(2, "".join(f"AT ONBATT * EXECUTE mail{i}\n" for i in range(30)))
    script = daemon.dir / "script"
    script.write_text(script.read_text().replace(
        "#!/bin/sh\n", "#!/bin/sh\ncase $1 in mail*) sleep 60 ;; esac\n"))
    daemon.run()
    started(daemon, upsd)
    wait_for("the timer's command", lambda: "|off|" in calls.read_text(), 20)
    # and nothing of the queue is dropped for want of room
    assert "cannot keep up" not in daemon.log()


def test_a_reload_keeps_timers_that_nothing_would_cancel(daemon, upsd, sched):
    sched(3600)
    daemon.run()
    started(daemon, upsd)
    file = daemon.dir / "upssched.conf"
    good = file.read_text()
    for broken in (None, good.replace("CMDSCRIPT", "# CMDSCRIPT"), "CMDSCRIPT /bin/true\n"):
        file.unlink()
        if broken:
            file.write_text(broken)
        result = daemon.command("-c", "reload")
        assert result.returncode == 1 and "its UPSSCHED file cannot be used" in result.stderr
        result = daemon.command("-c", "upgrade")
        assert result.returncode == 1 and "a timer is running, and " in result.stderr
        file.write_text(good)
    # what nothing starts any more ends with its line
    file.write_text(good.replace("START-TIMER off", "START-TIMER other"))
    assert daemon.command("-c", "reload").returncode == 0
    file.write_text(good)
    assert daemon.command("-c", "reload").returncode == 0
    upsd.set_status("OL")
    daemon.wait_events("ONBATT", "ONLINE")
    assert "timer off is cancelled" not in daemon.log()


def test_a_file_that_is_not_there_costs_the_timers_and_no_more(daemon, upsd, sched):
    sched(2)
    (daemon.dir / "upssched.conf").unlink()
    daemon.run()
    daemon.wait_log("upssched.conf: warning: No such file or directory; there are no timers")
    upsd.set_status("OB LB")
    daemon.wait_down()


def test_its_findings_name_the_file(daemon, sched):
    sched(2, "AT ONBAT * EXECUTE x\n")
    result = daemon.command("-t")
    assert result.returncode == 0
    assert "upssched.conf:6: warning: AT ONBAT: there is no such notify type" in result.stderr
    assert "usable, with 1 warning" in result.stdout
    # as some files on the net have it: the name that is cancelled is another one
    file = daemon.dir / "upssched.conf"
    file.write_text(file.read_text().replace("CANCEL-TIMER off", "CANCEL-TIMER of"))
    assert "timer off is started, and no line cancels it" in daemon.command("-t").stderr
    (daemon.dir / "script").chmod(0o644)
    result = daemon.command("-t")
    assert "upssched.conf: warning: CMDSCRIPT: " in result.stderr
    assert "Permission denied" in result.stderr


def test_a_script_that_fails_is_said(daemon, upsd, sched):
    sched(0)
    (daemon.dir / "script").write_text("#!/bin/sh\nexit 3\n")
    daemon.run()
    started(daemon, upsd)
    daemon.wait_log("CMDSCRIPT for ONBATT failed with exit code 3")
    assert children(daemon.pid())


@pytest.mark.root
def test_the_example_of_the_manual(daemon, upsd, sched):
    """Without a script: the timer is called fsd, and CMDSCRIPT is upsmon -c."""
    sched(1)
    file = daemon.dir / "upssched.conf"
    file.write_text(f'CMDSCRIPT "{daemon.binary} -c"\nAT ONBATT * START-TIMER fsd 1\n'
                    "AT ONLINE * CANCEL-TIMER fsd\n")
    daemon.run()
    upsd.set_status("OB")
    daemon.wait_down()
    assert "timer fsd is due" in daemon.log() and "FSD is asked for by" in daemon.log()
