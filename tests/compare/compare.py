#!/usr/bin/python3
"""make compare: plays every scenario to NUT's upsmon and to ours, and prints the table.

    compare.py [scenario ...]     UPSMON_PEER=<path> another upsmon than Debian's
                                  UPSMON_OURS=<path> another build of ours

Exit code: 0 as the table of intended differences says, 1 something else, 2 it cannot run here.
"""

import pathlib
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import differences
import peer
import scenarios
import stage

# Most of a scenario is waiting for a poll.
AT_ONCE = 12


def play(scenario, directory):
    directory.mkdir()
    try:
        with stage.Stage(scenario, directory, {"peer": peer.PEER, "ours": peer.OURS}) as played:
            outcome = played.play()
    except (TimeoutError, AssertionError, RuntimeError, OSError) as error:
        return "?", "?", differences.Verdict("UNEXPECTED", [str(error).splitlines()[0]])
    theirs, ours = outcome["peer"].sequence, outcome["ours"].sequence
    return theirs, ours, differences.judge(scenario.name, theirs, ours)


def problem():
    for path in (peer.PEER, peer.OURS):
        if not pathlib.Path(path).exists():
            return f"there is no {path}"
    return peer.cannot_run()


def main(names):
    if problem():
        print(f"compare: {problem()}", file=sys.stderr)
        return 2
    unknown = set(names) - {s.name for s in scenarios.SCENARIOS}
    if unknown:
        print(f"compare: there is no scenario {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [s for s in scenarios.SCENARIOS if not names or s.name in names]
    version = peer.version(peer.PEER)
    began = time.monotonic()
    print(f"peer: {peer.PEER}: {version}\nours: {peer.OURS}: {peer.version(peer.OURS)}\n")
    counts = {}
    with tempfile.TemporaryDirectory(prefix="compare-") as top, \
            ThreadPoolExecutor(AT_ONCE) as pool:
        pathlib.Path(top).chmod(0o755)
        results = pool.map(lambda s: play(s, pathlib.Path(top) / s.name), chosen)
        for scenario, (theirs, ours, verdict) in zip(chosen, results):
            kind = verdict.kind
            if kind == "gone" and differences.TABLE_IS_FOR in version:
                kind = "UNEXPECTED"
            counts[kind] = counts.get(kind, 0) + 1
            print(f"{scenario.name}: {kind}")
            if theirs == ours:
                print(f"    both  {ours}")
            else:
                print(f"    peer  {theirs}\n    ours  {ours}")
            for reason in verdict.reasons:
                print(f"    why   {reason}")
            sys.stdout.flush()
    print(f"\n{len(chosen)} scenarios in {time.monotonic() - began:.0f} s: "
          + ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    return 1 if counts.get("UNEXPECTED") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
