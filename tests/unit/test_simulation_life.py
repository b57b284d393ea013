"""A policy's life in a simulated world, with everything that decides as it is outside of simulations."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from updraft.monitor.measures import discover
from updraft.monitor.watch import HEADLINES, Alarm
from updraft.simulation.champion import Trained, Trainings, compare
from updraft.simulation.life import Life, Shared, _live, live
from updraft.simulation.look import ALARMING, Looks, Moment, window
from updraft.simulation.policy import CONTROLLER, POLICIES, Controller, Policy
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.world import BEFORE, PER_DAY, World, draw, span


@pytest.fixture(scope="module")
def abrupt() -> World:
    return draw(SCENARIOS["abrupt_drift"], 3)


def trained(world: World, at: int) -> Trained | None:
    return Trainings().at(world, at)


@pytest.fixture(scope="module")
def first(abrupt: World) -> Trained:
    made = trained(abrupt, BEFORE)
    assert made is not None
    return made


def moment(world: World, champion: Trained, day: int) -> Moment:
    by = dict.fromkeys(range(BEFORE, day + 1), champion)
    scores = np.full(len(world.rows), np.nan)
    for at in by:
        scores[span(at, at)] = champion.scores(world, at)
    return Moment(world, day, champion, by, scores, (BEFORE,))


def test_a_training_sees_mature_labels_only(abrupt: World, first: Trained) -> None:
    assert first.learnt["partition"].max() == abrupt.days[BEFORE - abrupt.lag].key
    assert set(first.held["partition"]) == set(sorted(first.learnt["partition"].unique())[-14:])


def test_a_training_without_enough_history_is_refused(abrupt: World) -> None:
    assert trained(abrupt, 20) is None


def test_the_gate_keeps_an_equal_model_out_and_lets_one_in_that_knows_the_new_meaning(
    abrupt: World, first: Trained
) -> None:
    equal, better = trained(abrupt, BEFORE + 40), trained(abrupt, abrupt.onset + 60)
    assert equal is not None
    assert better is not None
    assert compare(equal, first).outcome != "PASS"
    assert compare(better, first).outcome == "PASS"


def test_a_look_has_the_scored_days_and_the_mature_ones(abrupt: World, first: Trained) -> None:
    seen = window(moment(abrupt, first, BEFORE + 20))
    assert [*seen.scores["partition"].unique()] == [day.key for day in abrupt.days[BEFORE + 14 : BEFORE + 21]]
    last = BEFORE + 20 - abrupt.lag
    assert [*seen.matured["partition"].unique()] == [day.key for day in abrupt.days[last - 6 : last + 1]]
    assert seen.matured["late"].notna().all()
    assert not seen.waiting


def test_a_look_says_which_labels_are_awaited() -> None:
    dark = draw(SCENARIOS["label_outage"], 3)
    champion = trained(dark, BEFORE)
    assert champion is not None
    seen = window(moment(dark, champion, dark.onset + dark.lag + 2))
    assert sorted(seen.waiting) == [day.key for day in dark.days[dark.onset : dark.onset + 3]]


def test_what_worlds_of_a_seed_have_in_common_is_measured_and_trained_once(abrupt: World, first: Trained) -> None:
    calm, looks, trainings = draw(SCENARIOS["stationary"], 3), Looks(), Trainings()
    kinds = ("features", "performance", "scores")
    before, after = abrupt.onset, abrupt.onset + abrupt.lag
    same = [looks.take(moment(world, first, before), kinds, ()) for world in (calm, abrupt)]
    other = [looks.take(moment(world, first, after), kinds, ()) for world in (calm, abrupt)]
    assert same[0] is same[1]
    assert other[0].number != other[1].number
    assert looks.take(moment(abrupt, first, after), kinds, same) is not other[1], "the past counts"
    assert trainings.at(calm, before) is trainings.at(abrupt, before)
    assert trainings.at(calm, after) is not trainings.at(abrupt, after)


def test_what_is_known_differs_by_rows_labels_and_when_these_came(abrupt: World) -> None:
    calm, dark, broken = (draw(SCENARIOS[name], 3) for name in ("stationary", "label_outage", "broken_feed"))
    at = abrupt.onset + abrupt.lag
    known = {world.seen(abrupt.onset, at, at) for world in (calm, abrupt, dark, broken)}
    assert len(known) == 4
    before = {world.seen(0, abrupt.onset - 1, abrupt.onset - 1) for world in (calm, abrupt, dark, broken)}
    assert len(before) == 1


@pytest.mark.parametrize(("scenario", "status"), [("covariate_shift", "drifted"), ("stationary", "ok")])
def test_a_classifier_tells_shifted_features_from_those_the_champion_learnt_from(scenario: str, status: str) -> None:
    world = draw(SCENARIOS[scenario], 3)
    champion = trained(world, BEFORE)
    assert champion is not None
    (found,) = discover()["multivariate"](window(moment(world, champion, world.onset + 7)))
    assert found.status == status
    assert found.limit < 0.8


def test_a_controller_can_be_told_what_to_watch(abrupt: World, first: Trained) -> None:
    kinds = ("features", "performance", "scores")
    controller, now = Controller(kinds=kinds), moment(abrupt, first, BEFORE + 7)
    assert controller(now) == ""
    expected = {m.metric for kind in kinds for m in discover()[kind](window(now))}
    assert {m.metric for look in controller._seen for m in look.measured} == expected


def test_a_controller_watches_whatever_an_alarm_can_come_from(abrupt: World, first: Trained) -> None:
    seen = window(moment(abrupt, first, BEFORE + 7))
    headlines = {name for names in HEADLINES.values() for name in names} | {"broken_feed", "missing_psi"}
    carry = {kind for kind, how in discover().items() if headlines & {m.metric for m in how(seen)}}
    assert carry == set(ALARMING)
    assert Controller().kinds == ALARMING


def test_a_controller_counts_days_with_an_alarm_and_incidents_when_they_open(abrupt: World, first: Trained) -> None:
    controller = Controller(kinds=("performance", "scores"))
    for day in range(abrupt.actionable + 2, abrupt.actionable + 8):
        controller(moment(abrupt, first, day))
    assert controller.alarms["performance"] == 6
    assert controller.incidents == {"performance": 1}


def test_the_cells_that_naive_policies_count_in_are_those_of_the_profile(first: Trained) -> None:
    assert first.histograms == first.profile.features


EARLY = 23  # the seed of a world that changes soon


def watching(*kinds: str) -> Policy:
    """A controller that watches some kinds of measures: with all of them a year takes minutes."""
    return replace(POLICIES[CONTROLLER], make=partial(Controller, kinds=kinds))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "asked", "promoted"),
    [pytest.param("never", 0, 0, id="never"), pytest.param("monthly", 13, 13, id="monthly without a gate")],
)
def test_naive_policies_train_as_they_say(policy: str, asked: int, promoted: int) -> None:
    (lived,) = live(SCENARIOS["stationary"], 3, [POLICIES[policy]], Shared())
    assert (len(lived.asked), len(lived.promoted)) == (asked, promoted)


def until(world: World, last: int) -> World:
    """The same world, which ends with a day."""
    rows = slice((last + 1) * PER_DAY)
    arrays = {name: getattr(world, name)[rows] for name in ("rows", "probability", "came_true", "arrives")}
    return replace(world, days=world.days[: last + 1], **arrays)


@pytest.mark.slow
def test_in_a_world_that_drifts_early_the_controller_asks_once_labels_show_it_and_a_better_model_rises() -> None:
    drifts = draw(SCENARIOS["abrupt_drift"], EARLY)
    ends = until(drifts, drifts.actionable + 15)
    shared = Shared()
    controlled = _live(ends, watching("performance", "scores"), shared)
    never = _live(ends, POLICIES["never"], shared)
    assert controlled.delay <= 5
    assert controlled.promoted
    assert controlled.lost < never.lost


@pytest.mark.deep
def test_the_controller_acts_on_abrupt_drift_soon_and_the_gate_lets_a_better_model_in() -> None:
    policies = [watching("performance", "scores"), POLICIES["never"]]
    controlled, never = live(SCENARIOS["abrupt_drift"], 3, policies, Shared())
    assert controlled.delay <= 5
    assert controlled.promoted
    assert controlled.lost < never.lost


@pytest.mark.deep
def test_the_controller_does_not_train_on_a_broken_feed() -> None:
    (lived,) = live(SCENARIOS["broken_feed"], 3, [watching("performance", "scores", "feed")], Shared())
    assert lived.on_broken == 0


@pytest.mark.slow
def test_a_gated_training_leaves_out_the_broken_days_and_a_naive_one_learns_them() -> None:
    broken = draw(SCENARIOS["broken_feed"], 3)
    days = [day.key for day in broken.days[broken.onset : broken.onset + 10]]
    at, trainings = broken.onset + 14, Trainings()
    champion = trainings.at(broken, BEFORE)
    naive, gated = trainings.at(broken, at), trainings.at(broken, at, champion)
    assert champion is not None
    assert naive is not None
    assert gated is not None
    assert set(days) < set(naive.learnt["partition"])
    assert set(naive.learnt["partition"]) - set(gated.learnt["partition"]) == set(days)
    assert trainings.at(broken, at, champion) is gated
    assert trainings.at(broken, BEFORE, champion) is champion, "what is left out decides, not who asks"


def test_a_life_is_read_back_as_it_was_written() -> None:
    lived = life(asked=((80, "performance in 2 of 5"),), promoted=(80,), alarms={"performance": 2}, incidents={})
    assert Life.from_json(json.loads(json.dumps(lived.to_json()))) == lived


def life(**said: object) -> Life:
    told = {"scenario": "stationary", "policy": CONTROLLER, "seed": 1, "years": 1.0, "asked": (), "promoted": ()}
    return Life(**{**told, "lost": 0.01, "onset": 200, "actionable": 204, **said})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scenario", "days", "false", "delay", "on_broken"),
    [
        pytest.param("stationary", (80, 210), 2, 6, 0, id="nothing to mend: all are false"),
        pytest.param("abrupt_drift", (80, 210), 1, 6, 0, id="before the change could be seen"),
        pytest.param("abrupt_drift", (), 0, float("inf"), 0, id="never"),
        pytest.param("broken_feed", (199, 200, 223, 224), 4, 19, 2, id="until no broken row is in any look counted"),
    ],
)
def test_what_came_of_it(scenario: str, days: tuple[int, ...], false: int, delay: float, on_broken: int) -> None:
    lived = life(scenario=scenario, asked=tuple((day, "because") for day in days))
    assert (lived.false, lived.delay, lived.on_broken) == (false, delay, on_broken)


def test_a_training_for_nothing_counts_until_its_incident_is_over() -> None:
    controller, champion = Controller(), SimpleNamespace(digest="a")
    alarming = [Alarm(f"day {n}", "a", {"performance": "the AUC fell"}) for n in range(5)]
    controller._history.extend(alarming)
    controller._asked.append("performance")
    assert controller._in_vain(SimpleNamespace(in_vain=1, champion=champion)) == 1
    controller._asked.append("performance")
    assert controller._in_vain(SimpleNamespace(in_vain=2, champion=champion)) == 2
    controller._history.extend([None] * 5)
    assert controller._in_vain(SimpleNamespace(in_vain=2, champion=champion)) == 0
    controller._history.extend(alarming)
    controller._asked.append("performance")
    assert controller._in_vain(SimpleNamespace(in_vain=3, champion=champion)) == 1
    assert controller._in_vain(SimpleNamespace(in_vain=0, champion=champion)) == 0  # another champion rose
