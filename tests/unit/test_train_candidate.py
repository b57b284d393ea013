from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.tiny import DAYS, case

from updraft.dataset import Dataset
from updraft.errors import ModelRejected, TrainingRefused
from updraft.lake import Lake
from updraft.model import store
from updraft.rows import digest
from updraft.spec.model import UseCase
from updraft.train.candidate import train
from updraft.train.choice import choose


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


def test_the_family_with_the_lower_log_loss_on_later_rows_wins_and_the_reason_says_by_how_much(candidate):
    tried = {family: min(each["log_loss"].values()) for family, each in candidate.protocol["families"].items()}
    assert candidate.model.family == "lightgbm"
    assert tried["lightgbm"] == min(tried.values())
    assert f"lightgbm has validation log loss {tried['lightgbm']:.4f}, against" in candidate.reason


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
    seen = rows[rows["partition"].isin(DAYS[:14])]
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


def test_weights_and_constraints_of_the_spec_reach_every_learner_and_probabilities_stay_calibrated():
    asked = case(class_weight="balanced", recency_half_life="5d")
    held = {**asked.features, "x": asked.features["x"].model_copy(update={"monotone": "decreasing"})}
    rows = dataset(lambda rows: straight(rows) - 1.5)
    found = train(asked.model_copy(update={"features": held}), rows, code_version="abc")
    plain = train(case(), rows, code_version="abc")
    assert any(
        note.startswith("x has weight 0") for m in (found.model, *found.baselines.values()) for note in m.manifest.notes
    )
    said = {"class_weight": "balanced", "recency_half_life_hours": 120.0, "monotone_x": -1}
    for model in (found.model, *found.baselines.values()):
        validation = rows.rows[rows.rows["partition"].isin(found.split.validation)]
        assert model.predict(validation).mean() == pytest.approx(validation["late"].mean(), abs=0.05), model.family
        if model.family != "trivial":
            assert said.items() <= model.manifest.parameters.items()
            assert model.digest not in {m.digest for m in (plain.model, *plain.baselines.values())}
        else:
            assert model == plain.baselines["trivial"], "the yardstick does not move with the weights"


# ---- the protocol ------------------------------------------------------------------------------------------------


def test_every_fold_is_in_the_manifest_and_in_the_protocol(candidate):
    windows = candidate.model.manifest.windows
    assert windows["fold_1_train"] == tuple(DAYS[:4])
    assert windows["fold_1_validation"] == tuple(DAYS[5:8])
    assert windows["fold_2_train"] == tuple(DAYS[:7])
    assert windows["fold_2_validation"] == tuple(DAYS[8:11])
    assert candidate.protocol["windows"] == {name: list(keys) for name, keys in windows.items()}


def test_the_manifest_says_which_calibration_was_chosen_and_what_the_threshold_is_worth(candidate):
    manifest = candidate.model.manifest
    method = manifest.parameters["calibration"]
    assert method in ("none", "platt", "isotonic")
    assert any(note.startswith(f"calibration {method}: ") for note in manifest.notes)
    assert candidate.protocol["families"][candidate.model.family]["calibration"] == method
    assert manifest.validation["value_low"] < manifest.validation["value"] < manifest.validation["value_high"]
    assert candidate.protocol["value"]["declared"][:2] == [0.25, manifest.validation["value"]]


def test_auto_leaves_out_what_shows_no_use_and_says_so():
    found = train(case(features="auto"), dataset(straight, per_day=200), code_version="abc")
    names = [name for name, _ in found.model.manifest.features]
    assert "x" in names
    assert names == [name for name in ("x", "y", "c") if name not in found.protocol["features"]["dropped"]]
    assert len(names) < 3
    notes = [note for note in found.model.manifest.notes if note.startswith("left out")]
    assert [note.split()[2] for note in notes] == [f"{name}:" for name in found.protocol["features"]["dropped"]]
    rows = found.split.take(dataset(straight).rows, "holdout")
    assert np.isfinite(found.model.predict(rows)).all()
    for model in found.baselines.values():
        assert [name for name, _ in model.manifest.features] == names


def test_no_group_stands_on_both_sides_of_a_training():
    data = dataset(straight, per_day=200)
    data.rows["c"] = [f"g{n % 60}" for n in range(len(data.rows))]
    found = train(case(group="c", min_rows=50), data, code_version="abc")
    sides = [set(found.split.take(data.rows, window)["c"]) for window in ("train", "validation", "holdout")]
    assert all(sides)
    assert len(set.union(*sides)) == sum(map(len, sides)) == 60
    assert found.model.manifest.group == "c"
    assert found.model.manifest.validation["rows"] == len(found.split.take(data.rows, "validation"))


# ---- tuning ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tuned_models_are_the_same_on_any_threads_and_come_again_from_their_settings():
    budget = {"tuning": {"trials": 6}, "folds": 2}
    found = {
        threads: train(case(threads=threads, **budget), dataset(crossed), code_version="abc") for threads in (1, 8)
    }
    assert found[1].model.digest == found[8].model.digest
    assert found[1].model.manifest.parameters["trials"] == 6
    trials = found[1].protocol["families"]["lightgbm"]["trials"]
    assert len(trials) == 6
    best = min((t for t in trials if not t["pruned"]), key=lambda t: sum(t["losses"]))
    again = train(case(lightgbm=best["settings"], folds=2), dataset(crossed), code_version="abc")
    models = {one.family: one for one in (again.model, *again.baselines.values())}
    tuned = {one.family: one for one in (found[1].model, *found[1].baselines.values())}
    assert models["lightgbm"].files()["lightgbm.txt"] == tuned["lightgbm"].files()["lightgbm.txt"]


def test_a_training_goes_on_from_the_trials_in_the_lake(lake):
    budget = case(tuning={"trials": 1})
    first = train(budget, dataset(straight), code_version="abc", lake=lake)
    kept = lake.keys("tuning/tiny")
    assert [key.rpartition("/")[2] for key in kept] == ["lightgbm-0000.json", "logistic-0000.json"]
    again = train(budget, dataset(straight), code_version="abc", lake=lake)
    assert (again.model.digest, lake.keys("tuning/tiny")) == (first.model.digest, kept)
    train(budget, dataset(straight), code_version="abd", lake=lake)
    assert len(lake.keys("tuning/tiny")) == 4, "other code is another search"
