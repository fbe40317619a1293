#!/usr/bin/python3
"""Runs a command with a pid of one's choice, in the pid namespace of whoever calls.

    at_pid.py PID [--zombie] COMMAND...

The kernel gives the number after ns_last_pid next. Somebody else may fork in between: then the
child has another number, leaves, and it is tried again. Says the pid on standard output when it
has it, stays as its parent, and ends with its exit code. With --zombie the child is gone at once
and is never waited for.
"""

import os
import sys

NS_LAST_PID = "/proc/sys/kernel/ns_last_pid"
MISSED = 113


def fork_at(pid):
    """0 in a child that has this pid, the pid in its parent."""
    for _ in range(200):
        with open(NS_LAST_PID, "w") as f:
            f.write(str(pid - 1))
        child = os.fork()
        if child == 0:
            if os.getpid() == pid:
                return 0
            os._exit(MISSED)
        if child == pid:
            return child
        os.waitpid(child, 0)
    sys.exit(f"pid {pid} cannot be had; the last one was {child}")


def main(pid, *command):
    zombie = command[0] == "--zombie"
    child = fork_at(int(pid))
    if child == 0:
        if zombie:
            os._exit(0)
        # the pid has standard output for itself
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.execvp(command[0], command)
    print(child, flush=True)
    if zombie:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        print("zombie", flush=True)
        sys.stdin.read()
        return 0
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.exit(code if code >= 0 else 128 - code)
