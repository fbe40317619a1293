#!/usr/bin/python3
"""sbom.py BOARD OUT - what is in a board's image, its versions and licences: CycloneDX 1.5.

The scripts that fetch something from Debian leave a file named package beside what they make of it.
The same inputs give the same bytes: no date, and no number that is made up.
"""

import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from lab.board import TOP, board_conf


def component(name, version, licence, what, purl=None, kind="application"):
    entry = {"type": kind, "name": name, "version": version, "description": what,
             "licenses": [{"license": {"id": licence}}]}
    return {**entry, "purl": purl} if purl else entry


def of_debian(path, name, licence, what, kind="application"):
    """path: a file that holds the name of a .dsc or .deb, such as busybox_1.35.0-4.dsc."""
    package, version = re.match(r"([^_]+)_([^_]+?)(?:_\w+)?\.(?:dsc|deb)$",
                                path.read_text().strip()).groups()
    version = version.replace("%3a", ":")
    return component(name, version, licence, what, f"pkg:deb/debian/{package}@{version}", kind)


def installed(package, name, licence, what):
    version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], check=True,
                             capture_output=True, text=True).stdout
    return component(name, version, licence, what, f"pkg:deb/debian/{package}@{version}")


def components(name):
    conf, build = board_conf(name), TOP / "build"
    own = re.search(r'NUTLET_VERSION "(.*)"', (TOP / "src/options.h").read_text()).group(1)
    found = [
        component("nutlet", own, "ISC", "upsmon, and the scripts of the image"),
        of_debian(build / "toolchain" / conf["ARCH"] / "package", "uClibc-ng", "LGPL-2.1-or-later",
                  "the C library, linked statically", "library"),
        of_debian(build / "busybox" / conf["ARCH"] / "package", "busybox", "GPL-2.0-only",
                  "init, shell and tools"),
        of_debian(build / name / "kernel.package", "linux", "GPL-2.0-only",
                  "the kernel and its modules", "operating-system"),
    ]
    # U-Boot is the board's own
    if conf.get("BOOT") == "grub":
        found.append(installed("grub-pc-bin", "grub", "GPL-3.0-or-later", "the boot loader"))
    return found


def main():
    name, out = sys.argv[1:]
    text = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"component": {"type": "firmware", "name": f"nutlet-{name}"}},
            "components": components(name)}
    pathlib.Path(out).write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
