#!/usr/bin/python3
"""What a static upsmon is made of, in bytes: ours by file, and the C library's by member.

    size.py BUILD_DIRECTORY SOURCE ... -- compiler and flags

Each file is compiled by itself, without LTO, which would leave no files to tell apart: so the sum
is more than the binary has.
"""

import collections
import pathlib
import re
import subprocess
import sys

# " .text.name  0x0000 0x12 file.o" of a map; a long name has the rest on the next line
PIECE = re.compile(r"^ \.(text|rodata|data|init_array|fini_array|eh_frame|bss)[\w.$-]*\s+"
                   r"0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S+)$", re.M)


def compile_all(directory, sources, command):
    objects = []
    for source in sources:
        objects.append(directory / (source.replace("/", "_")[:-2] + ".o"))
        subprocess.run([*command, "-c", "-o", str(objects[-1]), source], check=True)
    linked = directory / "upsmon"
    subprocess.run([*command, "-o", str(linked), *map(str, objects), f"-Wl,-Map,{linked}.map"],
                   check=True)
    return pathlib.Path(f"{linked}.map").read_text()


def main():
    at = sys.argv.index("--")
    directory, sources = pathlib.Path(sys.argv[1]), sys.argv[2:at]
    directory.mkdir(parents=True, exist_ok=True)
    text = compile_all(directory, sources,
                       [word for word in sys.argv[at + 1:] if not word.startswith("-flto")])
    # what was left out stands before the memory map, with sizes as well
    text = text.split("Linker script and memory map", 1)[1]
    image, zero = collections.Counter(), collections.Counter()
    for kind, size, place in PIECE.findall(re.sub(r"^( \.\S+)\n +", r"\1 ", text, flags=re.M)):
        name = pathlib.PurePath(place).name
        member = re.search(r"\((\S+)\)$", name)
        if member:
            name = f"{name.split('(')[0]}: {member[1]}"
        elif place.startswith(str(directory)):
            name = name[len("src_"):-2].replace("_", "/", 1) + ".c"
        (zero if kind == "bss" else image)[name] += int(size, 16)
    groups = collections.Counter()
    for name, size in image.items():
        groups[name.split(":")[0] if ":" in name else
               f"src/{name.split('/')[0]}" if "/" in name else "start"] += size
    print("| | bytes |\n|---|---|")
    for name, size in groups.most_common():
        print(f"| {name} | {size:,} |")
    print("\n| the largest files | bytes | zeroed memory |\n|---|---|---|")
    for name, size in image.most_common(40):
        print(f"| {name} | {size:,} | {zero[name]:,} |")


if __name__ == "__main__":
    main()
