"""Images for appliances that QEMU has not: their headers, whether they fit into the flash as its
device tree has it, and their user land on a board that QEMU has."""

import re
import shutil
import struct
import subprocess
import zlib

import pytest

from lab.board import TOP, board_conf, program, with_tree
from test_board import protects

# The places that README.md names: partition and offset in it, and what the boot loader reads there.
DLINK = {"kernel": ("uImage", 0, 0x300000), "initrd": ("ramdisk", 0, 0x300000)}
ZYXEL = {"kernel": ("kernel_2", 0, 0x400000), "initrd": ("kernel_2", 0x400000, 0x600000)}
NETGEAR = {"kernel": ("uImage", 0, 0x600000), "initrd": ("minirootfs", 0, 0x1000000)}
APPLIANCES = {"dns320": DLINK, "dns325": DLINK, "nsa320": ZYXEL, "nsa325": ZYXEL,
              "netgear_readynas_duo_v2": NETGEAR}
# Where they are loaded to: kernel, initrd.
MEMORY = {"dns320": (0xa00000, 0xf00000), "nsa325": (0x800000, 0x1100000),
          "netgear_readynas_duo_v2": (0x1200000, 0x2000000)}
ARM, LINUX, KERNEL, RAMDISK = 2, 5, 2, 3


@pytest.fixture
def built(name):
    return TOP / "build" / name


def parse(path):
    """A legacy image of U-Boot, of which both sums are right: header and data."""
    text = path.read_bytes()
    keys = ("magic", "header_sum", "time", "size", "load", "entry", "data_sum", "os", "arch", "type",
            "compression")
    header = dict(zip(keys, struct.unpack(">7I4B", text[:32])))
    data = text[64:]
    assert header["magic"] == 0x27051956
    assert header["header_sum"] == zlib.crc32(text[:4] + bytes(4) + text[8:64])
    assert header["size"] == len(data) and header["data_sum"] == zlib.crc32(data)
    assert (header["os"], header["arch"], header["compression"]) == (LINUX, ARM, 0)
    return header, data


def partitions(dtb):
    """label -> (begin, size), as the kernel's device tree has the flash."""
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dtb], check=True,
                          capture_output=True, text=True).stdout
    found = {}
    for body in re.findall(r"partition@[0-9a-f]+ {(.*?)}", text, re.S):
        begin, size = re.search(r"reg = <(\w+) (\w+)>", body).groups()
        found[re.search(r'label = "(.*?)"', body).group(1)] = (int(begin, 16), int(size, 16))
    return found


def test_every_device_tree_has_an_image(name):
    assert {dtb.removeprefix("kirkwood-") for dtb in board_conf(name)["DTBS"].split()} == \
        set(APPLIANCES)


@pytest.mark.parametrize("appliance", APPLIANCES)
def test_kernel(built, appliance):
    header, data = parse(built / f"uImage-{appliance}")
    assert (header["type"], header["load"], header["entry"]) == (KERNEL, 0x8000, 0x8000)
    # the kernel as the architecture has it, and behind it the device tree of this appliance
    assert struct.unpack("<I", data[0x24:0x28])[0] == 0x016f2818
    dtb = built / "dtb" / f"kirkwood-{appliance}.dtb"
    assert data == (built / "vmlinux").read_bytes() + dtb.read_bytes()


@pytest.mark.parametrize("appliance", APPLIANCES)
def test_it_fits(built, appliance):
    """Into the partition, and into what the boot loader reads of it."""
    flash = partitions(built / "dtb" / f"kirkwood-{appliance}.dtb")
    files = {"kernel": f"uImage-{appliance}", "initrd": "uInitrd"}
    for what, (label, offset, reads) in APPLIANCES[appliance].items():
        size = (built / files[what]).stat().st_size
        print(f"{appliance}: {what} {size} bytes, of {reads} at {flash[label][0] + offset:#x}")
        assert size <= reads and offset + reads <= flash[label][1]


@pytest.mark.parametrize("appliance", MEMORY)
def test_it_fits_into_memory(built, appliance):
    """The kernel unpacks to 0x8000 and on, and neither it nor its image reaches the initrd."""
    kernel, initrd = MEMORY[appliance]
    size = (built / f"uImage-{appliance}").stat().st_size
    assert kernel + size <= initrd
    unpacked = 0x8000 + 9 * 1024 * 1024
    assert unpacked + size <= initrd


@pytest.mark.parametrize("appliance", MEMORY)
def test_the_readme_says_so(name, built, appliance):
    readme = (TOP / "board" / name / "README.md").read_text()
    flash = partitions(built / "dtb" / f"kirkwood-{appliance}.dtb")
    numbers = set(re.findall(r"0x[0-9a-f]+", readme))
    for label, offset, reads in APPLIANCES[appliance].values():
        assert f"{flash[label][0] + offset:#x}" in numbers and f"{reads:#x}" in numbers
    assert {f"{address:#x}" for address in MEMORY[appliance]} <= numbers


def test_initrd(built):
    header, data = parse(built / "uInitrd")
    assert header["type"] == RAMDISK
    assert data == (built / "rootfs.cpio.gz").read_bytes()


def test_user_land_is_armv5_without_floating_point(name):
    told = subprocess.run(["readelf", "-A", program(name)], check=True, capture_output=True,
                          text=True).stdout
    assert re.search(r"Tag_CPU_arch: v5TE?J?\n", told), told
    assert "Tag_ABI_VFP_args" not in told


def test_its_user_land_protects_a_board(name, built, upsd, tmp_path, switch_on):
    """With the kernel and the modules of the board that QEMU has."""
    other = board_conf(name)["TRIED_ON"]
    tree = tmp_path / "tree"
    root = TOP / "build" / other / "rootfs"
    for path in ("etc/modules", "etc/hosts", "etc/default/upsmon"):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / path, tree / path)
    shutil.copytree(root / "lib/modules", tree / "lib/modules")
    image = with_tree(name, tree, tmp_path / "tried.cpio.gz")
    board = switch_on(board=other, image=image).boot().shell()
    assert board.run("cat /usr/lib/nutlet/board")[1].startswith(f"BOARD={name}\n")
    upsd.set_status("OB DISCHRG")
    board.expect("UPS ups@upsd on battery")
    protects(board, upsd)
