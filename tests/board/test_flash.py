"""The disk as it is flashed, started by its boot loader: what persists, updates, and power cuts in
the middle of them."""

import hashlib
import os
import random
import re
import shutil
import subprocess
import time

import pexpect
import pytest

from lab.board import TOP, board_conf
from lab.upsd import wait_for
from test_board import KILLPOWER, protects

CUTS = 30 if "NUTLET_SOAK" in os.environ else 2
NOTHING = "nothing was written"


@pytest.fixture
def built(name):
    if "BOOT" not in board_conf(name):
        pytest.skip("this board is loaded into memory, and has no slots")
    return TOP / "build" / name


@pytest.fixture
def update(built):
    """The image that nutlet-flash takes."""
    return built / f"nutlet-{built.name}.img"


@pytest.fixture
def flashed(built, tmp_path, switch_on):
    """flashed(stick): boots the disk, which stays as it was left."""
    disk = tmp_path / "disk.img"
    subprocess.run(["cp", "--sparse=always", built / "disk.img", disk], check=True)

    def start(stick=None):
        return switch_on(boot=True, disk=disk, stick=stick)

    start.disk = disk
    return start


@pytest.fixture
def other_image(built, tmp_path):
    """other_image(change): an image of a root that was changed: change(path of the root)."""
    def make(change):
        out = tmp_path / "other"
        out.mkdir()
        shutil.copytree(built / "rootfs", out / "rootfs", symlinks=True)
        change(out / "rootfs")
        subprocess.run([TOP / "board/common/disk-image.sh", built.name], check=True,
                       capture_output=True, env={**os.environ, "OUT": str(out)})
        return out / f"nutlet-{built.name}.img"

    return make


def slots(board):
    """What nutlet-flash says: which one runs, is active, is on trial."""
    code, output = board.run("nutlet-flash status")
    assert code == 0, output
    return tuple(re.findall(r": (\w?)\n", output.replace("\r", "")))


def flash(board, image="/dev/vdb"):
    return board.run(f"nutlet-flash {image}", 240)


def reboot(board):
    board.console.send("reboot\r")
    board.boot()
    return board.shell()


def is_good(board, slot):
    wait_for(f"slot {slot} to be good", lambda: slots(board) == (slot, slot, ""), 60)


def test_the_disk_protects(flashed, upsd):
    board = flashed().boot().shell()
    assert slots(board) == ("A", "A", "")
    mounts = board.run("cat /proc/mounts")[1]
    assert re.search(r"^/dev/vda2 / squashfs ro", mounts, re.M), mounts
    assert re.search(r"^overlay /etc overlay rw", mounts, re.M), mounts
    assert re.search(r"^/dev/vda4 /data ext4 rw", mounts, re.M), mounts
    assert board.run("touch /usr/x")[0] != 0
    # its settings are an overlay on what must not be writable when the UPS is switched off
    board.run("printf '%s\\n' " + " ".join(f"'{line}'" for line in KILLPOWER.splitlines()) +
              " >/etc/killpower; chmod 755 /etc/killpower")
    assert "writable: /dev/vda4 /data" in board.run("/etc/killpower")[1]
    wait_for("the board's login", lambda: upsd.logins() == 1, 60)
    upsd.set_status("OB LB")
    board.expect(r"hook: writable: \.")
    assert board.expect_end() == 0


def test_settings_outlive_a_power_cut(flashed, upsd):
    board = flashed().boot().shell()
    board.run("sed -i 's/POLLFREQ 5/POLLFREQ 3/' /etc/nut/upsmon.conf; sync")
    board.cut_power()
    board = flashed().boot().shell()
    assert "POLLFREQ 3\n" in board.run("cat /etc/nut/upsmon.conf")[1]
    protects(board, upsd)


def test_an_update(flashed, update, upsd):
    """From A to B, and from there to A again; the settings are kept."""
    board = flashed(update).boot().shell()
    board.run("echo '# mine' >>/etc/nut/upsmon.conf")
    for slot, other in ("B", "A"), ("A", "B"):
        code, output = flash(board)
        assert code == 0 and f"slot {slot} is written" in output, output
        assert slots(board) == (other, other, slot)
        board = reboot(board)
        is_good(board, slot)
    assert "# mine" in board.run("cat /etc/nut/upsmon.conf")[1]
    protects(board, upsd)


BLOCK = 4096


def flipped(block, at):
    return block[:at] + bytes([block[at] ^ 1]) + block[at + 1:]


def described(header, old, new):
    """With another description, of which the sum is right."""
    text = header.rstrip(b"\0").decode()
    text = re.sub(old, new, text[:text.index("header ")], flags=re.M)
    text += f"header {hashlib.sha256(text.encode()).hexdigest()}\n"
    return text.encode().ljust(BLOCK, b"\0")


def test_what_is_refused(flashed, update, tmp_path):
    """The stick holds the image, and behind it each block that another one has in its place."""
    data = update.read_bytes()
    blocks = [data[i:i + BLOCK] for i in range(0, len(data), BLOCK)]
    last = len(blocks) - 20
    cases = [
        ("it is for the board toaster", 0, described(blocks[0], r"^board .*", "board toaster")),
        ("too large", 0, described(blocks[0], r"^root \d+", "root 99999999")),
        ("its sizes are none", 0, described(blocks[0], r"^root \d+", "root x")),
        ("its description is damaged", 0, blocks[0].replace(b"version 0", b"version 1")),
        ("no image of nutlet", 0, b"\x7fELF" + blocks[0][4:]),
        ("its root is damaged", 20, flipped(blocks[20], 77)),
        ("damaged", last, flipped(blocks[last], 99)),
    ]
    stick = tmp_path / "stick.img"
    stick.write_bytes(data + b"".join(block for _, _, block in cases))
    board = flashed(stick).boot().shell()
    before = board.run("sha256sum /dev/vda3")

    def refused(image, words):
        code, output = flash(board, image)
        assert code == 1 and words in output and NOTHING in output, (words, output)

    board.run(f"dd if=/dev/vdb of=/tmp/short bs={BLOCK} count={len(blocks) // 2}")
    refused("/tmp/short", "not all of it is there")
    for number, (words, place, _) in enumerate(cases):
        board.run(f"dd if=/dev/vdb of=/tmp/image bs={BLOCK} count={len(blocks)}; "
                  f"dd if=/dev/vdb of=/tmp/image bs={BLOCK} skip={len(blocks) + number} count=1 "
                  f"seek={place} conv=notrunc")
        refused("/tmp/image", words)
    refused("/nowhere", "cannot be read")
    assert board.run("nutlet-flash")[0] == 2
    assert board.run("sha256sum /dev/vda3") == before
    assert slots(board) == ("A", "A", "")


def test_a_version_without_upsmon_is_left(flashed, other_image, upsd):
    """It boots, and upsmon does not run: two minutes later the board is where it was."""
    def change(root):
        (root / "usr/sbin/upsmon").write_text("#!/bin/sh\nexit 1\n")
        script = root / "etc/init.d/S90slot"
        script.write_text(script.read_text().replace("SECONDS_OF_TRIAL=120", "SECONDS_OF_TRIAL=8"))

    board = flashed(other_image(change)).boot().shell()
    assert flash(board)[0] == 0
    board.console.send("reboot\r")
    board.expect("slot: upsmon does not run in slot B; going back")
    board.boot()
    board.shell()
    assert slots(board) == ("A", "A", "")
    protects(board, upsd)


@pytest.mark.parametrize("how", ["kernel", "init"])
def test_a_version_that_does_not_start_is_left(flashed, update, tmp_path, built, upsd, how):
    """One that the boot loader cannot start, or whose kernel panics."""
    stick = tmp_path / "stick.img"
    stick.write_bytes(update.read_bytes())
    board = flashed(stick).boot().shell()
    assert flash(board)[0] == 0
    # as a flash that forgets: the image was whole, and what is in the slot no more is
    if how == "init":
        board.run("dd if=/dev/zero of=/dev/vda3 bs=64k count=16; sync")
    else:
        board.run("dd if=/dev/zero of=/dev/vda3 bs=64k count=512; sync")
    board.console.send("reboot\r")
    board.boot()
    board.shell()
    wait_for("slot A", lambda: slots(board)[0] == "A", 60)
    protects(board, upsd)


def update_and_reboot(board):
    board.console.send("nutlet-flash /dev/vdb && reboot\r")


def test_power_cuts_in_an_update(flashed, update, upsd):
    """At random moments: one slot or the other comes up, with upsmon running."""
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    board = flashed(update).boot().shell()
    # how long it takes here, from its first read until the board is up again
    begin = time.monotonic()
    update_and_reboot(board)
    board.boot()
    whole = time.monotonic() - begin
    board.shell()
    is_good(board, "B")
    for cut in range(CUTS):
        before = slots(board)[0]
        after = dice.uniform(0, whole)
        update_and_reboot(board)
        # nothing says this: it only keeps the console read
        board.console.expect(["no such words", pexpect.TIMEOUT], timeout=after)
        board.cut_power()
        board = flashed(update).boot().shell()
        wait_for("a slot that is good", lambda b=board: slots(b) in (("A", "A", ""),
                                                                     ("B", "B", "")), 60)
        wait_for("the board's login", lambda: upsd.logins() == 1, 60)
        print(f"seed {seed}, cut {cut}: after {after:.1f} of {whole:.1f} s, slot {before}, then "
              f"{slots(board)[0]}")
    protects(board, upsd)
