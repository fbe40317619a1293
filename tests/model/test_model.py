"""The model of instance.pml, checked by SPIN in every interleaving.

Each world is a choice of what may happen; all of its states are visited. Each guard of the program
that is taken out of the model makes the proof fail, or it would prove nothing of it.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
MODEL = HERE / "instance.pml"

sys.path.insert(0, str(TOP / "tests" / "proof"))
from figures import report  # noqa: E402 (the path comes first)

SOAK = os.environ.get("NUTLET_SOAK", "") not in ("", "0")

NOTHING = dict(LIVES=0, CRASHES=0, STOPS=0, UPGRADES=0, STRANGERS=0, PLANTS=0, RENAMES=0,
               SIGNALS=0)

# What may happen, and how often.
WORLDS = {
    "starts": dict(LIVES=3, CRASHES=1, STOPS=1),
    "planted": dict(LIVES=3, PLANTS=1, STOPS=1),
    "planted-crash": dict(LIVES=2, PLANTS=1, CRASHES=1),
    "recycled": dict(LIVES=2, CRASHES=1, STRANGERS=1),
    "upgrade": dict(LIVES=3, CRASHES=1, UPGRADES=1),
    "signal": dict(LIVES=2, CRASHES=1, STRANGERS=1, SIGNALS=1, PIDS=2, LEFTOVERS=0),
    "signal-upgrade": dict(LIVES=2, STOPS=1, UPGRADES=1, SIGNALS=1),
    "renamed": dict(LIVES=2, RENAMES=1),
    "renamed-crash": dict(LIVES=2, CRASHES=1, RENAMES=1, LEFTOVERS=0),
}

# More of everything: minutes and gigabytes.
LARGE = {
    "starts": dict(LIVES=4, CRASHES=2, STOPS=1),
    "planted": dict(LIVES=3, PLANTS=1, CRASHES=1, STOPS=1),
    "recycled": dict(LIVES=3, CRASHES=2, STRANGERS=1),
    "upgrade": dict(LIVES=3, CRASHES=1, UPGRADES=2),
    "signal": dict(LIVES=3, CRASHES=1, STRANGERS=1, SIGNALS=1, PIDS=2, LEFTOVERS=0),
    "renamed": dict(LIVES=3, RENAMES=1, LEFTOVERS=0),
}

# Each guard, the world where it is needed, and what goes wrong without it.
GUARDS = {
    "LOCK": ("starts", "owners"),
    "NAMED": ("planted", "owners"),
    "TURNS": ("planted", "owners"),
    "HEALING": ("planted", "fd!=0"),
    "NAME": ("recycled", "ok"),
    "NOTE": ("recycled", "ok"),
    "CLEARING": ("recycled", "ok"),
    "LOCKLESS": ("recycled", "ok"),
    "ORDER": ("starts", "pidfile==p"),
    "KEEPING": ("upgrade", "holder"),
    "CHECK": ("renamed", "owners<=1"),
    "RETAKE": ("renamed", "owners<=1"),
    "PIDFD": ("signal", "held"),
    "SECOND": ("signal", "held"),
    "AGAIN": ("signal", "held"),
}


def check(directory, world, *defines):
    """Visits all states; returns what SPIN's verifier says."""
    settings = [f"-D{name}={value}" for name, value in {**NOTHING, **world}.items()]
    subprocess.run(["spin", "-a", *settings, *(f"-D{d}" for d in defines), str(MODEL)],
                   cwd=directory, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=9000", "-o", "pan",
                    "pan.c"], cwd=directory, check=True)
    # -E: an owner that waits for what comes is no deadlock; Last looks for those
    return subprocess.run(["./pan", "-E", "-m1000000"], cwd=directory, check=True,
                          capture_output=True, text=True, timeout=3000).stdout


def states(text):
    return int(re.search(r"(\d+) states, stored", text)[1])


@pytest.mark.parametrize("name", list(WORLDS))
def test_proof(tmp_path, name):
    text = check(tmp_path, WORLDS[name])
    assert "errors: 0" in text and "Search not completed" not in text, text
    report("model: every interleaving", worlds=1, states=states(text))


@pytest.mark.skipif(not SOAK, reason="minutes: NUTLET_SOAK=1, as make soak has it")
@pytest.mark.parametrize("name", list(LARGE))
def test_large_proof(tmp_path, name):
    text = check(tmp_path, LARGE[name])
    assert "errors: 0" in text and "Search not completed" not in text, text
    report("model: every interleaving", worlds=1, states=states(text))


@pytest.mark.parametrize("guard", list(GUARDS))
def test_guard_is_needed(tmp_path, guard):
    world, what = GUARDS[guard]
    text = check(tmp_path, WORLDS[world], f"NO_{guard}")
    violated = re.search(r"assertion violated \((.*)\)", text)
    assert violated and what in violated[1].replace(" ", ""), text
    report("model: guards whose removal is found out", guards=1)


def test_every_guard_is_taken_out():
    assert set(re.findall(r"NO_([A-Z]+)", MODEL.read_text())) - {"GUARD"} == set(GUARDS)


def test_source_lines_stand_where_the_model_says():
    """A step of the model that has lost its line in the source proves nothing any more."""
    marks = re.findall(r"//: ([a-z_]+\.c): (.*)$", MODEL.read_text(), re.MULTILINE)
    assert len(marks) > 30

    def flat(text):
        return re.sub(r"\s+", " ", text)

    for file, text in marks:
        [path] = (TOP / "src").glob(f"*/{file}")
        assert flat(text.strip()) in flat(path.read_text()), f"{file}: {text}"
