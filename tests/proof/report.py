#!/usr/bin/python3
"""Turns the lines of NUTLET_REPORT into a table that a person reads.

    report.py build/soak/report.jsonl [build/soak/report.md]

The format of the lines is in figures.py.
"""

import json
import pathlib
import sys


def merge(old, new, key):
    """Two figures of the same name become one."""
    if isinstance(new, bool) or isinstance(new, str) or isinstance(old, str):
        return old if str(new) in str(old).split(", ") else f"{old}, {new}"
    if key.startswith("max_"):
        return max(old, new)
    return min(old, new) if key.startswith("min_") else old + new


def rows(lines):
    """proof -> its figures, in the order of the first line of each."""
    found = {}
    for line in lines:
        if not line.strip():
            continue
        figures = json.loads(line)
        row = found.setdefault(figures.pop("proof"), {})
        for key, value in figures.items():
            row[key] = merge(row[key], value, key) if key in row else value
    return found


def show(value):
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def words(key):
    """max_start_seconds -> max start seconds"""
    return key.replace("_", " ")


def table(found):
    yield "| proof | rounds | figures | seconds |"
    yield "|---|---:|---|---:|"
    for proof, row in sorted(found.items()):
        others = "; ".join(f"{words(key)} {show(value)}" for key, value in row.items()
                           if key not in ("rounds", "seconds"))
        seconds = f"{row['seconds']:.1f}" if "seconds" in row else ""
        yield f"| {proof} | {show(row.get('rounds', ''))} | {others} | {seconds} |"


def main(source, target="build/soak/report.md"):
    found = rows(pathlib.Path(source).read_text().splitlines())
    text = "# What was shown by running it\n\n" + "\n".join(table(found)) + "\n"
    path = pathlib.Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"{path}: {len(found)} proofs")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
