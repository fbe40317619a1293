"""A server that means harm, in every way at once, beside a real one.

What a server says never reaches a shell, a format, a path or the log as it is; and the UPS of the
real server is watched as if the others were not there.
"""

import itertools
import json
import os
import pathlib
import re
import sys
import time

import pytest

from lab.board import TOP
from lab.upsd import PRIMARY, wait_for
from test_input import FakeServer

sys.path += [str(TOP / "tests" / "bench"), str(TOP / "tests" / "compare")]

from load import cpu_ms  # noqa: E402 (the path comes first)

# what a terminal or a log must never get; a tab and a newline are in our own lines
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def value(ups, variable, text):
    return b'VAR ' + ups + b' ' + variable + b' "' + text + b'"\n'


def polite(status, alarm=b"", login=b"OK\n"):
    """Answers as upsd does, but with these values."""
    def answer(connection):
        for line in connection.makefile("rb"):
            words = line.split()
            if words[:2] == [b"GET", b"VAR"]:
                text = {b"ups.status": status, b"ups.alarm": alarm}.get(words[3], b"")
                connection.sendall(text(words[2]) if callable(text) else
                                   value(words[2], words[3], text))
            elif words[0] == b"LOGIN":
                connection.sendall(login)
            elif words[0] == b"STARTTLS":
                connection.sendall(b"ERR FEATURE-NOT-CONFIGURED\n")
            else:
                connection.sendall(b"OK\n")
    return answer


def forever(connection, line):
    while True:
        connection.sendall(line * 100)


def flood(connection):
    """The right answer to a question, without end."""
    for line in connection.makefile("rb"):
        words = line.split()
        if words[:2] == [b"GET", b"VAR"]:
            forever(connection, value(words[2], words[3], b"OL"))
        connection.sendall(b"OK\n")


def before_the_question(connection):
    forever(connection, b"OK\n")


def closing():
    """Closes one byte later in each connection."""
    count = itertools.count()
    good = b"ERR FEATURE-NOT-CONFIGURED\n" + b"OK\n" * 3 + value(b"ups", b"ups.status", b"OL") * 50

    def answer(connection):
        connection.recv(100)
        connection.sendall(good[:next(count)])
    return answer


def drip(connection):
    connection.recv(100)
    for byte in b"OK\n" * 100:
        connection.sendall(bytes([byte]))
        time.sleep(1)


def enemies(canary):
    """name: what it does.  A shell that gets any of it makes the file."""
    shell = b'OL ALARM $(touch %b) `touch %b` ; touch %b & |touch %b \\"; touch %b; \\"' % ((canary,) * 5)
    return {
        "shell": polite(shell, shell + b"'; touch " + canary + b" '"),
        "format": polite(b"OL ALARM %s%n%s%n %999999999d %*c", b"%n%n%s%s%n %99999d"),
        "path": polite(b"OL ALARM ../../../" + canary, b"../../" + canary),
        "escapes": polite(b"OL ALARM \x1b[2J\x1b]0;owned\x07 \x9b31m \x7f", b"\x1b[2J\r\x08\x0b"),
        "half a letter": polite(b"OL ALARM \xc3", b"\xe2\x82"),
        "overlong letters": polite(b"OL ALARM \xc0\xaf \xed\xa0\x80 \xff", b"\xf8\x88\x80\x80\x80 \xc2\x9b1m"),
        "a letter at the cut": polite(b"OL ALARM", b"a" * 94 + b"\xc3\xa4\xc3\xa4"),
        "nul": polite(b"OL\0OB LB FSD", b"a\0b"),
        "a line without end": lambda c: forever(c, b"x" * 1000),
        "a word without end": polite(b"OL " + b"A" * 1000000),
        "many words": polite(b"OL ALARM " + b"LB2 X " * 10000),
        "10,000 variables": polite(lambda ups: b"".join(
            value(ups, b"outlet.%d.desc" % i, b"x" * 50) for i in range(10000))),
        "another UPS": polite(lambda ups: value(b"other", b"ups.status", b"OB LB FSD")),
        "another variable": polite(lambda ups: value(ups, b"ups.alarm", b"OB LB FSD")),
        "a refusal": polite(b"OL", login=b"ERR \x1b[2J%s%n$(touch " + canary + b")\n"),
        "flood": flood,
        "unasked": before_the_question,
        "closing": closing(),
        "drip": drip,
    }


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def halves(canary):
    names = sorted(enemies(canary))
    return [names[:len(names) // 2], names[len(names) // 2:]]


@pytest.mark.parametrize("names", halves(b"x"), ids=["some", "others"])
def test_hostile_servers_beside_a_real_one(daemon, upsd, tmp_path, names):
    canary = tmp_path / "canary"
    all_of_them = enemies(bytes(canary))
    servers = [FakeServer(all_of_them[name]) for name in names]
    notify = daemon.dir / "notify"
    # all that reaches a command; the events of the real one are in their files as well
    notify.write_text(notify.read_text() + f'printf "%s\\n" "$*" "$UPSNAME" >>{daemon.dir}/told\n')
    (daemon.dir / "told").touch()
    (daemon.dir / "told").chmod(0o666)
    daemon.write(daemon.conf.read_text()
                 + "".join(f"MONITOR ups@127.0.0.1:{server.port} 0 {PRIMARY[0]} {PRIMARY[1]} secondary\n"
                           for server in servers)
                 + "NOTIFYFLAG ALARM SYSLOG+EXEC\nNOTIFYFLAG NOTALARM SYSLOG+EXEC\nNOTIFYFLAG OTHER SYSLOG+EXEC\n")
    try:
        daemon.run()
        monitor = daemon.monitor()
        memory, used, begun = resident_kib(monitor), cpu_ms([monitor]), time.monotonic()
        wait_for("each enemy to be tried three times", lambda: all(
            server.connections >= 3 or name in QUIET for server, name in zip(servers, names)), 90)
        share = (cpu_ms([monitor]) - used) / (time.monotonic() - begun) / 10
        # the same monitor, no larger: nothing of what came was kept
        assert daemon.monitor() == monitor
        assert resident_kib(monitor) - memory <= 64
        assert share < 50, f"{share:.0f} % of a processor"
        shown, as_json = daemon.command("-c", "status").stdout, daemon.command("-c", "status", "-j").stdout
        upsd.set_status("OB")
        wait_for("ONBATT", lambda: f"ONBATT {daemon.system(upsd.port)}" in daemon.events_file.read_text())
        upsd.set_status("OB LB")
        daemon.wait_down()
    finally:
        for server in servers:
            server.close()
    assert not canary.exists()
    assert daemon.down.read_text().split() == [str(os.geteuid())]
    # what is no UTF-8 raises
    for where, text in (("log", (daemon.dir / "log").read_text("utf-8")), ("status", shown),
                        ("json", as_json), ("told", (daemon.dir / "told").read_text("utf-8"))):
        found = CONTROL.search(text)
        assert not found, (where, text[max(0, found.start() - 100):found.end() + 100])
    json.loads(as_json)
    # whoever lies about another UPS is not believed
    for port in (server.port for server in servers):
        assert f"FSD ups@127.0.0.1:{port}" not in daemon.events_file.read_text()
    log = (daemon.dir / "log").read_text()
    assert log.count("\n") < 400, log[-3000:]


# Who answers as upsd does is asked again by the same connection.
QUIET = ("shell", "format", "path", "escapes", "half a letter", "overlong letters", "a letter at the cut", "flood", "drip",
         "another UPS", "another variable", "a refusal", "many words", "nul", "a word without end")
