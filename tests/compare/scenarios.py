"""The scenarios: what happens to the mains, the server and the driver, step by step.

A step waits for what it caused, not for a time: `seen` until both sides have polled the new
status, `event` until both have notified. Where only one side will react, the wait has an
end instead (may=...), and the comparison says who did what.
"""

from dataclasses import dataclass, field

from lab.upsd import ADMIN


@dataclass
class Scenario:
    name: str
    steps: list
    role: str = "primary"
    upses: tuple = ("ups",)      # those the server has
    monitored: tuple = ()        # those upsmon is told of, if not the same
    apart: bool = False          # each side has its own upsd: FSD or logins matter
    user: tuple = ()
    extra: str = ""
    times: dict = field(default_factory=dict)


# -- steps -------------------------------------------------------------------

def start():
    return lambda stage: stage.start()


def status(text, ups="ups", polls=1):
    """The status changes, and both have seen it."""
    def step(stage):
        stage.status(text, ups)
        if any(side.upsmon.room for side in stage.sides):
            stage.seen(polls)
    return step


def status_unseen(text, ups="ups"):
    return lambda stage: stage.status(text, ups)


def seen():
    return lambda stage: stage.seen()


def event(kind, count=1, seconds=30):
    return lambda stage: stage.event(kind, count, seconds, True)


def down(seconds=30):
    """Both must call SHUTDOWNCMD."""
    return lambda stage: stage.down(seconds, True)


def may_go_down(seconds):
    """One side does not: it gets this time to do it."""
    return lambda stage: stage.down(seconds, False)


def leaves():
    """Both must end."""
    return down()


def server_stops():
    return lambda stage: stage.server(False)


def server_starts():
    return lambda stage: stage.server(True)


def driver_stops():
    return lambda stage: [server.stop_driver("ups") for server in stage.servers]


def driver_starts():
    return lambda stage: [server.start_driver("ups") for server in stage.servers]


def admin_fsd():
    """As another primary would set it."""
    def step(stage):
        for server in stage.servers:
            assert server.ask("FSD ups", user=ADMIN) == ["OK FSD-SET"]
    return step


def other_login():
    return lambda stage: stage.other_login()


def command(word):
    def step(stage):
        for side in stage.sides:
            side.upsmon.command("-c", word)
            side.mark = len(side.tap.requests)
    return step


def server_hangs(yes=True):
    def step(stage):
        for side in stage.sides:
            side.tap.frozen = yes
    return step


def server_says(reply):
    """Each poll gets this reply; None: the server's own again."""
    def step(stage):
        for side in stage.sides:
            side.mark = len(side.tap.requests)
            side.tap.answer = lambda line: reply if "ups.status" in line else None
    return step


ON_LINE = [start(), seen()]


def token(name):
    """A status beside OL comes and goes."""
    # two polls, because one who asks for the text of an alarm has notified it only then
    return Scenario(f"ol-{name.lower()}", [*ON_LINE, status(f"OL {name}", polls=2), status("OL")])


SCENARIOS = [
    # -- the mains
    Scenario("boot-ol", ON_LINE),
    Scenario("boot-ob", [status("OB"), start(), seen()]),
    Scenario("boot-ob-lb", [status("OB LB"), start(), down()], apart=True),
    Scenario("boot-fsd", [admin_fsd(), start(), down()], apart=True),
    Scenario("ol-ob-ol", [*ON_LINE, status("OB"), status("OL")]),
    Scenario("flapping-mains", [*ON_LINE, *[status(s) for s in ["OB", "OL"] * 3]]),
    Scenario("ol-and-ob-at-once", [*ON_LINE, status("OL OB", polls=4), status("OL")]),
    Scenario("lb-on-line", [*ON_LINE, status("OL LB"), status("OL")]),
    Scenario("lb-on-line-then-ob", [*ON_LINE, status("OL LB"), status_unseen("OB LB"), down()],
             apart=True),
    # -- the shutdown
    Scenario("low-primary", [*ON_LINE, status_unseen("OB LB"), down()], apart=True),
    Scenario("ob-then-low-primary", [*ON_LINE, status("OB"), status_unseen("OB LB"), down()],
             apart=True),
    Scenario("low-primary-waits", [other_login(), *ON_LINE, status_unseen("OB LB"), down()],
             apart=True),
    Scenario("low-secondary-fsd", [*ON_LINE, status("OB LB"), admin_fsd(), down()],
             role="secondary", apart=True, times={"HOSTSYNC": 30}),
    Scenario("low-secondary-alone", [*ON_LINE, status_unseen("OB LB"), down()],
             role="secondary", apart=True),
    Scenario("low-secondary-then-gone", [*ON_LINE, status("OB LB"), server_stops(), down()],
             role="secondary", apart=True, times={"HOSTSYNC": 12}),
    Scenario("fsd-on-line-secondary", [*ON_LINE, admin_fsd(), down()], role="secondary",
             apart=True),
    Scenario("fsd-on-line-primary", [*ON_LINE, admin_fsd(), down()], apart=True),
    Scenario("command-fsd-primary", [*ON_LINE, command("fsd"), down()], apart=True),
    Scenario("command-fsd-secondary", [*ON_LINE, command("fsd"), down()], role="secondary",
             apart=True),
    Scenario("command-fsd-on-battery", [*ON_LINE, status("OB"), command("fsd"), down()],
             apart=True),
    Scenario("command-stop", [*ON_LINE, command("stop"), leaves()]),
    Scenario("command-reload-on-battery", [*ON_LINE, status("OB"), command("reload"), seen(),
                                           status("OL")]),
    Scenario("minsupplies-0-low", [*ON_LINE, status("OB LB"), status("OL")],
             extra="MINSUPPLIES 0\n", apart=True),
    Scenario("minsupplies-0-command-fsd", [*ON_LINE, command("fsd"), down()],
             extra="MINSUPPLIES 0\n", apart=True),
    Scenario("two-upses-one-is-enough", [
        *ON_LINE, status("OB LB", "a"), status_unseen("OB LB", "b"), down()],
        upses=("a", "b"), apart=True),
    Scenario("two-upses-one-comes-back", [
        *ON_LINE, status("OB LB", "a"), status("OL", "a"), status("OB", "b"), status("OL", "b")],
        upses=("a", "b"), apart=True),
    Scenario("two-upses-both-needed", [*ON_LINE, status_unseen("OB LB", "a"), down()],
             upses=("a", "b"), apart=True, extra="MINSUPPLIES 2\n"),
    # -- other states
    token("RB"), token("OFF"), token("BYPASS"), token("CAL"), token("ALARM"), token("FOO"),
    Scenario("ol-over-trim-boost-eco", [*ON_LINE, status("OL OVER"), status("OL TRIM HB"),
                                        status("OL BOOST CHRG"), status("OL ECO"),
                                        status("OL")]),
    Scenario("calibration-to-low", [*ON_LINE, status("OB CAL"), status("OB LB CAL"),
                                    status("OL")], apart=True),
    # upsd says WAIT while a driver starts; neither OL nor OB does not mean that the mains are back
    Scenario("wait-while-on-battery", [*ON_LINE, status("OB"), status("WAIT"), status("OB"),
                                       status("OL")], apart=True),
    Scenario("wait-on-battery-then-gone", [*ON_LINE, status("OB"), status("WAIT"),
                                           server_stops(), event("COMMBAD"), may_go_down(12)],
             apart=True, times={"DEADTIME": 3, "HOSTSYNC": 1}),
    Scenario("on-battery-then-lb-alone", [*ON_LINE, status("OB"), status_unseen("DISCHRG LB"),
                                          may_go_down(10)], apart=True),
    Scenario("off-for-offduration", [*ON_LINE, status_unseen("OL OFF"), may_go_down(12)],
             extra="OFFDURATION 1\n", apart=True),
    Scenario("lost-on-bypass", [*ON_LINE, status("OL BYPASS"), server_stops(), event("COMMBAD"),
                                may_go_down(10)], apart=True, times={"HOSTSYNC": 1}),
    Scenario("glitch-while-calibrating", [
        *ON_LINE, status("OL CAL"), server_stops(), event("COMMBAD"), server_starts(),
        may_go_down(6)], apart=True, times={"DEADTIME": 20, "HOSTSYNC": 1}),
    # -- the server and the driver
    Scenario("server-restart", [*ON_LINE, server_stops(), event("COMMBAD"), server_starts(),
                                event("COMMOK"), seen()]),
    # longer than DEADTIME, HOSTSYNC and FINALDELAY together
    Scenario("server-gone-on-line", [*ON_LINE, server_stops(), event("COMMBAD"),
                                     may_go_down(6)],
             times={"DEADTIME": 2, "HOSTSYNC": 1}),
    Scenario("server-gone-on-battery", [*ON_LINE, status("OB"), server_stops(), down()],
             apart=True),
    Scenario("server-glitch-on-battery", [
        *ON_LINE, status("OB"), server_stops(), event("COMMBAD"), server_starts(),
        may_go_down(6)], apart=True, times={"DEADTIME": 60}),
    Scenario("server-hangs", [*ON_LINE, server_hangs(), event("COMMBAD"), server_hangs(False),
                              event("COMMOK"), seen()]),
    Scenario("unreachable-from-the-start", [server_stops(), start(), event("NOCOMM")]),
    Scenario("server-comes-later", [server_stops(), start(), event("NOCOMM"), server_starts(),
                                    event("COMMOK"), seen()]),
    Scenario("stale-driver", [*ON_LINE, driver_stops(), event("COMMBAD", seconds=60),
                              driver_starts(), event("COMMOK", seconds=60)]),
    Scenario("unknown-ups", [start(), event("NOCOMM")], monitored=("nosuch",)),
    Scenario("wrong-password", [*ON_LINE, status("OB"), status("OL")],
             user=("monuser", "wrong")),
    Scenario("not-the-primary", [*ON_LINE, status_unseen("OB LB"), down()],
             user=("monuser2", "secret2"), apart=True),
    Scenario("empty-status", [*ON_LINE, server_says('VAR ups ups.status ""'),
                              event("COMMBAD"), server_says(None), seen()]),
]
