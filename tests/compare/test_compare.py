"""Each scenario, NUT's upsmon beside ours: the same, or different as the table says."""

import pathlib

import pytest

import differences
import peer
import scenarios
import stage


@pytest.fixture(scope="session")
def version():
    if not pathlib.Path(peer.PEER).exists():
        pytest.skip(f"there is no {peer.PEER} to compare with (UPSMON_PEER)")
    assert pathlib.Path(peer.OURS).exists(), f"{peer.OURS} is missing: make"
    return peer.version(peer.PEER)


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda s: s.name)
def test_scenario(scenario, version, place):
    with stage.Stage(scenario, place, {"peer": peer.PEER, "ours": peer.OURS}) as played:
        outcome = played.play()
    theirs, ours = outcome["peer"], outcome["ours"]
    verdict = differences.judge(scenario.name, theirs.sequence, ours.sequence)
    both = (f"{'; '.join(verdict.reasons)}\n  peer: {theirs.sequence}\n  ours: {ours.sequence}\n"
            f"-- peer's log:\n{theirs.log}\n-- our log:\n{ours.log}")
    assert verdict.kind != "UNEXPECTED", both
    # with another peer than the table's, one difference less is no failure
    assert verdict.kind != "gone" or differences.TABLE_IS_FOR not in version, both
    for kind in theirs.texts.keys() & ours.texts.keys() - differences.TEXTS.keys():
        assert theirs.texts[kind] == ours.texts[kind], kind


def test_table_names_scenarios_that_exist():
    names = {s.name for s in scenarios.SCENARIOS}
    assert len(names) == len(scenarios.SCENARIOS)
    for difference in differences.DIFFERENCES:
        assert set(difference.scenarios) <= names
        assert difference.reason and (difference.peer or difference.ours)


def test_judge():
    """What is in no row is unexpected, and a row that is not seen is gone."""
    def kind(*args):
        return differences.judge(*args).kind
    assert kind("boot-ol", "-", "-") == "same"
    assert kind("boot-ol", "-", "ONBATT") == "UNEXPECTED"
    assert kind("boot-ol", "ONBATT", "-") == "UNEXPECTED"
    assert kind("boot-ol", "ONBATT LOWBATT", "LOWBATT ONBATT") == "UNEXPECTED"
    assert kind("ol-off", "-", "OFF NOTOFF") == "intended"
    assert kind("ol-off", "-", "OFF") == "gone"
    assert kind("ol-off", "OFF NOTOFF", "OFF NOTOFF") == "gone"
    assert kind("ol-off", "-", "OFF NOTOFF SHUTDOWN") == "UNEXPECTED"
    assert kind("ol-and-ob-at-once", "ONBATT ONLINE ONBATT ONLINE ONBATT ONLINE",
                "ONBATT ONLINE") == "intended"
