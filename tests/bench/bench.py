#!/usr/bin/python3
"""What the watch costs, beside NUT's own upsmon in the same run on the same upsd: a table.

    bench.py [--runs 3] [--seconds 10] [--upses 1,10] [name=binary ...]

One binary after the other gets the same configuration (POLLFREQ 1) and a room of its own
(tests/compare/peer.py).  Each figure is the median of the runs.  Many UPSes are one upsd under
many addresses of loopback.
"""

import argparse
import collections
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(TOP / "tests" / "compare"), str(TOP / "board" / "common")]

import peer  # noqa: E402 (the path comes first)
from lab.upsd import ADMIN, PRIMARY, Upsd, wait_for  # noqa: E402

READING = ("read", "recv", "recvfrom", "recvmsg", "readv")
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
WRITING = ("write", "send", "sendto", "sendmsg", "writev")
# with 10 UPSes as many lines as a build has room for, if nobody asks for more
DEAD = 6


class DeadHosts:
    """Addresses of loopback that take a connection, and never answer the next one."""

    def __init__(self, count):
        self.sockets, self.hosts = [], []
        for i in range(count):
            listener = socket.create_server((f"127.9.{i // 250}.{i % 250 + 1}", 0), backlog=0)
            self.sockets.append(listener)
            # one fills the queue; from then on SYNs are dropped
            for _ in range(2):
                full = socket.socket()
                full.setblocking(False)
                full.connect_ex(listener.getsockname())
                self.sockets.append(full)
            self.hosts.append("%s:%d" % listener.getsockname())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()


def memory(pids):
    """PSS and private dirty memory of these processes, KiB."""
    sums = collections.Counter()
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, *value = line.split()
            if name in ("Pss:", "Private_Dirty:"):
                sums[name] += int(value[0])
    return sums["Pss:"], sums["Private_Dirty:"]


def wake_ups(pids):
    """How often these have gone to sleep, which is how often they will have been woken up."""
    text = "".join(pathlib.Path(f"/proc/{pid}/status").read_text() for pid in pids)
    return sum(map(int, re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M)))


def traced(pids, seconds, directory):
    """The system calls of these processes for so long: (name, rest of the line) each."""
    out = pathlib.Path(directory) / "trace"
    tracer = subprocess.Popen(["strace", "-f", "-s", "80", "-o", str(out),
                               *(f"-p{pid}" for pid in pids)], stderr=subprocess.DEVNULL)
    try:
        time.sleep(seconds)
    finally:
        tracer.terminate()
        tracer.wait()
    calls = re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(\(.*| resumed.*)$",
                       out.read_text(errors="replace"), re.M)
    # of one that was interrupted by another process's, the beginning is not counted
    return [(name, rest) for name, rest in calls if "<unfinished" not in rest]


def per_poll(calls):
    """Calls and bytes for each request of ups.status, and which calls those were."""
    polls = sum("GET VAR" in rest and name in WRITING for name, rest in calls)
    size = sum(int(rest.rsplit("= ", 1)[1].split()[0]) for name, rest in calls
               if name in READING + WRITING and re.search(r"GET VAR|VAR \S+ ups.status", rest)
               and re.search(r"= \d+$", rest))
    names = collections.Counter(name for name, _ in calls)
    polls = max(polls, 1)
    return len(calls) / polls, size / polls, {n: c / polls for n, c in names.most_common()}


def packets(seconds):
    """What goes over loopback for so long: the kernel's time, sender's and receiver's addresses and
    ports, their ports as numbers, and TCP's part.  Nothing that would slow the sender down."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as tap:
        tap.bind(("lo", 0x0800))
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        tap.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        tap.settimeout(0.2)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                packet, extra, _, address = tap.recvmsg(2048, 64)
            except TimeoutError:
                continue
            # loopback shows each packet as it goes, and as it comes
            if address[2] == socket.PACKET_OUTGOING or packet[9] != socket.IPPROTO_TCP:
                continue
            tcp = packet[(packet[0] & 15) * 4:]
            at = struct.unpack("qq", extra[0][2])
            yield (at[0] + at[1] / 1e9, packet[12:20] + tcp[:4], *struct.unpack("!HH", tcp[:4]), tcp)


def polls_seen(ports, seconds):
    """When a request of ups.status came to one of these ports of loopback, by connection."""
    polls = collections.defaultdict(list)
    for at, who, _, port, tcp in packets(seconds):
        if port in ports and b"GET VAR" in tcp:
            polls[who].append(at)
    return polls


def packets_per_poll(port, seconds):
    """Both ways, with those that only acknowledge."""
    count = polls = 0
    for _, _, source, to, tcp in packets(seconds):
        count += port in (source, to)
        polls += to == port and b"GET VAR" in tcp
    return count / max(polls, 1)


def gaps(ports, seconds, freq, live):
    """How late each poll of so long a time comes: ms beyond POLLFREQ since the one before."""
    polls = polls_seen(ports, seconds)
    late = [(b - a - freq) * 1000 for times in polls.values() for a, b in zip(times, times[1:])]
    # a connection that is never polled is as late as it can be
    never = live - sum(len(times) >= 2 for times in polls.values())
    return late + [seconds * 1000] * never


def start(binary, directory, upsd, hosts, dead=()):
    pathlib.Path(directory).chmod(0o755)
    side = peer.Peer(binary, pathlib.Path(directory) / "room")
    monitors = "\n".join(f"MONITOR ups@{host}:{upsd.port} {int(i == 0)} {PRIMARY[0]} {PRIMARY[1]}"
                         " primary" for i, host in enumerate(hosts))
    monitors += "".join(f"\nMONITOR ups@{host} 0 u p secondary" for host in dead)
    side.configure(upsd.port, ups=(), monitors=monitors, HOSTSYNC=0, FINALDELAY=0)
    begin = time.monotonic()
    side.run()
    wait_for("all logins", lambda: upsd.logins() == len(hosts) or side.exited() is not None, 120, 0.002)
    if side.exited() is not None:
        raise RuntimeError(f"{binary} has ended: {side.log()[-2000:]}")
    return side, time.monotonic() - begin


def measure(binary, upsd, hosts, seconds):
    figures = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        side, figures["ready"] = start(binary, directory, upsd, hosts)
        try:
            time.sleep(2)
            pids = side.processes()
            figures["pss"], figures["dirty"] = memory(pids)
            before = wake_ups(pids)
            figures["packets"] = packets_per_poll(upsd.port, seconds)
            figures["wakeups"] = (wake_ups(pids) - before) / seconds / len(hosts)
            calls = traced(pids, seconds, directory)
            figures["calls"], figures["bytes"], figures["names"] = per_poll(calls)
        finally:
            side.end()
    wait_for("no login", lambda: upsd.logins() == 0, 120)
    if len(hosts) == 1:
        figures["instructions"] = instructions(binary, upsd, seconds)
    # more of them is load.py's
    if len(hosts) <= 100:
        figures["late"] = beside_dead_hosts(binary, upsd, hosts, seconds)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        figures["down"] = reaction(binary, directory)
    return figures


def counted(binary, upsd, seconds):
    """Instructions of a whole life in which it polls for so long, and how many polls that were."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        out = pathlib.Path(directory)
        wrapper = out / "upsmon"
        wrapper.write_text("#!/bin/sh\nexec valgrind --tool=callgrind "
                           f"--callgrind-out-file={out}/life.%p {binary} \"$@\"\n")
        wrapper.chmod(0o755)
        side, _ = start(wrapper, directory, upsd, ["127.0.0.1"])
        # its user writes there too, when it ends
        out.chmod(0o777)
        try:
            polls = sum(map(len, polls_seen({upsd.port}, seconds).values()))
            subprocess.run(["nsenter", "-t", str(side.init()), "-m", "-p", "sh", "-c",
                            "kill -TERM $(cat /run/nut/upsmon.pid)"], check=True)
            wait_for("its end", lambda: side.exited() is not None, 60)
            wait_for("no login", lambda: upsd.logins() == 0, 60)
        finally:
            side.end()
        return sum(int(re.search(r"^totals: (\d+)", life.read_text(), re.M)[1])
                   for life in out.glob("life.*")), polls


def instructions(binary, upsd, seconds):
    """Of one poll of one UPS, both processes, by callgrind: the kernel's are not in it."""
    (less, few), (more, many) = counted(binary, upsd, 4), counted(binary, upsd, 4 + seconds)
    return (more - less) / (many - few)


def beside_dead_hosts(binary, upsd, hosts, seconds):
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, \
            DeadHosts(DEAD) as dead:
        side, _ = start(binary, directory, upsd, hosts, dead.hosts)
        try:
            time.sleep(2)
            return max(gaps({upsd.port}, max(seconds, 20), 1, len(hosts)))
        finally:
            side.end()
            wait_for("no login", lambda: upsd.logins() == 0, 60)


def reaction(binary, directory):
    """From the answer with OB LB to SHUTDOWNCMD, ms; FINALDELAY is 0."""
    with Upsd(pathlib.Path(directory) / "upsd") as upsd:
        side, _ = start(binary, directory, upsd, ["127.0.0.1"])
        try:
            upsd.ask('SET VAR ups ups.status "OB LB"', user=ADMIN)
            begin = next(at for at, _, port, _, tcp in packets(30)
                         if port == upsd.port and b"OB LB" in tcp)
            wait_for("the shutdown", side.down.exists, 30, 0.002)
            return (side.down.stat().st_mtime_ns / 1e9 - begin) * 1000
        finally:
            side.end()


ROWS = (("size", "binary, bytes"), ("pss", "PSS, KiB"), ("dirty", "private dirty, KiB"),
        ("calls", "system calls a poll"), ("bytes", "bytes a poll"), ("packets", "packets a poll, both ways"),
        ("instructions", "instructions a poll"), ("wakeups", "wake-ups a poll"), ("ready", "exec to the login, ms"),
        ("down", "the answer OB LB to SHUTDOWNCMD, ms"),
        ("late", "a poll comes late beside six dead hosts, by at most, ms"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--upses", default="1,10")
    parser.add_argument("--calls", action="store_true", help="also which system calls")
    parser.add_argument("binaries", nargs="+", metavar="name=binary")
    args = parser.parse_args()
    binaries = dict(b.split("=", 1) for b in args.binaries)
    for count in map(int, args.upses.split(",")):
        hosts = [f"127.0.{i // 250}.{i % 250 + 1}" for i in range(count)]
        with tempfile.TemporaryDirectory(prefix="bench-") as directory, \
                Upsd(pathlib.Path(directory) / "upsd", listen="0.0.0.0") as upsd:
            results = {name: [measure(binary, upsd, hosts, args.seconds)
                              for _ in range(args.runs)] for name, binary in binaries.items()}
        print(f"\n{count} UPS{'es' * (count > 1)}, medians of {args.runs} runs\n")
        print(f"| | {' | '.join(binaries)} |\n|---|{'---|' * len(binaries)}")
        for key, title in ROWS:
            if not all(key in run for runs in results.values() for run in runs) and key != "size":
                continue
            if key == "size":
                values = [float(pathlib.Path(b).stat().st_size) for b in binaries.values()]
            else:
                values = [statistics.median(run[key] for run in runs) * (1000 if key == "ready" else 1)
                          for runs in results.values()]
            print(f"| {title} | {' | '.join(f'{v:,.0f}' if v >= 100 else f'{v:.1f}' for v in values)} |")
        if args.calls:
            for name, runs in results.items():
                print(f"\n{name}: " + ", ".join(f"{n} {c:.2f}" for n, c in runs[-1]["names"].items()))


if __name__ == "__main__":
    sys.exit(main())
