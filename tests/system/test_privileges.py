"""What the two processes, and the commands that they run, may do and may not."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from daemon import DEFAULT_USER
from lab.upsd import wait_for

pytestmark = pytest.mark.root

# Each prints what came of it, in one line.
PROBES = {
    "status": "grep -E '^(CapPrm|CapEff|NoNewPrivs|Seccomp|Uid):' /proc/self/status | tr -s '\\t\\n' '  '",
    "ptrace": "strace -o /dev/null true 2>&1 | head -n 1",
    "namespace": "unshare -U echo works 2>&1",
    "clone": "python3 -c 'import ctypes; libc = ctypes.CDLL(None, use_errno=True); "
             "r = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0); r or exit(); "
             "print(ctypes.get_errno())' 2>&1",
    "keys": "python3 -c 'import ctypes; libc = ctypes.CDLL(None, use_errno=True); "
            "print(libc.syscall(250, 0, -3, 0), ctypes.get_errno())'",
    "programs": "python3 -c 'import subprocess, threading; t = threading.Thread(target=print, "
                "args=(\"thread\",)); t.start(); t.join(); subprocess.run([\"echo\", \"child\"])' "
                "| sort | tr '\\n' ' '",
    "setuid": "@/setuid-id -u",
    "mount": "mount -t tmpfs none @/mnt && umount @/mnt && echo works",
}


@pytest.fixture
def daemon(make_daemon, upsd):
    """Whatever wall this machine has."""
    return make_daemon(port=upsd.port, extra="NO_NEW_PRIVS yes\n")


@pytest.fixture
def probed(daemon, tmp_path):
    """A daemon whose commands try all of the above; what came of it, by the name of the probe."""
    setuid = tmp_path / "setuid-id"
    shutil.copy("/usr/bin/id", setuid)
    setuid.chmod(0o4755)
    (tmp_path / "mnt").mkdir()
    script = tmp_path / "probes"
    lines = [f"echo {name}: $({probe})" for name, probe in PROBES.items()]
    script.write_text("#!/bin/sh\nexec >$1.new 2>/dev/null\n"
                      + "\n".join(lines).replace("@", str(tmp_path)) + "\nmv $1.new $1\n")
    script.chmod(0o755)
    tmp_path.chmod(0o777)
    daemon.write(re.sub("SHUTDOWNCMD.*", f'SHUTDOWNCMD "{script} {daemon.down}"',
                        daemon.conf.read_text().replace(f"NOTIFYCMD {daemon.dir}/notify",
                                                        f'NOTIFYCMD "{script} {tmp_path}/notified;"')))

    def found(path):
        wait_for(f"the probes of {path}", lambda: (tmp_path / path).exists(), 60)
        lines = (tmp_path / path).read_text().splitlines()
        (tmp_path / path).unlink()
        return {name: said.strip() for name, _, said in (line.partition(":") for line in lines)}

    daemon.found = found
    return daemon


def status_of(pid):
    return dict(line.split(":\t", 1) for line in
                pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def filters():
    """Does this kernel have them, and are we without one ourselves?"""
    return status_of("self").get("Seccomp") == "0" and \
        pathlib.Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def test_of_the_two_processes(daemon):
    daemon.run()
    guard, monitor = status_of(daemon.pid()), status_of(daemon.monitor())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(monitor[kind], 16) == 0, kind
    assert monitor["NoNewPrivs"] == "1" and guard["NoNewPrivs"] == "0"
    for pid in (daemon.pid(), daemon.monitor()):
        assert re.search(r"^Max core file size +0 ",
                         pathlib.Path(f"/proc/{pid}/limits").read_text(), re.M)
    if filters():
        assert monitor["Seccomp"] == guard["Seccomp"] == "2"


@pytest.mark.parametrize("wall", ["here", "not here"])
def test_the_default_is_no_where_there_is_a_wall(daemon, wall):
    """A whole distribution: mail, sudo and wall itself get their rights by setuid and setgid files."""
    if not os.access("/usr/bin/wall", os.X_OK):
        pytest.skip("there is none")
    daemon.write(daemon.conf.read_text().replace("NO_NEW_PRIVS yes\n", ""))
    if wall != "here":
        assert daemon.inside("mount --bind /dev/null /usr/bin/wall")
    daemon.run()
    assert status_of(daemon.monitor())["NoNewPrivs"] == str(int(wall != "here"))


@pytest.mark.root
def test_wall_gets_the_text_as_it_is(daemon, upsd):
    """A shell's echo may take \\n and \\033 for what they stand for."""
    if not os.access("/usr/bin/wall", os.X_OK):
        pytest.skip("there is none")
    wall = daemon.dir / "wall"
    told = daemon.dir / "told"
    told.touch()
    told.chmod(0o666)
    wall.write_text(f"#!/bin/sh\ncat >{told}\n")
    wall.chmod(0o755)
    assert daemon.inside(f"mount --bind {wall} /usr/bin/wall")
    text = r"on battery \n\033[31m\c -n $HOME `id` end"
    quoted = text.replace("\\", r"\\")
    daemon.write(daemon.conf.read_text() + f'NOTIFYMSG ONBATT "{quoted}"\nNOTIFYFLAG ONBATT WALL\n')
    daemon.run()
    upsd.set_status("OB")
    wait_for("wall", lambda: told.read_text().endswith("\n"))
    assert told.read_text() == text + "\n"


def test_the_monitor_has_no_descriptor_that_it_does_not_need(daemon, upsd):
    daemon.run()
    wait_for("its login", lambda: upsd.logins() == 1)
    fds = pathlib.Path(f"/proc/{daemon.monitor()}/fd")
    have = sorted(os.readlink(fd) for fd in fds.iterdir())
    # three of the start; the lock of its own; a pipe each way; the server; perhaps the system's log
    kinds = [re.sub(":.*", "", name) for name in have if not name.startswith("socket:")]
    want = [os.readlink(f"/proc/{daemon.pid()}/fd/{n}") for n in range(3)]
    want += [str(daemon.pid_dir / "upsmon.monitor"), "pipe", "pipe"]
    assert sorted(kinds) == sorted(want)
    assert 1 <= sum(name.startswith("socket:") for name in have) <= 2


def test_what_a_notifycmd_may(probed, upsd):
    probed.run()
    upsd.set_status("OB")
    found = probed.found("notified")
    assert "CapEff: 0000000000000000 NoNewPrivs: 1" in found["status"]
    # libcs start processes and threads in different ways, and all of them work
    assert found["programs"] == "child thread"
    # no name for it, whatever id is set
    assert found["setuid"] == subprocess.run(["id", "-u", DEFAULT_USER], text=True, check=True,
                                             capture_output=True).stdout.strip()
    assert found["mount"] == ""
    if filters():
        assert "Seccomp: 2" in found["status"]
        assert "Operation not permitted" in found["ptrace"]
        assert "Operation not permitted" in found["namespace"]
        assert found["clone"] == "1" and found["keys"] == "-1 1"


def test_no_new_privs_is_switched_off_and_on_by_a_reload(probed, upsd):
    text = probed.conf.read_text()
    probed.write(text + "NO_NEW_PRIVS no\n")
    probed.run()
    upsd.set_status("OB")
    found = probed.found("notified")
    assert "NoNewPrivs: 0" in found["status"] and found["setuid"] == "0"
    # the guard's filter is there all the same
    if filters():
        assert "Operation not permitted" in found["ptrace"]
        assert found["keys"].split()[0] != "-1"
    probed.write(text)
    assert probed.command("-c", "reload").returncode == 0
    upsd.set_status("OL")
    assert probed.found("notified")["setuid"] != "0"


def test_what_a_shutdowncmd_may(probed, upsd):
    """All that brings a machine down, and what starts it."""
    probed.run()
    upsd.set_status("OB LB")
    probed.found("notified")
    found = probed.found(probed.down)
    assert "NoNewPrivs: 0" in found["status"] and found["setuid"] == "0"
    assert found["programs"] == "child thread" and found["mount"] == "works"
    assert found["namespace"] == "works"
    assert found["keys"].split()[0] != "-1"
    if filters():
        assert "Operation not permitted" in found["ptrace"]


def test_another_abi_is_no_way_around(daemon, upsd, tmp_path):
    """A program of 32 bits, or one that makes its calls, has other numbers for them."""
    source = tmp_path / "abi.c"
    source.write_text("""#include <stdio.h>
int main(void)
{
	long got;
	/* 20: getpid of i386, which is writev of x86_64 */
	__asm__ volatile("int $0x80" : "=a"(got) : "a"(20L) : "r8", "r9", "r10", "r11", "memory");
	printf("%ld\\n", got);
	return 0;
}
""")
    program = tmp_path / "abi"
    subprocess.run(["gcc", "-o", program, source], check=True)
    if int(subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout) <= 0 \
            or not filters():
        pytest.skip("this kernel has no other ABI, or no filters")
    tmp_path.chmod(0o777)
    for file in ("notified", "down"):
        (tmp_path / file).touch()
        (tmp_path / file).chmod(0o666)
    daemon.write(re.sub("SHUTDOWNCMD.*", f'SHUTDOWNCMD "{program} >{tmp_path}/down"',
                        daemon.conf.read_text().replace(
                            f"NOTIFYCMD {daemon.dir}/notify",
                            f'NOTIFYCMD "{program} >{tmp_path}/notified;"')))
    daemon.run()
    upsd.set_status("OB LB")
    wait_for("SHUTDOWNCMD", lambda: (tmp_path / "down").read_text())
    assert int((tmp_path / "down").read_text()) > 0
    assert int((tmp_path / "notified").read_text()) == -1


def test_an_upgrade_keeps_one_filter(daemon):
    daemon.run()
    for _ in range(3):
        assert daemon.command("-c", "upgrade").returncode == 0
    if "Seccomp_filters" not in status_of("self") or not filters():
        pytest.skip("this kernel does not tell")
    assert status_of(daemon.pid())["Seccomp_filters"] == "1"


@pytest.mark.parametrize("line, warned", [
    ("sudo /sbin/poweroff", "sudo"), ("/usr/bin/mail -s power root", "mail"),
    ("# no sudo in this one", None), ('echo "$1" | sendmail root', "sendmail"),
    ("cat /var/mail/root", None), ("logger mailbox", None)])
def test_the_check_warns_of_what_needs_more(daemon, line, warned):
    script = daemon.dir / "notify"
    script.write_text(f"#!/bin/sh\nset -e\n{line}\n")
    said = f"NOTIFYCMD: {warned} gets no rights by a setuid file"
    assert (said in daemon.command("-t").stderr) == bool(warned)
    daemon.write(daemon.conf.read_text() + "NO_NEW_PRIVS no\n")
    assert "gets no rights" not in daemon.command("-t").stderr
