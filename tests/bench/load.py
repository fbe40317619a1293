#!/usr/bin/python3
"""Many UPSes, some of whose hosts are dead: how late is a poll?  A table.

    load.py [--upses 1,10,100,1000] [--dead 0,10,50] [--servers 1,10] [--seconds 20] binary

Of so many MONITOR lines, so many percent are of hosts that answer nothing; the others are those of
so many upsds, under many addresses of loopback.  A poll is late by what is beyond POLLFREQ since
the poll before.  The binary wants to be built with UPS_MAX=1024, as `make load` does.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import tempfile
import time

import bench
from lab.upsd import PRIMARY, Upsd, wait_for

POLLFREQ = 5


def cpu_ms(pids):
    """What these processes have used so far."""
    used = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        used += int(fields[11]) + int(fields[12])
    return used * 10


def measure(binary, servers, live, dead_count, seconds):
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        directory.chmod(0o755)
        upsds = [stack.enter_context(Upsd(directory / f"upsd{i}", listen="0.0.0.0"))
                 for i in range(servers)]
        dead = stack.enter_context(bench.DeadHosts(dead_count))
        side = bench.peer.Peer(binary, directory / "room")
        stack.callback(side.end)
        lines = [f"MONITOR ups@127.0.{i // 250}.{i % 250 + 1}:{upsds[i % servers].port} "
                 f"{int(i == 0)} {PRIMARY[0]} {PRIMARY[1]} primary" for i in range(live)]
        lines += [f"MONITOR ups@{host} 0 u p secondary" for host in dead.hosts]
        side.configure(upsds[0].port, ups=(), monitors="\n".join(lines), POLLFREQ=POLLFREQ,
                       POLLFREQALERT=POLLFREQ)
        side.run()
        wait_for("all logins", lambda: sum(u.logins() for u in upsds) == live, 300)
        # the attempts at dead hosts are spread by then, as they are for good
        time.sleep(12)
        pids = side.processes()
        pss, dirty = bench.memory(pids)
        before = cpu_ms(pids)
        time.sleep(10)
        used = (cpu_ms(pids) - before) / 10
        return pss, dirty, used, sorted(
            bench.gaps({u.port for u in upsds}, seconds, POLLFREQ, live))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upses", default="1,10,100,1000")
    parser.add_argument("--dead", default="0,10,50")
    parser.add_argument("--servers", default="1,10")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("binary")
    args = parser.parse_args()
    print("| UPSes | of dead hosts | servers | PSS, KiB | private dirty, KiB | CPU, ms a second | "
          "late, ms: median | 99 % | at most |\n|---|---|---|---|---|---|---|---|---|")
    for count in map(int, args.upses.split(",")):
        for percent in map(int, args.dead.split(",")):
            dead = count * percent // 100
            for servers in map(int, args.servers.split(",")):
                if (percent and not dead) or servers > count - dead:
                    continue
                pss, dirty, used, late = measure(args.binary, servers, count - dead, dead,
                                                 args.seconds)
                print(f"| {count} | {dead} | {servers} | {pss:,} | {dirty:,} | {used:.1f} | "
                      f"{statistics.median(late):.1f} | {late[int(len(late) * 0.99)]:.1f} | "
                      f"{late[-1]:.1f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
