from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from updraft.dataset import Dataset
from updraft.errors import ModelRejected, TrainingRefused
from updraft.lake import Lake
from updraft.model import store
from updraft.rows import digest
from updraft.spec.model import UseCase
from updraft.train.candidate import train
from updraft.train.choice import choose

DAYS = [f"2013-01-{day:02}" for day in range(1, 19)]
SOURCE = {
    "type": "files",
    "path": "{partition}.csv",
    "key": ["id"],
    "event_time": "at",
    "known_at": {"landing": True},
    "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
}


def case(**model):
    sizes = {"validation": 3, "holdout": 3, "gap": 1, "min_rows": 100, "min_positives": 10}
    trees = {"rounds": 15, "leaves": 4, "min_leaf_rows": 20}
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "tiny",
            "owner": {"name": "team", "email": "team@example.org"},
            "problem": {
                "goal": "Tell which ones come true.",
                "lead_time": "6h",
                "decision": "act",
                "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
            },
            "partitions": {"first": "2013-01-01"},
            "entity": ["id"],
            "sources": {"facts": SOURCE},
            "label": {"column": "late", "maturity": "1d"},
            "features": {"x": {"type": "number"}, "y": {"type": "number"}, "c": {"type": "category"}},
            "model": {**sizes, "lightgbm": trees, **model},
        }
    )


def dataset(truth, per_day=60):
    draw = np.random.default_rng(11)
    count = len(DAYS) * per_day
    rows = pd.DataFrame(
        {
            "partition": np.repeat(DAYS, per_day),
            "id": [f"{i:05}" for i in range(count)],
            "fingerprint": "f1",
            "x": draw.normal(size=count),
            "y": np.where(draw.random(count) < 0.1, np.nan, draw.normal(size=count)),
            "c": pd.Series(draw.choice(["a", "b", None], count), dtype=object),
        }
    )
    rows["late"] = (draw.random(count) < 1 / (1 + np.exp(-truth(rows)))).astype(float)
    return Dataset(rows, "f1", {"features/tiny": 4}, "2013-01-20", 0, ())


def straight(rows):
    return 1.5 * rows["x"] - 0.5


def crossed(rows):
    return np.where(rows["x"] * rows["y"].fillna(0) > 0, 2.5, -2.5)


@pytest.fixture(scope="module")
def candidate():
    return train(case(), dataset(crossed), code_version="abc")


def test_the_family_with_the_lower_validation_log_loss_wins_and_the_reason_says_by_how_much(candidate):
    losses = {family: metrics["log_loss"] for family, metrics in candidate.validation.items()}
    assert candidate.model.family == "lightgbm"
    assert losses["lightgbm"] == min(losses.values())
    assert f"lightgbm has validation log loss {losses['lightgbm']:.4f}, against" in candidate.reason


def test_a_straight_truth_is_won_by_the_straight_model():
    assert train(case(), dataset(straight), code_version="abc").model.family == "logistic"


@pytest.mark.parametrize(
    ("families", "model", "baselines"),
    [
        pytest.param(["lightgbm"], "lightgbm", {"logistic", "trivial"}, id="trees only"),
        pytest.param(["logistic"], "logistic", {"trivial"}, id="no trees asked for"),
        pytest.param(["logistic", "lightgbm"], "lightgbm", {"logistic", "trivial"}, id="both"),
    ],
)
def test_only_families_of_the_spec_win_and_the_baselines_are_always_there(families, model, baselines):
    found = train(case(families=families), dataset(crossed), code_version="abc")
    assert found.model.family == model
    assert set(found.baselines) == baselines
    assert set(found.validation) == baselines | {model}


def test_a_candidate_worse_than_the_base_rate_is_told_so():
    chosen, reason = choose({"logistic": [0.7], "trivial": [0.6]}, ["logistic"])
    assert chosen == "logistic"
    assert reason.endswith("it does not beat the base rate")


def test_the_manifest_tells_the_whole_story(candidate):
    rows = dataset(crossed).rows
    seen = rows[rows["partition"].isin([*DAYS[:10], *DAYS[11:14]])]
    manifest = candidate.model.manifest
    assert manifest.features == (("x", "number"), ("y", "number"), ("c", "category"))
    assert (manifest.use_case, manifest.label, manifest.threshold, manifest.seed) == ("tiny", "late", 0.25, 1)
    assert (manifest.fingerprint, manifest.as_of, manifest.code_version) == ("f1", "2013-01-20", "abc")
    assert manifest.data == digest(pa.Table.from_pandas(seen, preserve_index=False))
    assert manifest.windows["train"] == tuple(DAYS[:10])
    assert manifest.windows["holdout"] == tuple(DAYS[-3:])
    assert manifest.validation["rows"] == 180


def test_features_kept_from_models_ride_along_and_are_not_learnt():
    spec = case().model_dump(mode="json", exclude_none=True)
    spec["features"]["c"]["learn"] = False
    data = dataset(straight)
    model = train(UseCase.model_validate(spec), data, code_version="abc").model
    assert model.manifest.features == (("x", "number"), ("y", "number"))
    assert (model.predict(data.rows) == model.predict(data.rows.assign(c="elsewhere"))).all()


def test_other_versions_of_the_same_rows_give_the_same_model(candidate):
    later = replace(dataset(crossed), versions={"features/tiny": 9})
    assert train(case(), later, code_version="abc").model.digest == candidate.model.digest


@pytest.mark.parametrize("threads", [1, 4])
def test_same_data_spec_and_seed_give_the_same_digests_on_any_threads(candidate, threads):
    again = train(case(threads=threads), dataset(crossed), code_version="abc")
    assert again.model.digest == candidate.model.digest
    assert again.model.files() == candidate.model.files()
    assert {f: m.digest for f, m in again.baselines.items()} == {f: m.digest for f, m in candidate.baselines.items()}


def test_another_seed_code_or_data_version_is_another_model(candidate):
    others = [
        train(case(seed=2), dataset(crossed), code_version="abc"),
        train(case(), dataset(crossed), code_version="abd"),
        train(case(), dataset(lambda rows: crossed(rows) * 0.9), code_version="abc"),
    ]
    assert len({candidate.model.digest, *(other.model.digest for other in others)}) == 4


def test_every_model_survives_being_stored(candidate, tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    holdout = candidate.split.take(dataset(crossed).rows, "holdout")
    for model in (candidate.model, *candidate.baselines.values()):
        loaded = store.load(lake, "tiny", store.save(lake, "tiny", model))
        assert loaded.predict(holdout).tolist() == model.predict(holdout).tolist()


def test_the_holdout_is_not_looked_at():
    data = dataset(crossed)
    changed = data.rows.copy()
    changed.loc[changed["partition"] >= DAYS[-3], "x"] = 0.0
    again = Dataset(changed, "f1", data.versions, data.as_of, 0, ())
    digests = {train(case(), one, code_version="abc").model.digest for one in (data, again)}
    assert len(digests) == 1


def test_a_truth_without_any_signal_is_left_at_the_base_rate():
    found = train(case(), dataset(lambda rows: 0.0 * rows["x"] - 1), code_version="abc")
    holdout = found.split.take(dataset(straight).rows, "holdout")
    assert found.model.predict(holdout).std() < 0.1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(dataset(lambda rows: rows["x"] * 0 - 99), "0 rows labelled 1", id="one class"),
        pytest.param(dataset(straight, per_day=5), "50 labelled rows, 100 are needed", id="few rows"),
        pytest.param(dataset(lambda rows: rows["x"] * 0 - 5), "10 of each are needed", id="few positives"),
    ],
)
def test_what_no_honest_model_can_come_from_is_refused(data, said):
    with pytest.raises(TrainingRefused, match=said):
        train(case(), data, code_version="abc")


def test_features_of_another_type_are_refused_by_name():
    data = dataset(straight)
    data.rows["x"] = data.rows["x"].astype(str)
    with pytest.raises(ModelRejected, match=r"x \(number expected"):
        train(case(), data, code_version="abc")
