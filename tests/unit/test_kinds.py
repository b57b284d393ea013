"""Each kind of problem, on real data, through every stage: from files in an inbox to a watched champion."""

import json
import os

import numpy as np
import pytest
from tests import bundled, promises

from updraft import dataset, features, score
from updraft.errors import FeaturesInvalid, ModelRejected, TrainingRefused
from updraft.evidence.metrics import of_kind
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import train
from updraft.life.monitor import monitor_table
from updraft.life.run import Life
from updraft.model import store
from updraft.monitor.performance import WATCHED
from updraft.partition import calendar
from updraft.registry import Registry

pytestmark = pytest.mark.slow  # trains, and ingests files
AGAIN = "2024-01-23"
PICTURES = {
    "binary": {"roc.png", "calibration.png", "scores.png"},
    "multiclass": {"confusion.png"},
    "regression": {"predicted.png", "errors.png"},
}


@pytest.fixture(scope="module", params=sorted(bundled.KINDS))
def lived(request, mlflow_store, tmp_path_factory):
    """A life with a second training against the first champion, and what was told of it by stage."""
    folder = tmp_path_factory.mktemp(request.param)
    case = bundled.write(folder / "use_cases", request.param)
    registry = Registry(f"sqlite:///{mlflow_store(folder)}", str(folder / "artifacts"))
    life = Life(case, Lake(str(folder / "lake")), registry, folder / "inbox")
    history = calendar(case).keys("2024-01-01", bundled.SCORED[-1])
    bundled.drop(case, life.inbox, history)
    told = [*life.ingest(history), *life.features(history), *life.train([bundled.TRAIN_AT])]
    told += [*life.score(bundled.SCORED), *life.monitor(bundled.SCORED), *life.train([AGAIN])]
    return life, told


def of(told, stage):
    return [event for event in told if event["stage"] == stage]


def first_champion(life, told):
    return store.load(life.lake, life.case.name, of(told, "promote")[0]["champion"])


def scores(life):
    return life.lake.read(score.table(life.case), bundled.SCORED).to_pandas()


def test_a_first_model_passes_its_gates_and_is_promoted(lived):
    life, told = lived
    gates, promoted = of(told, "gates")[0], of(told, "promote")[0]
    assert gates["outcome"] == "PASS"
    assert {"champion", "fairness", "slices"} <= set(gates["not_applicable"]), "there is none, and none is declared"
    assert {gates["gates"][name] for name in ("absolute", "baselines")} == {"PASS"}
    assert (promoted["outcome"], promoted["alias"]) == ("promoted", "follows")
    assert set(gates["metrics"]) == {*of_kind(life.case.problem.kind), "value"}
    assert 0 < gates["positives"] < gates["n"]


def test_the_families_of_the_kind_were_trained_and_told_apart(lived):
    life, told = lived
    (trained, _), linear = of(told, "train"), life.case.baselines[1]
    assert {trained["family"], *trained["baselines"]} == {"trivial", linear, "lightgbm"}
    wanted = "squared error" if life.case.problem.kind == "regression" else "log loss"
    assert f"has validation {wanted}" in trained["reason"]


def test_a_second_model_is_compared_with_the_champion_on_the_metrics_of_the_kind(lived):
    life, told = lived
    second = of(told, "gates")[1]
    assert second["gates"]["champion"] in ("PASS", "FAIL", "INSUFFICIENT")
    found = train.examined(life.case, life.lake, of(told, "train")[1]["candidate"])
    (verdict,) = [v for v in found["verdicts"] if v["gate"] == "champion"]
    numbers = [name for name in verdict["numbers"] if name.endswith("_difference")]
    compared = {name.removeprefix("champion_").removesuffix("_difference") for name in numbers}
    assert life.case.gates.metric in compared <= set(of_kind(life.case.problem.kind))
    assert (of(told, "promote")[1]["outcome"] == "promoted") is (second["outcome"] == "PASS")


def test_a_model_read_back_is_the_model(lived):
    life, told = lived
    model = first_champion(life, told)
    rows = dataset.frame(life.case, life.lake, bundled.SCORED)
    shape = (len(rows), 3) if life.case.label.classes else (len(rows),)
    assert model.predict(rows).shape == shape
    assert model.predict(rows.iloc[:0]).shape == (0, *shape[1:])
    assert (model.manifest.kind, model.manifest.classes) == (life.case.problem.kind, life.case.label.classes)
    assert ("kind" in json.loads(model.manifest.dump())) is (model.manifest.kind != "binary")


def test_every_row_is_scored_once_and_acted_on_as_the_spec_says(lived):
    life, told = lived
    (counted,) = of(told, "score")
    rows = scores(life)
    assert (counted["rows"], counted["refused"]) == (len(rows), 0)
    if life.case.label.classes:
        given = np.array([list(json.loads(row).values()) for row in rows["probabilities"]])
        assert np.allclose(given.sum(axis=1), 1)
        assert (rows["predicted"] == np.array(life.case.label.classes)[given.argmax(axis=1)]).all()
        assert (rows["score"] == given.max(axis=1)).all()
        acted = given[:, 1:].sum(axis=1) >= 0.25
    else:
        acted = rows["score"] >= {"binary": 0.25, "regression": 150.0}[life.case.problem.kind]
    assert (rows["acted"] == acted).all()
    assert 0 < rows["acted"].sum() < len(rows)
    assert (rows["reasons"].notna() == rows["acted"]).all()


def test_the_reasons_of_a_score_add_up_to_it(lived):
    life, told = lived
    for digest in (of(told, "train")[0]["candidate"], *of(told, "train")[0]["baselines"].values()):
        model = store.load(life.lake, life.case.name, digest)
        rows = dataset.frame(life.case, life.lake, bundled.SCORED)
        predicted, total = model.predict(rows), model.contributions(rows).sum(axis=1)
        if life.case.problem.kind == "binary":
            expected = np.log(predicted / (1 - predicted))
        elif life.case.problem.kind == "regression":
            expected = predicted
        else:
            expected = np.log(predicted.max(axis=1)) - np.log(predicted).mean(axis=1)
        assert total == pytest.approx(expected, abs=1e-6), model.family


def test_a_level_no_training_row_had_is_scored_as_other(lived):
    life, told = lived
    rows = dataset.frame(life.case, life.lake, [bundled.LATER])
    for digest in (of(told, "train")[0]["candidate"], *of(told, "train")[0]["baselines"].values()):
        model = store.load(life.lake, life.case.name, digest)
        assert set(rows["lab"]) == {"Z"}
        assert model.encoder.levels == {"lab": ("A", "B")}
        assert model.unseen(rows) == {"lab": 1.0}
        other = model.predict(rows.assign(lab="never seen either"))
        assert (model.predict(rows) == other).all()


def test_the_champion_is_watched_by_the_metric_of_its_kind(lived):
    life, told = lived
    kind = life.case.problem.kind
    measured = life.lake.read(monitor_table(life.case), [bundled.SCORED[-1]]).to_pandas()
    watched = measured[measured["metric"].isin(WATCHED[kind])].set_index("metric")
    assert set(watched.index) == set(WATCHED[kind])
    assert watched.loc[WATCHED[kind][0], "status"] in ("ok", "unknown"), "the data does not drift"
    assert np.isfinite(watched["value"]).all()
    assert watched["n"].iloc[0] == len(bundled.rows(kind)) // bundled.DAYS * 3, "the three newest days that are mature"
    assert of(told, "monitor")[0]["incident"] is None


def test_mlflow_shows_metrics_pictures_and_the_model(lived):
    life, told = lived
    from mlflow import MlflowClient

    client = MlflowClient(life.registry.tracking_uri)
    digest = of(told, "promote")[0]["champion"]
    experiment = client.get_experiment_by_name(life.case.name)
    runs = client.search_runs([experiment.experiment_id])
    (run,) = [run for run in runs if run.data.tags["updraft.digest"] == digest]
    for metric in of_kind(life.case.problem.kind):
        assert np.isfinite(run.data.metrics[f"holdout_{metric}"])
    shown = {file.path.removeprefix("plots/") for file in client.list_artifacts(run.info.run_id, "plots")}
    of_value = {"value.png"} if life.case.problem.kind == "binary" else set()
    assert shown == {*PICTURES[life.case.problem.kind], "importance.png"} | of_value


def test_all_promises_are_kept(lived):
    life, _ = lived
    assert promises.broken(life.lake, life.case, registry=life.registry) == []


def test_the_same_data_gives_the_same_bytes_on_any_number_of_threads(lived, tmp_path):
    life, told = lived
    kind = life.case.problem.kind
    case = bundled.write(tmp_path, kind, model={"threads": 3})
    at = calendar(case).at(bundled.TRAIN_AT)
    again = train.fit(
        case, at, life.lake, code_version=os.environ.get("UPDRAFT_CODE_VERSION", "unversioned"), who=life.who
    )
    first = of(told, "train")[0]
    assert (again.candidate, again.baselines) == (first["candidate"], first["baselines"])


@pytest.mark.parametrize("lived", ["multiclass"], indirect=True)
def test_a_champion_of_another_label_is_neither_compared_nor_scored_nor_returned_to(lived, tmp_path):
    life, told = lived
    other = bundled.write(tmp_path, "multiclass", label={"classes": ["class_2", "class_1", "class_0"]})
    champion = of(told, "promote")[0]["champion"]
    assert features.fingerprint(other) == features.fingerprint(life.case)
    assert train.comparable(life.lake, life.case, champion) is not None
    assert train.comparable(life.lake, other, champion) is None
    with pytest.raises(ModelRejected, match=r"it learnt multiclass class_0 .*, and the label is multiclass class_2"):
        score.partitions(other, bundled.SCORED, life.lake, champion=champion, rescore=True)
    with pytest.raises(ModelRejected, match="cannot score wines"):
        score.fit_to_score(other, champion, life.lake)


@pytest.mark.parametrize(
    ("kind", "truth", "said"),
    [
        ("binary", "2", r"gave \[2.0\] for .* return 0, 1, or null"),
        (
            "multiclass",
            "'class_3'",
            r"gave \['class_3'\] for .*; did you mean 'class_\d'\?.* return a class of `label.classes`",
        ),
        ("regression", "'inf'::DOUBLE", r"gave \[inf\] for .* return a finite number"),
        ("regression", "'much'", "gave 'truth' as string"),
    ],
)
def test_a_label_that_is_not_of_its_kind_is_refused(kind, truth, said, tmp_path):
    case = bundled.write(tmp_path, kind)
    sql = case.folder / "label.sql"
    sql.write_text(sql.read_text().replace("outcome AS truth", f"{truth} AS truth"))
    lake, keys = Lake(str(tmp_path / "lake")), calendar(case).keys("2024-01-01", "2024-01-05")
    bundled.drop(case, tmp_path / "inbox", keys)
    list(Life(case, lake, None, tmp_path / "inbox").ingest(keys))
    with pytest.raises(FeaturesInvalid, match=said):
        features.build_labels(case, ["2024-01-01"], lake)


def test_a_number_that_never_changes_is_nothing_to_learn(tmp_path):
    case = bundled.write(tmp_path, "regression")
    sql = case.folder / "label.sql"
    sql.write_text(sql.read_text().replace("outcome AS truth", "7 AS truth"))
    lake, keys = Lake(str(tmp_path / "lake")), calendar(case).keys("2024-01-01", bundled.TRAIN_AT)
    bundled.drop(case, tmp_path / "inbox", keys)
    life = Life(case, lake, None, tmp_path / "inbox")
    list(life.ingest(keys))
    list(life.features(keys))
    with pytest.raises(TrainingRefused, match="has the same label in all of its"):
        list(life.train([bundled.TRAIN_AT]))
    assert [r.kind for r in Ledger(lake, case.name).records()] == ["refused"]
