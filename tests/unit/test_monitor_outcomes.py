"""What the champion says, decides and brings about, over time: every measure on a week whose truth is known."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.monitored import use_case
from tests.week import CHAMPION, DAY, DAYS, FEATURES, PROFILE, REFERENCE, one, rows

from updraft.evidence.interval import Interval
from updraft.model import Model
from updraft.model.calibration import Calibration
from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Linear, Number, Scaling
from updraft.model.manifest import Manifest
from updraft.monitor import watch
from updraft.monitor.conduct import EXPLAINED, conduct
from updraft.monitor.measures import calibration, decisions, fairness, reasons, scores, slices, value
from updraft.monitor.reference import from_bytes, to_bytes
from updraft.monitor.truth import truth
from updraft.monitor.window import Window

SLICES = {"by": ["carrier"], "where": {"windy": {"wind": {"range": [1, 9]}}}, "min_rows": 100}
FAIR = {"by": ["carrier"], "demographic_parity": 0.1, "equalized_odds": 0.15}
WEIGHTS = {"temp": 1.0, "wind": 0.5}


def case(outcomes=None, slices=SLICES, fairness=FAIR, **parts):
    gates = {"slices": slices, "fairness": fairness}
    monitor = {"outcomes": outcomes or {}, "max_drop": 0.05}
    return use_case(features=FEATURES, gates=gates, monitor=monitor, model={"min_positives": 10}, **parts)


def champion(fingerprint="f") -> Model:
    """The model that gave the scores of `rows`: log-odds temp + wind / 2 - 1, whatever the carrier."""
    plain, features = Scaling(0.0, 0.0, 1.0), tuple((name, kind["type"]) for name, kind in FEATURES.items())
    numbers = tuple(Number(plain, weight, 0.0, 0.0) for weight in WEIGHTS.values())
    draft = Manifest(
        use_case="late", family="logistic", features=features, fingerprint=fingerprint, label="late", threshold=0.25,
        as_of="2013-04-01", data="d", windows={}, parameters={}, seed=1, code_version="c", libraries={}, validation={},
    )  # fmt: skip
    learner = Linear(-1.0, (*numbers, Category((0.0,) * 5, 0.0)))
    encoder = Encoder(features, {"carrier": ("AA", "DL", "UA")})
    return Model.assemble(draft, encoder, learner, Calibration(1.0, 0.0), REFERENCE)


MODEL = champion()
BEHAVED = conduct(case(), MODEL, REFERENCE, "auc")
KNOWN = replace(PROFILE, conduct=BEHAVED)


def window(frame, *, use_case=None, profile=KNOWN, model=MODEL, waiting=None, holdout=0.75):
    return Window(
        use_case or case(), DAY, CHAMPION, profile, frame, frame, frame, waiting or {},
        Interval(holdout, math.nan, math.nan), model=model,
    )  # fmt: skip


def seen(measure, frame, **how):
    return list(measure.measure(window(frame, **how)))


def statuses(found):
    return {(m.metric, m.subject): m.status for m in found}


def test_what_is_kept_of_the_holdout_holds_no_row_and_survives_the_lake():
    kept = to_bytes(KNOWN)
    assert from_bytes(kept) == KNOWN
    assert BEHAVED.acted.value == pytest.approx(REFERENCE["acted"].mean())
    assert BEHAVED.acted.blocks == len(DAYS)
    assert BEHAVED.reasons["temp"].rows == EXPLAINED < len(REFERENCE)
    assert {name: found.rows for name, found in BEHAVED.slices.items()}["windy"] == (REFERENCE["wind"] >= 1).sum()
    assert len(kept) < 10_000


def test_a_week_like_the_holdout_is_calm_in_every_way():
    every = (calibration, decisions, fairness, reasons, scores, slices, value)
    found = [m for measure in every for m in seen(measure, rows(n=600))]
    assert {m.status for m in found} == {"ok", "info"}
    assert {m.metric for m in found} == {
        "calibration_gap", "calibration_slope", "calibration_error", "decision_rate", "refused_share", "fairness_gap",
        "reason_shift", "score_psi", "score_distance", "scored", "refused", "slice_auc", "value_per_row",
    }  # fmt: skip
    assert all(m.n > 0 for m in found)


# ---- scores and decisions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(lambda f: f["score"], "ok", id="as ever"),
        pytest.param(lambda f: f["score"] ** 2, "drifted", id="all lower"),
        pytest.param(lambda f: f["score"].where(f["partition"] != DAYS[3], 0.9), "ok", id="one odd day"),
        pytest.param(lambda f: f["score"].mask(f["partition"].isin(DAYS[3:5]), 0.9), "unknown", id="two odd days"),
    ],
)
def test_scores_that_move_together_are_told_from_one_odd_day(change, status):
    found = one(seen(scores, rows().assign(score=change)), "score_distance")
    assert (found.status, 0 <= found.low < found.value < found.high) == (status, True)


def test_moved_scores_alarm_by_themselves():
    moved = rows().assign(score=lambda f: f["score"] ** 3)
    raised = watch.alarm(watch.measure(window(moved)))
    assert set(raised.reasons) == {"prediction_drift", "calibration"}, "and what they said was not true"
    assert "from the holdout; chance alone moves it by" in raised.reasons["prediction_drift"]


@pytest.mark.parametrize(
    ("acted", "status", "says"),
    [
        pytest.param(lambda f: f["acted"], "ok", "on the holdout; chance alone", id="as ever"),
        pytest.param(lambda f: f["acted"] & (f["temp"] > 1), "drifted", "% of 1050 rows acted on", id="far fewer"),
        pytest.param(lambda f: f["acted"] | (f["temp"] > -0.4), "ok", "on the holdout", id="some more"),
        pytest.param(
            lambda f: f["acted"] & f["partition"].isin(DAYS[:4]), "unknown", "chance alone", id="three days without"
        ),
    ],
)
def test_the_share_acted_on_is_held_against_the_holdout_with_days_as_blocks(acted, status, says):
    found = one(seen(decisions, rows().assign(acted=acted)), "decision_rate")
    assert (found.status, found.low <= found.value <= found.high) == (status, True)
    assert says in found.reason


def test_a_decision_rate_without_rows_or_reference_is_unknown():
    few = one(seen(decisions, rows(n=10)), "decision_rate")
    assert (few.status, few.reason) == ("unknown", "70 rows in the window, 500 are needed")
    assert one(seen(decisions, rows()[:0]), "decision_rate").reason == "no row was scored"
    old = one(seen(decisions, rows(), profile=PROFILE), "decision_rate")
    assert (old.status, old.value) == ("unknown", rows()["acted"].mean())


def test_refused_rows_are_a_share_with_its_causes():
    bad = rows().assign(refused=None)
    bad.loc[bad.index[:21], ["score", "refused"]] = [np.nan, "temp is infinite"]
    found = one(seen(decisions, bad), "refused_share")
    assert (found.value, found.reason) == (0.02, "temp is infinite (21 rows)")
    assert one(seen(decisions, bad), "decision_rate").n == 1029


# ---- calibration -------------------------------------------------------------------------------------------------


def came(frame, chance, seed=8):
    return frame.assign(late=(np.random.default_rng(seed).random(len(frame)) < chance).astype(float))


def odds(frame):
    return np.log(frame["score"] / (1 - frame["score"]))


def sigmoid(given):
    return 1 / (1 + np.exp(-given))


@pytest.mark.parametrize(
    ("truth_of", "gap", "slope"),
    [
        pytest.param(lambda f: sigmoid(odds(f)), "ok", "ok", id="as said"),
        pytest.param(lambda f: sigmoid(odds(f) + 0.1), "ok", "ok", id="a little off"),
        pytest.param(lambda f: sigmoid(odds(f) + 1), "drifted", "ok", id="more often"),
        pytest.param(lambda f: sigmoid(odds(f) - 1), "drifted", "ok", id="less often"),
        pytest.param(lambda f: sigmoid(0.3 * odds(f) - 0.55), "ok", "drifted", id="too sure of itself"),
    ],
)
def test_calibration_is_off_when_it_matters_and_is_beyond_chance(truth_of, gap, slope):
    frame = rows(n=600)
    found = seen(calibration, came(frame, truth_of(frame)))
    assert (one(found, "calibration_gap").status, one(found, "calibration_slope").status) == (gap, slope)
    assert one(found, "calibration_error").value >= abs(one(found, "calibration_gap").value) - 1e-9


def test_days_that_miss_both_ways_prove_nothing():
    frame = rows(n=600)
    mood = np.where(frame["partition"].isin(DAYS[:5]), 1.5, -1.5)
    found = one(seen(calibration, came(frame, sigmoid(odds(frame) + mood))), "calibration_gap")
    assert found.status == "unknown"
    assert "chance alone moves it" in found.reason


def test_rare_outcomes_are_judged_on_the_log_odds():
    frame = rows(n=2000).assign(score=0.01)
    rare = replace(PROFILE, conduct=replace(BEHAVED, gap=None))
    twice = one(seen(calibration, came(frame, 0.02), profile=rare), "calibration_gap")
    assert (twice.status, twice.value < 0.02) == ("drifted", True)
    assert one(seen(calibration, came(frame, 0.0115), profile=rare), "calibration_gap").status == "ok"


def test_one_partition_is_held_against_how_far_partitions_of_the_holdout_differed():
    mood = np.repeat([-1.5, 1.5, 0.0, 1.2, -1.2, 0.6, -0.6], 1000)
    moody = conduct(case(), MODEL, came(REFERENCE, sigmoid(odds(REFERENCE) + mood)), "auc")
    day = rows(n=600)[:600]
    off = came(day, sigmoid(odds(day) + 1))
    alone = {"use_case": case(), "profile": replace(PROFILE, conduct=moody)}
    assert one(seen(calibration, off, **alone), "calibration_gap").status == "unknown"
    assert one(seen(calibration, off), "calibration_gap").status == "drifted"


@pytest.mark.parametrize(
    ("frame", "waiting", "why"),
    [
        pytest.param(rows()[:0], {}, "no partition that this champion scored has mature labels yet", id="nothing yet"),
        pytest.param(
            rows(), {DAYS[6]: "waits"}, "no labels of 2013-04-07, the newest partition that should have them",
            id="the newest waits",
        ),
        pytest.param(
            rows().assign(late=lambda f: f["late"].where(f["partition"] != DAYS[6])), {},
            "no labels of 2013-04-07, the newest partition that should have them", id="the newest has none",
        ),
        pytest.param(rows(n=20), {}, "140 labelled rows, 500 are needed", id="too few rows"),
        pytest.param(
            rows().assign(late=0.0), {}, "0 labelled rows of the rarer class, 10 are needed", id="one class only"
        ),
    ],
)  # fmt: skip
def test_what_has_not_come_true_is_unknown_everywhere(frame, waiting, why):
    assert truth(window(frame, waiting=waiting)).blind == why
    for measure in (calibration, fairness, slices):
        found = seen(measure, frame, waiting=waiting)
        judged = [m for m in found if m.metric != "calibration_error"]
        assert judged
        assert {(m.status, m.reason) for m in judged} == {("unknown", why)}
    assert one(seen(value, frame, waiting=waiting), "value_per_row", "all").status == "unknown"


def test_an_old_gap_in_the_labels_does_not_blind_and_is_left_out():
    came_true = truth(window(rows(), waiting={DAYS[2]: "waits"}))
    assert (came_true.blind, came_true.n) == ("", 900)


# ---- other kinds of problems -------------------------------------------------------------------------------------

GOAL = {"goal": "Say how late.", "lead_time": "6h", "decision": "warn"}
NUMBER = {**GOAL, "kind": "regression", "cost": {"over": 1, "under": 2, "act_from": 3}}
VALUE = {"true_positive": 3, "false_positive": -1, "false_negative": 0}
CLASSES = {**GOAL, "kind": "multiclass", "act_on": ["some", "very"], "value": VALUE}


@pytest.mark.parametrize(("bias", "status"), [(0.1, "ok"), (0.5, "drifted")])
def test_a_number_is_off_when_its_mean_error_alone_would_raise_the_rmse(bias, status):
    frame = rows(n=600)
    off = np.random.default_rng(2).normal(bias, 1.0, len(frame))
    told = case(problem=NUMBER, slices={})
    found = seen(calibration, frame.assign(score=frame["temp"], late=frame["temp"] + off), use_case=told, holdout=1.0)
    assert {m.metric for m in found} == {"calibration_gap"}
    assert one(found, "calibration_gap").status == status
    assert abs(one(found, "calibration_gap").limit) == pytest.approx(np.sqrt(1.05**2 - 1))


def several(frame):
    """Half of what is not on time is very late; the model knows."""
    p = frame["score"]
    chances = [json.dumps({"none": 1 - one, "some": one / 2, "very": one / 2}) for one in p]
    kind = np.where(frame["late"] == 1, np.where(np.arange(len(frame)) % 2, 1.0, 2.0), 0.0)
    return frame.assign(probabilities=chances, predicted="none", late=kind)


def test_several_classes_are_judged_on_the_probability_that_acting_is_right():
    told = case(problem=CLASSES, label={"column": "late", "maturity": "1d", "classes": ["none", "some", "very"]})
    right = rows(n=300)
    wrong = came(right, sigmoid(odds(right) + 1))
    assert one(seen(calibration, several(right), use_case=told), "calibration_gap").status == "ok"
    assert one(seen(calibration, several(wrong), use_case=told), "calibration_gap").status == "drifted"
    worth = one(seen(value, several(right), use_case=told), "value_per_row", "all")
    assert worth.value == pytest.approx(one(seen(value, right), "value_per_row", "all").value)
    assert {m.metric for m in seen(slices, several(right), use_case=told)} == {"slice_macro_auc"}


# ---- reasons -----------------------------------------------------------------------------------------------------


def test_a_reason_that_moved_is_named_and_no_other():
    frame = rows().assign(wind=lambda f: f["wind"] + 1.5)
    found = seen(reasons, frame)
    assert {m.subject: m.status for m in found} == {"temp": "ok", "wind": "drifted", "carrier": "ok"}
    assert one(found, "reason_shift", "wind").value == pytest.approx(0.75 / BEHAVED.weight, rel=0.2)


def test_reasons_are_of_a_bounded_sample_that_the_seed_draws():
    found = seen(reasons, rows())
    assert {m.n for m in found} == {EXPLAINED}
    assert found == seen(reasons, rows())


@pytest.mark.parametrize(
    ("how", "why"),
    [
        pytest.param({"model": None}, "the champion is not at hand", id="no model"),
        pytest.param(
            {"profile": PROFILE}, "the champion's mean reasons on its holdout are not known", id="an older reference"
        ),
        pytest.param(
            {"profile": replace(PROFILE, conduct=replace(BEHAVED, weight=0.0))}, "its scores never vary", id="constant"
        ),
    ],
)
def test_reasons_that_cannot_be_compared_are_unknown(how, why):
    (found,) = seen(reasons, rows(), **how)
    assert (found.subject, found.status, found.reason) == ("features", "unknown", why)


def test_rows_the_champion_cannot_score_are_not_explained():
    frame = rows().assign(fingerprint="another")
    (found,) = seen(reasons, frame)
    assert found.reason == "no row of the window is of the champion's feature definition"
    odd = rows().assign(temp=lambda f: f["temp"].mask(f.index % 3 > 0, np.inf))
    assert {m.n for m in seen(reasons, odd)} == {350}


# ---- slices and fairness -----------------------------------------------------------------------------------------


def turned(frame, where):
    """Outcomes drawn anew, without regard to the score, where `where` says so."""
    drawn = np.random.default_rng(6).random(len(frame)) < frame["late"].mean()
    return frame.assign(late=frame["late"].where(~where, drawn.astype(float)))


@pytest.mark.parametrize(
    ("limit", "status"),
    [pytest.param(None, "info", id="only reported"), pytest.param(0.05, "drifted", id="judged where the spec says so")],
)
def test_a_slice_that_got_worse_is_reported_and_judged_only_when_asked(limit, status):
    frame = rows(n=600)
    found = seen(slices, turned(frame, frame["carrier"] == "DL"), use_case=case({"slice_drop": limit}))
    assert one(found, "slice_auc", "carrier is DL").status == status
    others = {m.status for m in found if m.subject in ("carrier is AA", "carrier is UA")}
    assert others == ({"info"} if limit is None else {"ok"})


def test_a_slice_without_support_is_unknown():
    frame = rows(n=600)
    found = seen(slices, frame[frame["carrier"] != "DL"])
    gone = one(found, "slice_auc", "carrier is DL")
    assert (gone.status, gone.reason, gone.n) == ("unknown", "0 labelled rows, 100 are needed", 0)
    new = one(seen(slices, frame.assign(carrier="ZZ")), "slice_auc", "carrier is anything else")
    assert (new.status, new.reason) == ("info", "of the holdout it is not known")


@pytest.mark.parametrize("measure", [slices, fairness], ids=["slices", "fairness"])
def test_nothing_is_measured_that_nobody_declared(measure):
    assert seen(measure, rows(), use_case=case(slices={}, fairness={})) == []


@pytest.mark.parametrize(
    ("acted", "status"),
    [
        pytest.param(lambda f: f["acted"], "ok", id="alike"),
        pytest.param(lambda f: f["acted"] | (f["carrier"] == "UA"), "drifted", id="one is always acted on"),
    ],
)
def test_groups_that_are_treated_apart_are_named(acted, status):
    found = seen(fairness, rows(n=600).assign(acted=acted))
    assert {m.subject for m in found} == {
        f"{rate} by carrier" for rate in ("selection_rate", "true_positive_rate", "false_positive_rate")
    }
    parity = one(found, "fairness_gap", "selection_rate by carrier")
    assert (parity.status, parity.limit) == (status, 0.1)
    assert parity.low <= parity.value <= parity.high
    if status == "drifted":
        assert parity.reason.startswith("UA against ")


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        pytest.param(rows().assign(carrier="UA"), "there is one group only, a gap takes two", id="one group"),
        pytest.param(
            rows().assign(carrier=lambda f: np.where(f.index < 9, "AA", "UA")), "9 rows of AA, 100 are needed",
            id="a small group",
        ),
    ],
)  # fmt: skip
def test_a_gap_without_support_is_unknown(frame, why):
    found = one(seen(fairness, frame), "fairness_gap", "selection_rate by carrier")
    assert (found.status, found.reason) == ("unknown", why)


# ---- value -------------------------------------------------------------------------------------------------------


def test_value_follows_from_what_was_decided_and_came_true():
    frame = pd.DataFrame({"partition": np.repeat(DAYS, 100), "score": 0.5, "carrier": "UA", "temp": 0.0, "wind": 0.0})
    frame["late"], frame["acted"] = np.tile([1.0, 0.0], 350), np.tile([True, True, False, False], 175)
    found = {m.subject: m for m in seen(value, frame)}
    assert {name: m.value for name, m in found.items()} == {"all": 0.5, "nobody": 0.0, "everybody": 1.0}
    assert found["all"].status == "drifted", "to act on everybody would have been worth more, every day"
    assert found["all"].reason.startswith("acting on everybody is worth 1 a row; the champion adds -0.5")
    assert (found["all"].limit, found["nobody"].status) == (1.0, "info")


def test_a_champion_that_earns_its_keep_is_ok():
    found = one(seen(value, rows(n=600)), "value_per_row", "all")
    assert (found.status, found.low < found.value < found.high) == ("ok", True)


def test_a_number_has_a_cost_and_no_peers():
    frame = rows().assign(score=1.0, late=3.0)
    (found,) = seen(value, frame, use_case=case(problem=NUMBER, slices={}))
    assert (found.subject, found.value, found.status) == ("all", -4.0, "info")
