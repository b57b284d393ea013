"""A column that says how much each row counts: in training and in every choice, for each kind of problem."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests import parcels
from tests.tiny import DAYS, case

from updraft import features
from updraft.dataset import Dataset
from updraft.errors import TrainingRefused
from updraft.lake import Lake
from updraft.life import card, promotion
from updraft.life import train as life
from updraft.model import store
from updraft.partition import calendar
from updraft.spec.model import UseCase
from updraft.train.calibration_choice import Held, choose
from updraft.train.candidate import _draft, _tuning_key, train
from updraft.train.choice import losses
from updraft.train.fold import Fold, cut
from updraft.train.task import weights

WEIGHT = {"weight": "importance"}
KINDS = {
    "binary": {},
    "multiclass": {
        "problem": {"kind": "multiclass", "act_on": ["b"]},
        "label": {"classes": ["a", "b", "c"]},
    },
    "regression": {"problem": {"kind": "regression", "value": None, "cost": {"over": 1, "under": 1, "act_from": 0}}},
}


def of_kind(kind, **model):
    whole = case().model_dump(mode="json", exclude_unset=True)
    over = {name: {**whole.get(name, {}), **said} for name, said in KINDS[kind].items()}
    columns = {**whole["features"], "importance": {"type": "number", "learn": False}}
    families = {"families": ["lightgbm", "ridge" if kind == "regression" else "logistic"]}
    settings = {**whole["model"], **families, **model}
    return UseCase.model_validate({**whole, **over, "features": columns, "model": settings})


def data(kind, *, importance=None, per_day=60, turned=False):
    """Rows whose label follows `x`; where `turned`, every second row has it the other way round and counts nothing."""
    draw, count = np.random.default_rng(3), len(DAYS) * per_day
    x, second = draw.normal(size=count), np.arange(count) % 2 == 1
    meaning = np.where(turned & second, -x, x) + draw.normal(0, 0.3, count)
    labels = {
        "binary": (meaning > 0).astype(float),
        "multiclass": np.digitize(meaning, [-0.5, 0.5]).astype(float),
        "regression": meaning,
    }[kind]
    rows = pd.DataFrame(
        {
            "partition": np.repeat(DAYS, per_day),
            "id": [f"{i:05}" for i in range(count)],
            "fingerprint": "f1",
            "x": x,
            "y": draw.normal(size=count),
            "c": draw.choice(["a", "b"], count),
            "importance": np.where(second, 0.0, 1.0) if importance is None else importance,
            "late": labels,
        }
    )
    return Dataset(rows, "f1", {}, DAYS[-1], 0, ())


def moves(model, rows):
    """How far the prediction rises with `x`; of several classes the last one's."""
    low, high = (model.predict(rows.assign(x=x)).reshape(len(rows), -1)[:, -1].mean() for x in (-1.0, 1.0))
    return high - low


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_counts_nothing_is_not_learnt(kind):
    told = data(kind, turned=True)
    plain, weighed = (train(of_kind(kind, **said), told, code_version="test") for said in ({}, WEIGHT))
    for family in ("lightgbm", of_kind(kind).baselines[1]):
        blind, seeing = (
            next(m for m in (made.model, *made.baselines.values()) if m.family == family) for made in (plain, weighed)
        )
        assert abs(moves(blind, told.rows)) < 0.2, "the halves cancel out"
        assert moves(seeing, told.rows) > 0.4


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        pytest.param(
            {5: np.nan}, r"1 of 1080 rows have a weight 'importance' that is missing.*: 2013-01-01\.", id="gone"
        ),
        pytest.param({5: -1.0, 65: np.inf}, "2 of 1080 .* 2013-01-01, 2013-01-02", id="negative and infinite"),
        pytest.param({n * 60: -1.0 for n in range(9)}, "2013-01-03 and 6 more", id="on many days"),
        pytest.param(dict.fromkeys(range(1080), 0.0), "All 1080 rows have the weight 0", id="all zero"),
        pytest.param(
            {n: 0.0 for n in range(1080) if n % 60 > 2}, "labelled rows, 100 are needed", id="too few that count"
        ),
    ],
)
def test_a_weight_that_is_none_is_refused(wrong, why):
    importance = np.ones(1080)
    importance[list(wrong)] = list(wrong.values())
    with pytest.raises(TrainingRefused, match=why) as refused:
        train(of_kind("binary", **WEIGHT), data("binary", importance=importance), code_version="test")
    assert refused.value.next_step


def test_rows_of_a_rare_class_that_count_nothing_are_not_there():
    told = data("binary")
    none = told.rows["late"].eq(1) & (told.rows["partition"] < DAYS[12])
    told = replace(told, rows=told.rows.assign(importance=np.where(none, 0.0, 1.0)))
    with pytest.raises(TrainingRefused, match="has 0 rows labelled 1"):
        train(of_kind("binary", **WEIGHT), told, code_version="test")


def test_it_multiplies_age_and_goes_into_the_balance_of_classes():
    rows = pd.DataFrame({"partition": ["2013-01-01", "2013-01-06", "2013-01-06"], "importance": [4.0, 1.0, 3.0]})
    y = np.array([1.0, 0.0, 0.0])
    found = weights(of_kind("binary", **WEIGHT, recency_half_life="5d"), rows, y)
    assert found / found[1] == pytest.approx([2.0, 1.0, 3.0])
    found = weights(of_kind("binary", **WEIGHT, class_weight="balanced"), rows, y)
    assert found / found[1] == pytest.approx([4.0, 1.0, 3.0])


def test_a_loss_counts_rows_by_their_weight_and_a_partition_without_any_not_at_all():
    said = {"labels": [1, 1, 0, 1], "predicted": [0.5, 0.25, 0.9, 0.5], "partitions": ["a", "a", "b", "c"]}
    assert losses(**said, weights=np.array([3.0, 1.0, 0.0, 2.0])) == pytest.approx(
        [(3 * np.log(2) + np.log(4)) / 4, np.log(2)]
    )
    assert losses(**said, weights=np.ones(4)) == pytest.approx(losses(**said))
    held = Held(np.zeros(4), np.array(said["labels"], float), np.array(said["partitions"]), np.array([3.0, 1, 0, 2]))
    assert held.part(["a"]).weights.tolist() == [3.0, 1.0]
    assert held.losses(np.full(4, 0.5)) == pytest.approx([np.log(2)] * 2)


def test_the_calibration_is_chosen_by_the_rows_that_count():
    """Of two kinds of rows one has log-odds that are right as they are, the other needs a line."""
    draw, count = np.random.default_rng(5), 8000
    honest, raw = np.arange(count) % 2 == 0, draw.normal(0, 2, count)
    labels = (draw.random(count) < 1 / (1 + np.exp(-np.where(honest, raw, 0.3 * raw)))).astype(float)
    keys = np.array([f"2013-01-{1 + n * 8 // count:02}" for n in range(count)])

    def method(weight):
        whole = Held(raw, labels, keys, weight)
        first, second = (whole.part(sorted(set(keys))[half]) for half in (slice(4), slice(4, 8)))
        return choose(second, [(first, second)])

    assert method(honest.astype(float)).method == "none"
    found = method((~honest).astype(float))
    assert found.method == "platt"
    assert found.fitted.calibration.slope == pytest.approx(0.3, abs=0.05)
    assert 0.4 < method(None).fitted.calibration.slope < 0.9, "without weights both kinds count"


def test_manifest_says_by_what_and_metrics_count_each_row_once():
    told = data("binary", importance=np.random.default_rng(1).uniform(0.5, 2, 1080))
    weighed = train(of_kind("binary", **WEIGHT), told, code_version="test").model
    assert weighed.manifest.parameters["weight"] == "importance"
    assert [name for name, _ in weighed.manifest.features] == ["x", "y", "c"]
    assert any(note.startswith("rows count by importance in training") for note in weighed.manifest.notes)
    rows = told.rows[told.rows["partition"].isin(weighed.manifest.windows["validation"])]
    brier = float(((weighed.predict(rows) - rows["late"]) ** 2).mean())
    assert weighed.manifest.validation["brier"] == pytest.approx(brier)
    plain = train(of_kind("binary"), told, code_version="test").model
    assert "weight" not in plain.manifest.parameters
    assert plain.digest != weighed.digest


def test_trials_of_other_weights_are_not_taken_for_ones_own():
    told, keys = data("binary", importance=1.0), set()
    for said in ({}, WEIGHT, {"class_weight": "balanced"}, {"recency_half_life": "5d"}):
        asked = of_kind("binary", **said)
        splits, _ = cut(asked, told.rows)
        names = tuple((name, str(feature.type)) for name, feature in asked.learned.items())
        fold = Fold.of(asked, names, told.rows, splits[-1], None)
        keys.add(_tuning_key(asked, _draft(asked, told, splits, fold, "test")))
    assert len(keys) == 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_weighed_model_has_the_same_bytes_on_one_to_eight_threads(kind):
    told = data(kind, importance=np.random.default_rng(2).uniform(0, 3, len(DAYS) * 200), per_day=200)
    said = {**WEIGHT, "recency_half_life": "9d", "lightgbm": {"rounds": 30, "leaves": 15, "row_share": 0.8}}
    if kind != "regression":
        said["class_weight"] = "balanced"
    made = [train(of_kind(kind, **said, threads=n), told, code_version="test") for n in (1, 2, 3, 8)]
    found = [{m.family: (m.digest, m.files()) for m in (one.model, *one.baselines.values())} for one in made]
    assert set(found[0]) == {"lightgbm", "trivial", of_kind(kind).baselines[1]}
    assert found[1:] == found[:1] * 3


@pytest.mark.slow
def test_a_column_of_the_features_table_weighs_rows_in_a_life_and_the_card_says_so(tmp_path):
    sql = parcels.FEATURES.replace("depot_late\nFROM", "depot_late, 1 + hour(ships_at) AS urgency\nFROM")
    columns = {**parcels.SPEC["features"], "urgency": {"type": "number", "learn": False}}
    said = {"model": {"weight": "urgency"}, "features": columns}
    use_case = parcels.write(tmp_path, sql, **said)
    lake, at = Lake(str(tmp_path / "lake")), calendar(use_case).at("2024-01-18")
    keys = calendar(use_case).keys("2024-01-01", at.key)
    parcels.deliver(use_case, lake, keys)
    features.build(use_case, keys, lake)
    made = life.fit(use_case, at, lake, code_version="test", who="test")
    model = store.load(lake, use_case.name, made.candidate)
    assert "urgency" not in dict(model.manifest.features)
    found = promotion.examine(
        use_case, at, lake, {"candidate": made.candidate, "baselines": made.baselines}, who="test"
    )
    assert found["outcome"] == "PASS", found["because"]
    page = card.write(use_case, at, lake, made.candidate)["card.html"].decode()
    assert "rows count by urgency in training, calibration and every choice; metrics count each row once" in page
