"""The pid of a dead daemon belongs to somebody else: on the board, with its kernel's own numbers.

soak.sh (reuse) plays it: it kills a daemon, so that its pidfile and its note in the lock file stay,
and gives that very number to a sleep, to a shell that takes down each signal, to an upsmon with
another directory, to the start itself, to the shell that starts, and to the command that asks.
Status says stale, every order is refused, the start works, and the stranger has got no signal.
"""

import collections
import re
import time

import pytest

import soak_counts
from figures import report

STRANGERS = ["sleep", "shell", "upsmon", "self", "starter", "asker"]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_pid_reuse(unsupervised, stranger):
    began = time.monotonic()
    output = unsupervised.run("reuse", stranger, soak_counts.REUSE_ROUNDS,
                              seconds=30 + 30 * soak_counts.REUSE_ROUNDS)
    rounds = output.count("SOAK ROUND")
    assert rounds == soak_counts.REUSE_ROUNDS
    # each round showed what it is about: the verdict of the question or of the start
    seen = collections.Counter(re.sub(r"\d+", "N", verdict) for verdict in
                               re.findall(r"SOAK (?:STATUS|START) (stale pidfile: [^\n(]*)", output))
    assert sum(seen.values()) >= rounds, output
    # soak.sh has looked: a signal would have ended a sleep, or stands in the shell's file, or in the
    # other upsmon's log
    untouched = {"strangers_signalled": 0} if stranger in ("sleep", "shell", "upsmon") else {}
    report(f"board {soak_counts.BOARD}: pid reuse: {stranger} on the recorded pid", rounds=rounds,
           **untouched, seconds=time.monotonic() - began)
