"""The intended differences between NUT's upsmon 2.8.0 and ours: each with its reason.

A row names the words that only one side's sequence has, and the scenarios where that is so. A
scenario may have several rows. What is in no row is not intended: `make compare` says UNEXPECTED
and the test fails. A row that is not seen any more fails as well, so that the table stays true
(with another upsmon than 2.8.0 it only says so).

"Newer NUT" is its development tree after 2.8.5. Row numbers are those of section 7 of the
behaviour; what those rows describe needs more than a sequence to be seen: test_rows.py.
"""

import difflib
from collections import Counter
from dataclasses import dataclass

TABLE_IS_FOR = "2.8.0"


@dataclass
class Difference:
    scenarios: str
    reason: str
    peer: str = ""           # words that only the peer's sequence has
    ours: str = ""           # words that only ours has
    repeated: bool = False   # the peer says its words again and again

    def __post_init__(self):
        self.scenarios = self.scenarios.split()


def newer(what):
    return f"2.8.0 does not know {what}; as in newer NUT"


SET_BY_US = ("who sets FSD notifies it, as in newer NUT; 2.8.0 only if it polls the flag before "
             "it goes down")
SET_IN_VAIN = "FSD is notified when it is decided, also where the server cannot be told"
UNKNOWN = ("2.8.0 does not know SHUTDOWN_HOSTSYNC; newer NUT says it if somebody else is logged in, "
           "ours also if the server cannot be asked who is")
GLITCH = ("losing a server never hurries a shutdown: DEADTIME is its time to come back, and NUT gives "
          "none while CAL, BYPASS, OFF, ALARM or OVER")

DIFFERENCES = [
    # -- the shutdown
    Difference("boot-ob-lb lb-on-line-then-ob low-primary ob-then-low-primary low-primary-waits "
               "command-fsd-primary command-fsd-on-battery minsupplies-0-command-fsd "
               "on-battery-then-lb-alone",
               SET_BY_US, ours="FSD"),
    Difference("two-upses-one-is-enough two-upses-both-needed", SET_BY_US, ours="FSD(a) FSD(b)"),
    Difference("server-gone-on-battery wait-on-battery-then-gone not-the-primary", SET_IN_VAIN, ours="FSD"),
    Difference("low-primary-waits", newer("SHUTDOWN_HOSTSYNC"), ours="SHUTDOWN_HOSTSYNC"),
    Difference("server-gone-on-battery wait-on-battery-then-gone", UNKNOWN,
               ours="SHUTDOWN_HOSTSYNC"),
    Difference("wrong-password", "NOLOGIN: a wrong password reaches whoever is told of a lost UPS",
               ours="NOLOGIN"),
    Difference("command-stop", "row 7: a clean stop is 0, so that a supervisor sees no failure",
               peer="exit:1", ours="exit:0"),
    # -- states
    Difference("ol-and-ob-at-once", "2.8.0 notifies both again at every poll; OB counts here",
               peer="ONLINE ONBATT", repeated=True),
    Difference("ol-off", newer("OFF"), ours="OFF NOTOFF"),
    Difference("ol-bypass", newer("BYPASS"), ours="BYPASS NOTBYPASS"),
    Difference("ol-over-trim-boost-eco", newer("OVER, TRIM, BOOST and ECO"),
               ours="OVER NOTOVER TRIM NOTTRIM BOOST NOTBOOST ECO NOTECO"),
    Difference("ol-alarm", newer("ALARM"), ours="ALARM NOTALARM"),
    Difference("ol-foo", newer("OTHER"), ours="OTHER NOTOTHER"),
    Difference("ol-cal calibration-to-low", newer("NOTCAL, the end of a calibration"),
               ours="NOTCAL"),
    Difference("off-for-offduration", newer("OFF, which is critical after OFFDURATION"),
               ours="OFF FSD SHUTDOWN ->FSD:ups SHUTDOWNCMD"),
    Difference("lost-on-bypass", newer("BYPASS, where losing the UPS is critical (at once; ours after "
                                       "DEADTIME)"),
               ours="BYPASS FSD SHUTDOWN_HOSTSYNC SHUTDOWN SHUTDOWNCMD"),
]


def only_in(peer, ours):
    """The words that only one of two sequences has, in their order."""
    a, b = ([w for w in text.split() if w != "-"] for text in (peer, ours))
    left, right = [], []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, False).get_opcodes():
        if tag != "equal":
            left += a[i1:i2]
            right += b[j1:j2]
    return left, right


@dataclass
class Verdict:
    kind: str      # same, intended, gone, UNEXPECTED
    reasons: list


def judge(name, peer, ours):
    """What the table says to the two sequences of a scenario."""
    rows = [d for d in DIFFERENCES if name in d.scenarios]
    left, right = only_in(peer, ours)
    told_left = [w for d in rows for w in d.peer.split()]
    told_right = [w for d in rows for w in d.ours.split()]
    if any(d.repeated for d in rows):
        left = list(dict.fromkeys(left))
    reasons = [d.reason for d in rows]
    if Counter(left) == Counter(told_left) and Counter(right) == Counter(told_right):
        return Verdict("intended" if rows else "same", reasons)
    if not Counter(left) - Counter(told_left) and not Counter(right) - Counter(told_right):
        missing = (Counter(told_left) - Counter(left)) + (Counter(told_right) - Counter(right))
        return Verdict("gone", [f"in the table, and not seen: {' '.join(missing)}"])
    return Verdict("UNEXPECTED", [f"only the peer: {' '.join(left) or '-'}; "
                                  f"only ours: {' '.join(right) or '-'}"])


# Default messages that differ on purpose: NOTIFYTYPE: reason.
TEXTS = {}
