"""The image as a file: the same bytes whoever builds it, and a list of what is in it."""

import json
import os
import subprocess

from lab.board import TOP, board_conf, program


def build(name, out, **environment):
    """Everything behind the compilers, into a folder of its own."""
    out.mkdir()
    env = {**os.environ, "OUT": str(out), **environment}
    common = TOP / "board" / "common"
    subprocess.run([common / "image.sh", name, program(name)], check=True, env=env,
                   stdout=subprocess.DEVNULL)
    files = ["rootfs.cpio.gz", "sbom.cdx.json"]
    boot = board_conf(name).get("BOOT")
    if boot:
        script = "uimage.sh" if boot == "uimage" else "disk-image.sh"
        subprocess.run([common / script, name], check=True, env=env, capture_output=True)
        files += ["uInitrd"] if boot == "uimage" else ["disk.img", f"nutlet-{name}.img"]
    return {file: (out / file).read_bytes() for file in files}


def test_two_builds_are_the_same(name, tmp_path):
    first = build(name, tmp_path / "a")
    os.umask(0o077)
    second = build(name, tmp_path / "a longer name", TZ="Asia/Kolkata", LC_ALL="C")
    for file, content in first.items():
        assert content == second[file], file
    assert len(first) >= 2


def test_upsmon_does_not_know_where_it_was_built(name, tmp_path):
    """As the image has it, and built once more in another folder."""
    own = program(name)
    again = tmp_path / "build"
    again.mkdir()
    (again / "toolchain").symlink_to(TOP / "build" / "toolchain")
    target = again / own.parent.name / "upsmon"
    subprocess.run(["make", "-s", f"BUILD={again}", str(target)], cwd=TOP, check=True,
                   stdout=subprocess.DEVNULL)
    assert target.read_bytes() == own.read_bytes()


def test_list_of_contents(name, tmp_path):
    told = json.loads(build(name, tmp_path / "out")["sbom.cdx.json"])
    assert told["bomFormat"] == "CycloneDX"
    found = {c["name"]: (c["version"], c["licenses"][0]["license"]["id"])
             for c in told["components"]}
    assert {"nutlet", "uClibc-ng", "busybox", "linux"} <= set(found)
    assert found["busybox"][1] == "GPL-2.0-only" and found["busybox"][0].startswith("1.")
    assert found["linux"][0].startswith("6.1.")
