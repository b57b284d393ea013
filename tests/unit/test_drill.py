"""Known faults in copies of a calm week of parcels: which are seen, which cannot be, and that no other is called."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest
from tests import parcels
from typer.testing import CliRunner

from updraft import score
from updraft.cli.main import app
from updraft.drill import Drill, drill, key, newest
from updraft.drill.faults import Fault, Unstageable, faults
from updraft.drill.scene import copy, scene
from updraft.drill.signs import Look, Sign
from updraft.drill.verdict import Exercise, judge
from updraft.errors import DrillFailed, FeaturesInvalid
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import monitor, promotion, train
from updraft.monitor import watch
from updraft.monitor.table import Measurement
from updraft.partition import calendar

pytestmark = pytest.mark.slow
TRAINED, AT = "2024-01-13", "2024-01-18"
QUICK = {"history": "8d", "validation": 2, "holdout": 2, "families": ["logistic"]}
WATCHED = {"window": 4, "min_rows": 50, "alarms": 2, "of": 3}  # of two days, scores can be anywhere by chance


def world(folder, lake, **overrides):
    """A champion of the thirteenth at work up to the eighteenth, in a lake with raw rows and features."""
    case = parcels.write(folder, model=QUICK, monitor=WATCHED, **overrides)
    dates, ledger = calendar(case), Ledger(lake, case.name)
    fitted = train.fit(case, dates.at(TRAINED), lake, code_version="test", who="test")
    found = promotion.examine(case, dates.at(TRAINED), lake, {**fitted.__dict__}, who="test")
    facts = {"gated": found["gated"], "champion": None, "approval": None}
    about = {"who": "test", "partition": TRAINED, "model": fitted.candidate}
    ledger.append("promoted", why=found["outcome"], facts=facts, **about)
    score.partitions(case, dates.keys(TRAINED, AT), lake, champion=fitted.candidate)
    monitor.watch_partitions(case, ["2024-01-17", AT], lake)
    return case, lake


@pytest.fixture(scope="module")
def calm(_delivered, tmp_path_factory):
    """A calm world, and what a drill by the command came to, with the lake's files before it and what it said."""
    folder = tmp_path_factory.mktemp("calm")
    copytree(_delivered.uri, folder / "lake")
    case, lake = world(folder, Lake(str(folder / "lake")))
    before = files(lake)
    with pytest.MonkeyPatch.context() as patch:
        for name, where in {"LAKE": lake.uri, "USE_CASES": case.folder.parent, "HOME": folder}.items():
            patch.setenv(f"UPDRAFT_{name}", str(where))
        patch.setenv("COLUMNS", "250")
        said = CliRunner().invoke(app, ["drill", "parcels"])
    assert said.exit_code == 0, said.output
    return case, lake, recorded(lake, case), before, said.output


def recorded(lake, case):
    """The drill as its record in the lake has it."""
    record = json.loads(lake.get(key(case, AT)))
    told = [{name: tuple(v) if isinstance(v, list) else v for name, v in one.items()} for one in record["exercises"]]
    done = Drill(case.name, record["partition"], record["champion"], tuple(Exercise(**one) for one in told))
    assert done.outcome == record["outcome"]
    return done


def files(lake):
    found = sorted(file for file in Path(lake.uri).rglob("*") if file.is_file())
    return {str(file.relative_to(lake.uri)): sha256(file.read_bytes()).hexdigest() for file in found}


def of(done, fault):
    return next(one for one in done.exercises if one.fault == fault)


@pytest.mark.parametrize(
    "fault",
    [
        "untouched", "shifted number", "swapped shares", "drift of all features", "score drift", "values missing",
        "label outage", "performance loss",
    ],
)  # fmt: skip
def test_a_known_fault_is_seen_and_nothing_beside_it(calm, fault):
    found = of(calm[2], fault)
    assert (found.outcome, found.why) == ("passed", ""), found


def test_the_drill_as_a_whole_passes_and_its_record_is_all_it_leaves_in_the_lake(calm):
    case, lake, done, before, _ = calm
    assert done.outcome == "PASS"
    after = files(lake)
    assert set(after) - set(before) == {key(case, AT)}
    assert {name: after[name] for name in before} == before
    record = json.loads(lake.get(key(case, AT)))
    assert (record["outcome"], len(record["exercises"])) == ("PASS", len(done.exercises))


# ---- what a bad monitor would come to ----------------------------------------------------------------------------


def bad(calm, tmp_path, monkeypatch, metric, change):
    """Drill a monitor that gets one metric wrong."""
    case, lake, *_ = calm
    sound = watch.measure

    def measure(window):
        return [change(m) if m.metric == metric else m for m in sound(window)]

    monkeypatch.setattr(watch, "measure", measure)
    return drill(case, calendar(case).at(AT), lake, tmp_path)


@pytest.mark.deep
def test_a_monitor_that_sleeps_fails_the_drill(calm, tmp_path, monkeypatch):
    done = bad(calm, tmp_path, monkeypatch, "score_distance", lambda m: replace(m, status="ok", reason="all is well"))
    assert done.outcome == "FAIL"
    assert of(done, "score drift").why == "prediction_drift was missed: all is well"


def test_a_failed_drill_is_an_error_that_names_what_was_missed_and_any_other_is_none(calm):
    done = calm[2]
    done.demand()
    missed = replace(of(done, "score drift"), outcome="failed", why="prediction_drift was missed: all is well")
    bad = replace(done, exercises=(*done.exercises, missed))
    assert bad.outcome == "FAIL"
    with pytest.raises(DrillFailed, match="score drift: prediction_drift was missed: all is well"):
        bad.demand()


@pytest.mark.deep
def test_a_monitor_that_always_cries_fails_the_drill(calm, tmp_path, monkeypatch):
    done = bad(calm, tmp_path, monkeypatch, "score_distance", lambda m: replace(m, status="drifted", reason="wolf"))
    assert done.outcome == "FAIL"
    assert of(done, "untouched").why == "prediction_drift fired as well: wolf"
    assert of(done, "score drift").why == f"prediction_drift: {THERE}"


# ---- what cannot be seen -----------------------------------------------------------------------------------------


@pytest.mark.deep
def test_with_too_few_rows_drift_cannot_be_seen_and_that_is_said(calm, tmp_path):
    case, lake, *_ = calm
    blind = case.model_copy(update={"monitor": case.monitor.model_copy(update={"min_rows": 1000})})
    done = drill(blind, calendar(case).at(AT), lake, tmp_path)
    seen = {one.fault for one in done.exercises[1:] if one.outcome != "unseen"}
    assert seen <= {"label outage", "values missing", "unit changed"}, "silence, and what thirty rows of a day can show"
    assert "240 rows in the window, 1000 are needed" in of(done, "score drift").why


def test_a_changed_unit_is_seen_where_the_monitor_measures_broken_feeds(calm):
    found = of(calm[2], "unit changed")
    assert found.outcome in ("passed", "unseen")
    assert found.outcome == "passed" or "nothing measures it" in found.why


def test_a_feature_that_drifts_already_is_not_the_one_that_is_broken(calm):
    case, lake, *_ = calm
    seen = scene(case, calendar(case).at(AT), lake)
    first = next(name for name in seen.ranked if case.features[name].type == "number")
    chosen = [{one.name: one for one in faults(seen, moved)}["shifted number"].must[0].of for moved in ([], [first])]
    assert chosen[0] == first
    assert chosen[1] != first


def test_a_number_that_the_seasons_move_further_than_any_tilt_is_not_the_one_that_is_broken(calm):
    case, lake, *_ = calm
    seen = scene(case, calendar(case).at(AT), lake)
    numbers = [name for name in seen.ranked if name in case.features and case.features[name].type == "number"]
    chosen = {one.name: one for one in faults(seen, (), {numbers[0]: 7.5})}["shifted number"].must[0].of
    assert chosen == numbers[1]
    everywhere = dict.fromkeys(numbers, 7.5)
    assert {one.name: one for one in faults(seen, (), everywhere)}["shifted number"].must[0].of == numbers[0]


def test_what_no_feature_allows_is_not_staged(calm):
    case, lake, *_ = calm
    seen = scene(case, calendar(case).at(AT), lake)
    vars(seen)["ranked"] = ["depot"]
    unstaged = {one.name: one.why for one in faults(seen) if isinstance(one, Unstageable)}
    assert unstaged == dict.fromkeys(("shifted number", "unit changed"), "the champion has no feature that is a number")


def test_a_partition_that_was_not_scored_cannot_be_drilled(calm, tmp_path):
    case, lake, *_ = calm
    with pytest.raises(FeaturesInvalid, match="has not been scored"):
        drill(case, calendar(case).at("2024-01-12"), lake, tmp_path)


def test_the_newest_scored_partition_is_drilled_up_to_the_one_that_is_named(calm):
    case, lake, *_ = calm
    dates = calendar(case)
    asked = (None, dates.at("2024-01-30"), dates.at("2024-01-17"), dates.at("2024-01-12"))
    assert [found and found.key for found in (newest(case, lake, at) for at in asked)] == [AT, AT, "2024-01-17", None]


# ---- the scene, and the faults in it -----------------------------------------------------------------------------


def test_a_scene_takes_in_what_as_many_looks_as_make_an_incident_read(calm):
    case, lake, *_ = calm
    seen = scene(case, calendar(case).at(AT), lake)
    assert seen.looks == ("2024-01-17", "2024-01-18")
    assert (seen.keys[0], seen.keys[-1], seen.mature[-1]) == ("2024-01-13", AT, "2024-01-15")
    assert set(seen.ranked) == set(case.features)


def test_drifted_numbers_stay_in_their_range_and_missing_ones_stay_missing(calm, tmp_path):
    case, lake, *_ = calm
    seen = scene(case, calendar(case).at(AT), lake)
    (fault,) = [one for one in faults(seen) if one.name == "drift of all features"]
    before, after = (
        copy(seen, tmp_path / n, b).read("features/parcels", seen.keys) for n, b in (("a", {}), ("b", fault.breaks))
    )
    a, b = before.to_pandas()["weight"], after.to_pandas()["weight"]
    assert (b.max() <= a.max(), b.min() >= a.min(), b.isna().sum()) == (True, True, a.isna().sum())
    assert b.mean() > a.mean() + 0.8 * a.std()
    assert after.schema == before.schema


# ---- the verdict -------------------------------------------------------------------------------------------------


def look(*alarms, statuses=None, action="none", incident="some"):
    measured = [Measurement(AT, metric, "all", 1.0, 9, status, "so") for metric, status in (statuses or {}).items()]
    watched = monitor.Watched(AT, "m", dict.fromkeys(alarms, "why"), incident, False)
    return Look(watched, measured, action)


THERE = "it stands there without the fault too"
DRIFT = Fault("f", "w", must=(Sign("alarm", "feature_drift"),), may=frozenset({"performance"}), never="quarantine")


@pytest.mark.parametrize(
    ("seen", "calm", "outcome", "why"),
    [
        (look("feature_drift"), look(), "passed", ""),
        (look("feature_drift", "performance"), look(), "passed", ""),
        (look("feature_drift", "prediction_drift"), look("prediction_drift"), "passed", ""),
        (look("feature_drift", "prediction_drift"), look(), "failed", "prediction_drift fired as well: why"),
        (look("feature_drift", incident=None), look(), "failed", "feature_drift lasts, and is no incident"),
        (look("feature_drift", action="quarantine"), look(), "failed", "the controller would quarantine"),
        (look(statuses={"important_drift": "ok"}), look(), "failed", "feature_drift was missed: so"),
        (look(statuses={"important_drift": "unknown"}), look(), "unseen", "feature_drift cannot be seen: so"),
        (look(), look(), "unseen", "feature_drift cannot be seen: nothing measures it"),
        (
            look("feature_drift"),
            look("feature_drift"),
            "unseen",
            "feature_drift: it stands there without the fault too",
        ),
    ],
)
def test_a_fault_is_passed_failed_or_unseen_with_the_reason(parcels_case, seen, calm, outcome, why):
    found = judge(parcels_case, DRIFT, seen, calm)
    assert (found.outcome, found.why) == (outcome, why)


def test_a_sign_that_is_asked_only_where_it_is_measured_is_left_out_elsewhere(parcels_case):
    fault = Fault("f", "w", must=DRIFT.must, also=(Sign("alarm", "performance"),))
    assert judge(parcels_case, fault, look("feature_drift"), look()).outcome == "passed"
    slept = look("feature_drift", statuses={"auc": "ok"})
    assert judge(parcels_case, fault, slept, look()).why == "performance was missed: so"


# ---- the command -------------------------------------------------------------------------------------------------


def test_the_command_drills_the_newest_partition_and_says_what_came_of_it(calm):
    assert f"parcels at {AT}" in calm[4]
    assert "PASS; kept as" in calm[4]


@pytest.mark.deep
def test_a_drill_done_again_comes_to_the_same(calm, tmp_path):
    case, lake, done, *_ = calm
    assert drill(case, calendar(case).at(AT), lake, tmp_path) == done
