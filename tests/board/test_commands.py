"""`make run` and `make console`, as a person uses them."""

import re
import signal
import socket
import subprocess

import pexpect

from lab.board import TOP

STORY = ["upsd with dummy-ups listens", "QEMU starts", "board up", "upsmon ready", "on line",
         "the mains fail: OB", "on battery", "the battery runs low: OB LB", "battery low",
         "FSD set by the board as primary", "POWERDOWNFLAG written", "clean power-off",
         "QEMU is gone", "went down in time"]


def command(script, request):
    return ["/usr/bin/python3", str(TOP / "board" / "common" / script),
            request.config.getoption("--board")]


def test_run_tells_the_story(request):
    result = subprocess.run(command("story.py", request), capture_output=True, text=True,
                            timeout=900, check=False)
    assert result.returncode == 0, result.stdout
    at = -1
    for step in STORY:
        at = result.stdout.find(step, at + 1)
        assert at >= 0, f"no {step!r} in its place in:\n{result.stdout}"
    # each line with its time
    assert len(re.findall(r"^ +\d+\.\d s  ", result.stdout, re.M)) >= len(STORY) - 1


def test_console_is_a_board_on_the_terminal(request):
    child = pexpect.spawn(command("console.py", request)[0], command("console.py", request)[1:],
                          encoding="utf-8", timeout=240)
    try:
        child.expect(r"upsd on 127\.0\.0\.1:(\d+)")
        port = int(child.match.group(1))
        child.expect("ctrl-A x")
        child.expect("upsmon: ready")
        child.send("\r")
        child.expect("# ")
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"GET NUMLOGINS ups\n")
            assert s.recv(100) == b"NUMLOGINS ups 1\n"
        # ctrl-C is the shell's on the board, not ours
        child.send("echo begin''s; sleep 1000\r")
        child.expect("begins")
        for _ in range(12):
            # one on its way to the line editor is only a character; the next one drops what waits
            child.sendcontrol("c")
            child.send("echo still''here\r")
            if child.expect(["stillhere", pexpect.TIMEOUT], timeout=10) == 0:
                break
        else:
            raise AssertionError(f"ctrl-C did not reach the shell: {child.before}")
        child.sendcontrol("a")
        child.send("x")
        child.expect(pexpect.EOF)
    finally:
        # it ends its board and its upsd, also when it is told to in the middle
        if child.isalive():
            child.kill(signal.SIGTERM)
            child.expect(pexpect.EOF, timeout=60)
        child.close()
    assert child.exitstatus == 0


def test_console_needs_a_terminal(request):
    result = subprocess.run(command("console.py", request), stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1
    assert "make run" in result.stderr
