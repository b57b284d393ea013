"""Live comparison of classes and of numbers: the same world, spec and gate as for yes or no, with another label."""

import json
import shutil
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests import parcels, promises

from updraft import dataset, features, score
from updraft.evidence.gates.champion import _COMPARED
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import monitor, promotion, retrain, rollout, train
from updraft.partition import calendar
from updraft.registry import Registry
from updraft.spec.model import Rollout

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow

FIRST, AT, LAST = "2024-01-18", "2024-02-02", "2024-02-11"
LIVE = [f"2024-02-{day:02}" for day in range(2, 9)]
WHO = {"who": "test"}
LABEL = """
SELECT parcel, {} AS late FROM arrivals CROSS JOIN this_partition WHERE ships_at >= starts_at AND ships_at < ends_at
"""
VALUE = {"true_positive": 3.0, "false_positive": -1.0, "false_negative": 0.0}
CLASSES = ["on_time", "late_at_a", "late"]
KINDS = {
    "multiclass": (
        "CASE WHEN hours_late <= 0 THEN 'on_time' WHEN depot = 'A' THEN 'late_at_a' "
        "WHEN hours_late > 0 THEN 'late' END",
        {
            "problem": {"kind": "multiclass", "value": VALUE, "act_on": ["late_at_a", "late"]},
            "label": {"classes": CLASSES},
            "gates": {"absolute": {"macro_auc": {"min": 0.6}}},
        },
    ),
    "regression": (
        "hours_late + CASE depot WHEN 'A' THEN 0.5 ELSE 0 END",
        {
            "problem": {"kind": "regression", "value": None, "cost": {"over": 1.0, "under": 3.0, "act_from": 1.0}},
            "gates": {"absolute": {"r2": {"min": 0.05}}},
        },
    ),
}
SHADOW, CANARY, PROBATION = (
    {"shadow": {"partitions": 4}},
    {"canary": {"share": 0.5, "partitions": 7}},
    {"probation": {"partitions": 4}},
)


@pytest.fixture(scope="module", params=sorted(KINDS))
def examined(request, tmp_path_factory):
    """A champion from before the world turned, and a candidate that learnt the turn and passed its gates."""
    folder = tmp_path_factory.mktemp(request.param)
    label, said = KINDS[request.param]
    families = {"families": ["lightgbm", "ridge" if request.param == "regression" else "logistic"]}
    said = {**said, "model": {**families, "min_positives": 5}}
    case = parcels.write(folder / "use_cases", parcels.FEATURES, LABEL.format(label), **said)
    lake, dates = Lake(str(folder / "lake")), calendar(case)
    parcels.deliver(case, lake, dates.keys("2024-01-01", LAST))
    features.build(case, dates.keys("2024-01-01", LAST), lake)
    registry = Registry(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts"))
    trained_and_examined(case, lake, FIRST)
    promotion.conclude(case, dates.at(FIRST), lake, registry, newer(lake), **WHO)
    assert Ledger(lake, "parcels").state().champion == newer(lake)
    recent = case.model_copy(update={"model": case.model.model_copy(update={"history": timedelta(days=11)})})
    trained_and_examined(recent, lake, AT)
    return case, lake, registry, folder


@pytest.fixture
def begun(examined, tmp_path):
    """Conclude the examination under a spec with a rollout."""

    def begun(declared):
        whole, _, registry, folder = examined
        case = whole.model_copy(update={"rollout": Rollout.model_validate(declared)})
        lake = Lake(str(tmp_path / "lake"))
        shutil.copytree(folder / "lake", tmp_path / "lake")
        done = promotion.conclude(case, calendar(case).at(AT), lake, registry, newer(lake), **WHO)
        assert done.outcome == ("promoted" if case.rollout.probation else "challenger")
        for key in LIVE:
            score.partitions(case, [key], lake, champion=score.pin(case, lake))
            score.reconcile(case, [key], lake)
        return case, lake, registry

    return begun


def trained_and_examined(case, lake, key):
    at = calendar(case).at(key)
    made = train.fit(case, at, lake, code_version="test", **WHO)
    found = promotion.examine(case, at, lake, {"candidate": made.candidate, "baselines": dict(made.baselines)}, **WHO)
    assert found["outcome"] == "PASS", found["because"]


def newer(lake):
    return [r.model for r in Ledger(lake, "parcels").records() if r.kind == "gated"][-1]


def older(lake):
    return next(r.model for r in Ledger(lake, "parcels").records() if r.kind == "promoted")


def advance(case, lake, registry, at=LAST):
    return rollout.advance(case, calendar(case).at(at), lake, registry, **WHO)


def answer(case, lake, role, *, right):
    """Make the stored answers of a role come close to what came true, or stay far from it."""
    dataset.mature_labels(case, LIVE, lake)
    truth = dataset.labels(case, lake, LIVE).dropna().set_index("parcel")[case.label.column]
    for key in LIVE:
        stored = lake.read("scores/parcels", [key])
        found = stored.to_pandas()
        own = (found["role"] == role) & found["parcel"].isin(truth.index)
        came = found.loc[own, "parcel"].map(truth)
        if case.label.classes:
            found.loc[own, "probabilities"] = [told(code if right else (code + 1) % 3) for code in came]
        else:
            found.loc[own, "score"] = came + np.resize([0.5, -0.5] if right else [5.0, -5.0], len(came))
        lake.replace("scores/parcels", pa.Table.from_pandas(found, stored.schema, preserve_index=False), [key])


def told(likeliest):
    return json.dumps({name: 0.8 if code == likeliest else 0.1 for code, name in enumerate(CLASSES)})


def alike(lake):
    """Make both models say the same of every row."""
    for key in LIVE:
        stored = lake.read("scores/parcels", [key])
        found = stored.to_pandas().sort_values(["parcel", "role"], ignore_index=True)
        for column in {"score", "predicted", "probabilities"} & set(found):
            found[column] = found.groupby("parcel")[column].transform("first")
        lake.replace("scores/parcels", pa.Table.from_pandas(found, stored.schema, preserve_index=False), [key])


def gated(lake):
    return next(r for r in reversed(list(Ledger(lake, "parcels").records())) if r.kind == "gated")


@pytest.mark.parametrize("declared", [SHADOW, CANARY], ids=["shadow", "canary"])
def test_a_challenger_that_does_better_on_live_rows_is_promoted(begun, declared):
    case, lake, registry = begun(declared)
    said = advance(case, lake, registry)
    assert (said["outcome"], said["champion"]) == ("promoted", newer(lake)), said["because"]
    found = gated(lake).facts
    assert (found["rollout"]["way"], found["first"]) == (next(iter(declared)), LIVE[0])
    numbers = {name for verdict in found["verdicts"] for name in verdict["numbers"]}
    assert {f"champion_{name}_difference" for name in _COMPARED[case.problem.kind]} <= numbers
    assert promises.broken(lake, case) == []


def test_a_challenger_as_good_as_the_champion_is_not_promoted(begun):
    case, lake, registry = begun(SHADOW)
    alike(lake)
    said = advance(case, lake, registry)
    assert (said["outcome"], said["champion"]) == ("rejected", older(lake))


def test_too_few_live_rows_are_no_pass(begun):
    case, lake, registry = begun(SHADOW)
    many = case.model_copy(update={"gates": case.gates.model_copy(update={"min_rows": 5000})})
    said = advance(many, lake, registry)
    assert (said["outcome"], said["champion"]) == ("rejected", older(lake))
    assert "`gates.min_rows` asks for 5000" in said["because"]
    assert gated(lake).facts["outcome"] == "INSUFFICIENT"


def test_a_canary_that_does_harm_is_withdrawn_before_its_time(begun):
    case, lake, registry = begun(CANARY)
    answer(case, lake, "canary", right=False)
    answer(case, lake, "relieved", right=True)
    said = advance(case, lake, registry, at="2024-02-09")
    assert said["outcome"] == "rejected", said
    assert f"is worse than {older(lake)[:12]} in {case.gates.metric}" in said["because"]
    assert Ledger(lake, "parcels").state().champion == older(lake)


def test_a_new_champion_that_does_worse_is_rolled_back_by_the_controller(begun):
    case, lake, registry = begun(PROBATION)
    answer(case, lake, "champion", right=False)
    answer(case, lake, "previous", right=True)
    at = calendar(case).at("2024-02-08")
    watched = monitor.watch_partitions(case, [at.key], lake)
    assert watched.due
    assert f"in {case.gates.metric} on the same live rows" in watched.worse
    said = retrain.consider(case, at, lake, **WHO)
    assert (said["action"], said["champion"]) == ("roll_back", newer(lake)), said
    how = {**WHO, "why": said["because"], "leave": said["champion"], "partition": at.key}
    back = promotion.roll_back(case, lake, registry, **how)
    assert (back.outcome, back.champion) == ("rolled_back", older(lake))
    assert rollout.worse(case, at, lake) is None
    assert promises.broken(lake, case) == []


def test_a_new_champion_as_good_as_the_one_before_stands_its_probation(begun):
    case, lake, registry = begun(PROBATION)
    alike(lake)
    looks = [rollout.worse(case, calendar(case).at(f"2024-02-{day:02}"), lake) for day in range(4, 12)]
    assert looks == [None] * 8
    advance(case, lake, registry)
    assert list(Ledger(lake, "parcels").records())[-1].why.endswith("on 4 partitions; probation is over")


@pytest.mark.parametrize("examined", ["multiclass"], indirect=True)
def test_a_challenger_for_another_list_of_classes_is_withdrawn(begun):
    case, lake, registry = begun(SHADOW)
    label = case.label.model_copy(update={"classes": ("on_time", "late_at_a", "late", "lost")})
    other = case.model_copy(update={"label": label})
    (found,) = rollout.under_way(other, Ledger(lake, "parcels").state())
    assert rollout._both(other, lake, LIVE, found).empty
    said = advance(other, lake, registry)
    assert said["outcome"] == "rejected"
    assert "it learnt multiclass on_time late_at_a late, and the label is" in said["because"]
