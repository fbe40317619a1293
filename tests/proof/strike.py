#!/usr/bin/python3
"""Strikes a process at its n-th system call: kills it there, or holds it there.

    strike.py [--hold] [--process P] --call N (--attach PID | COMMAND...)

What `strace -e inject=all:signal=SIGKILL:when=N` does, with two things that strace cannot: it
counts for one process only, 0 the first one and 1 its first child, so that a child can be struck
at its very first call while its parent lives; and it can hold the process there until the caller
has changed the world around it. The call itself is not made before the strike.

Standard output: "attached" once it counts, and "struck PID CALL" when it happened (when the
process is dead, or is held), CALL being the kernel's number of the call. --hold goes on after a
line on standard input. Ends when everything that it follows has ended; whoever kills it kills all
of that, too.
"""

import ctypes
import os
import signal
import struct
import sys

TRACEME, SYSCALL, CONT = 0, 24, 7
SEIZE, INTERRUPT, SETOPTIONS, GET_SYSCALL_INFO, LISTEN = 0x4206, 0x4207, 0x4200, 0x420E, 0x4208
# SYSGOOD, FORK, VFORK, CLONE, EXEC; EXITKILL
OPTIONS = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100000
EVENT_STOP = 128
ENTRY = 1
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=0, data=0):
    """Its errors are of one kind: the process was killed meanwhile, and waitpid will say so."""
    return libc.ptrace(request, pid, address, data)


def call_entered(pid):
    """The number of the system call that the stopped process is about to make, or None."""
    info = ctypes.create_string_buffer(88)
    ptrace(GET_SYSCALL_INFO, pid, len(info), ctypes.addressof(info))
    return struct.unpack_from("Q", info, 24)[0] if info.raw[0] == ENTRY else None


def say(*words):
    print(*words, flush=True)


def launch(command):
    pid = os.fork()
    if pid == 0:
        libc.ptrace(TRACEME, 0, 0, 0)
        os.execv(command[0], command)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status):
        sys.exit(f"{command[0]} cannot be run")
    ptrace(SETOPTIONS, pid, 0, OPTIONS)
    return pid


def attach(pid):
    if ptrace(SEIZE, pid, 0, OPTIONS) < 0:
        sys.exit(f"pid {pid}: {os.strerror(ctypes.get_errno())}")
    ptrace(INTERRUPT, pid)
    os.waitpid(pid, WALL)
    return pid


class Strike:
    def __init__(self, first, process, call, hold):
        self.order = [first]
        self.alive = {first}
        self.process = process
        self.call = call
        self.hold = hold
        self.calls = 0
        self.done = False

    def run(self):
        self.resume(self.order[0])
        say("attached")
        while self.alive:
            pid, status = os.waitpid(-1, WALL)
            if not os.WIFSTOPPED(status):
                self.alive.discard(pid)
            else:
                self.stopped(pid, os.WSTOPSIG(status), status >> 16)

    def stopped(self, pid, sig, event):
        new = pid not in self.alive
        if new:
            self.alive.add(pid)
            self.order.append(pid)
        if sig == signal.SIGTRAP | 0x80:
            self.at_call(pid)
        elif event == EVENT_STOP and sig in (signal.SIGSTOP, signal.SIGTSTP) and not new:
            ptrace(LISTEN, pid)
        elif event or new:
            self.resume(pid)
        else:
            self.resume(pid, sig)

    def at_call(self, pid):
        number = call_entered(pid)
        mine = self.order.index(pid) == self.process
        if number is not None and mine and not self.done:
            self.calls += 1
            if self.calls == self.call:
                self.done = True
                self.strike(pid, number)
                return
        self.resume(pid)

    def strike(self, pid, number):
        if not self.hold:
            os.kill(pid, signal.SIGKILL)
            # its lock goes with it: whoever hears of the strike may count on that
            while os.WIFSTOPPED(os.waitpid(pid, WALL)[1]):
                pass
            self.alive.discard(pid)
            say("struck", pid, number)
            return
        say("struck", pid, number)
        sys.stdin.readline()
        self.resume(pid)

    def resume(self, pid, sig=0):
        ptrace(CONT if self.done else SYSCALL, pid, 0, sig)


def main(words):
    options = {"--process": 0, "--call": 0, "--attach": 0, "--hold": False}
    while words and words[0] in options:
        name = words.pop(0)
        options[name] = True if name == "--hold" else int(words.pop(0))
    first = attach(options["--attach"]) if options["--attach"] else launch(words)
    Strike(first, options["--process"], options["--call"], options["--hold"]).run()


if __name__ == "__main__":
    main(sys.argv[1:])
