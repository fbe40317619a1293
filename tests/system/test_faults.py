"""Each system call of the daemon fails in turn, while a UPS goes through a power cut.

strace makes it fail; it lets go of what the daemon executes.  A fault that passes must not keep the
board up, and one that stays is said in the log, and tried again.  The static build only: what its
libc asks for is all there is.  `make soak` has every error, `make test` the first one of each.
"""

import os
import re
import subprocess

import pytest

from daemon import BINARIES
from lab.upsd import end_process, wait_for

pytestmark = pytest.mark.root

SOAK = "NUTLET_SOAK" in os.environ

# What each may fail with; a call that is missing here fails test_every_call_is_known.
FAULTS = {
    "access": "EACCES ENOENT EIO",
    "alarm": "",
    "arch_prctl": "",
    "brk": "",
    "bind": "EADDRINUSE EACCES",
    "chdir": "EACCES ENOENT",
    "clock_gettime": "",
    "close": "EIO EINTR",
    "close_range": "ENOSYS ENOMEM",
    "connect": "EADDRNOTAVAIL ECONNREFUSED ENETUNREACH EAGAIN EACCES",
    "dup2": "EMFILE EBUSY",
    "execve": "ENOMEM EACCES ETXTBSY EIO",
    "exit": "", "exit_group": "",
    "fchmod": "EROFS EPERM EIO",
    "fchown": "EPERM EROFS",
    "fcntl": "ENOLCK EINTR EAGAIN",
    "fork": "EAGAIN ENOMEM",
    "fstat": "EIO ENOMEM EOVERFLOW",
    "fstatfs": "EIO ENOSYS",
    "fsync": "EIO ENOSPC EROFS",
    "flock": "ENOLCK EINTR",
    "getcwd": "ENOENT EACCES",
    "getegid": "", "geteuid": "", "getgid": "", "getpid": "", "getppid": "", "getuid": "",
    "getrlimit": "EPERM", "prlimit64": "EPERM",
    "getsockopt": "ENOBUFS EACCES",
    "gettimeofday": "", "time": "",
    "ioctl": "ENOTTY EIO",
    "kill": "EPERM ESRCH",
    "link": "EEXIST EPERM",
    "lseek": "EIO",
    "lstat": "EIO EACCES",
    "madvise": "ENOMEM", "mmap": "ENOMEM", "mprotect": "ENOMEM", "mremap": "ENOMEM", "munmap": "",
    "mkdir": "EROFS ENOSPC EACCES", "mkdirat": "EROFS ENOSPC EACCES",
    "newfstatat": "EIO EACCES ENOMEM",
    "open": "EMFILE ENFILE EACCES EIO", "openat": "EMFILE ENFILE EACCES ENOSPC EIO",
    "pidfd_open": "ENOSYS EMFILE",
    "pipe2": "EMFILE ENFILE",
    "poll": "ENOMEM EINTR", "ppoll": "ENOMEM EINTR",
    "prctl": "EINVAL",
    "ftruncate": "EIO ENOSPC", "pread64": "EIO EINTR", "pwrite64": "EIO ENOSPC",
    "read": "EIO EINTR",
    "readlink": "EACCES ENOENT",
    "recvfrom": "ECONNRESET ENOMEM EINTR",
    "renameat": "EROFS ENOSPC EIO",
    "restart_syscall": "",
    "rt_sigaction": "", "rt_sigprocmask": "", "rt_sigreturn": "",
    "sendto": "EAGAIN ENOBUFS EPIPE EINTR",
    "setgid": "EAGAIN", "setgroups": "EPERM", "setuid": "EAGAIN",
    "setsid": "EPERM",
    "setsockopt": "ENOPROTOOPT ENOMEM",
    "socket": "EMFILE ENFILE ENOBUFS EAFNOSUPPORT",
    "stat": "EIO EACCES",
    "statfs": "EIO ENOSYS",
    "umask": "",
    "unlink": "EROFS EBUSY EIO", "unlinkat": "EROFS EBUSY EIO",
    "wait4": "EINTR",
    "write": "ENOSPC EIO EAGAIN EINTR",
}

# These do not fail for a time: who may not become another stays who he is, and says so.
LASTING = ("setgid", "setgroups", "setuid")

CASES = [(call, error) for call, errors in FAULTS.items()
         for error in errors.split()[:None if SOAK else 1]]
# strace counts for each process by itself, and each command is a new one: that fault would stay.
AT_THE_START = [case for case in CASES if case[0] != "execve"]
FOR_A_WHILE = [case for case in CASES if case[0] not in LASTING]


@pytest.fixture
def daemon(make_daemon, upsd):
    return make_daemon(port=upsd.port, extra="RUN_AS_USER nobody\n")


@pytest.fixture
def binary():
    return BINARIES.get("uclibc") or pytest.skip("the static build of this machine only")


@pytest.fixture
def supervised(daemon, upsd):
    """Runs it as init does: what ends is started again, but without strace."""
    def run(*strace):
        script = daemon.dir / "supervise"
        script.write_text('#!/bin/sh\n"$@"\necho "supervisor: it has left with $?" >&2\n'
                          f'while sleep 0.3; do {daemon.binary} -F; done\n')
        script.chmod(0o755)
        daemon.foreground = subprocess.Popen(
            [script, *strace, daemon.binary, "-F"], env=daemon.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(daemon.dir / "log", "ab"))
        wait_for("its login", lambda: upsd.logins() == 1, 60)

    return run


def power_cut(daemon, upsd):
    upsd.set_status("OB")
    upsd.set_status("OB LB")
    daemon.wait_down(60)


def test_every_call_is_known(daemon, supervised, upsd, tmp_path):
    trace = tmp_path / "trace"
    supervised("strace", "-f", "-b", "execve", "-o", str(trace))
    assert daemon.command("-c", "status").returncode == 0
    power_cut(daemon, upsd)
    calls = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(errors="replace"), re.M))
    assert calls <= set(FAULTS), calls - set(FAULTS)


@pytest.mark.parametrize("call,error", AT_THE_START)
def test_fault_at_the_start(daemon, supervised, upsd, call, error):
    """The first three of each process fail; whoever leaves for that has said why."""
    supervised("strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e",
               f"inject={call}:error={error}:when=1..3")
    log = daemon.log()
    if "supervisor: it has left" in log and call != "write":
        assert "upsmon: " in log.split("supervisor:")[0], "it left without a word"
    power_cut(daemon, upsd)


@pytest.mark.parametrize("call,error", FOR_A_WHILE)
def test_fault_that_stays_for_a_while(daemon, supervised, upsd, call, error):
    """From before the power cut on; it is over when nothing more is to be seen."""
    supervised()
    wait_for("its pidfile", daemon.pid)
    before = len(daemon.log())
    tracer = subprocess.Popen(
        ["strace", "-f", "-b", "execve", "-o", "/dev/null", "-e", f"inject={call}:error={error}",
         f"-p{daemon.pid()}", f"-p{daemon.monitor()}"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(2):
            assert "attached" in tracer.stderr.readline()
        upsd.set_status("OB LB")
        try:
            daemon.wait_down(12)
        except TimeoutError:
            # what is wrong is in the log, unless it cannot be written
            assert call in ("write", "sendto") or len(daemon.log()) > before
    finally:
        end_process(tracer)
        tracer.stderr.close()
    daemon.wait_down(90)
