import json

import pytest
from mlflow import MlflowClient
from tests import parcels

from updraft import features
from updraft.errors import ModelRejected, TrainingRefused
from updraft.ledger import Ledger
from updraft.life import shown, train
from updraft.model import store
from updraft.monitor import reference
from updraft.partition import calendar

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow

AT = "2024-01-18"


def at(world, key=AT):
    return calendar(world.case).at(key)


def records(world, kind=None):
    return [r for r in Ledger(world.lake, "parcels").records() if kind in (None, r.kind)]


def fit(world, key=AT, case=None):
    return train.fit(case or world.case, at(world, key), world.lake, code_version="test", who="test")


@pytest.fixture
def candidate(trained):
    return records(trained, "trained")[0].facts


# ---- fitting -----------------------------------------------------------------------------------------------------


def test_preparing_says_what_there_is_to_train_on(parcels_case, delivered):
    said = train.prepare(parcels_case, calendar(parcels_case).at(AT), delivered)
    assert said | {"rows": 0, "undefined": 0} == {
        "rows": 0, "undefined": 0, "partitions": 15, "first": "2024-01-01", "last": "2024-01-15",
        "fingerprint": features.fingerprint(parcels_case), "missing": [], "faulty": [],
    }  # fmt: skip
    assert said["rows"] + said["undefined"] == 15 * parcels.PER_DAY
    assert len(json.dumps(said)) < 4096


def test_preparing_too_early_finds_nothing_and_says_so(parcels_case, delivered):
    said = train.prepare(parcels_case, calendar(parcels_case).at("2024-01-02"), delivered)
    assert (said["rows"], said["partitions"], said["first"], said["last"]) == (0, 0, None, None)


def test_a_training_leaves_models_a_profile_and_a_record(trained, candidate):
    (record,) = records(trained)
    assert (record.kind, record.partition, record.model) == ("trained", AT, candidate["candidate"])
    assert record.why.startswith("logistic has validation log loss")
    assert record.facts["windows"] == {
        "train": ["2024-01-01", "2024-01-06", 6],
        "validation": ["2024-01-08", "2024-01-10", 3],
        "holdout": ["2024-01-12", "2024-01-15", 4],
        "fold_1_train": ["2024-01-01", "2024-01-03", 3],
        "fold_1_validation": ["2024-01-05", "2024-01-07", 3],
    }
    assert sorted(candidate["baselines"]) == ["lightgbm", "trivial"]
    for digest in (candidate["candidate"], *candidate["baselines"].values()):
        assert store.load(trained.lake, "parcels", digest).digest == digest
    seen = reference.from_bytes(trained.lake.get(train.profile_key(trained.case, candidate["candidate"])))
    assert set(seen.features) == set(trained.case.features)
    assert seen.features["weight"].rows == candidate["rows"]
    assert seen.scores.rows < candidate["rows"], "scores of the rows it did not learn from"


def test_the_same_training_again_gives_the_same_model_and_no_second_record(trained, candidate):
    again = fit(trained)
    assert (again.candidate, dict(again.baselines)) == (candidate["candidate"], candidate["baselines"])
    assert len(records(trained)) == 1


@pytest.mark.parametrize(
    ("key", "label", "overrides", "why"),
    [
        pytest.param("2024-01-03", "(hours_late > 0)::INT", {}, "0 mature partitions", id="nothing is mature"),
        pytest.param(
            "2024-01-12", "(hours_late > 0)::INT", {}, "9 mature partitions .*, at least 10", id="too few days"
        ),
        pytest.param(AT, "(hours_late > 0)::INT", {"min_rows": 5000}, "5000 are needed", id="too few rows"),
        pytest.param(AT, "0", {}, "0 rows labelled 1", id="one class"),
        pytest.param(AT, "NULL", {}, "0 mature partitions", id="no label is defined"),
    ],
)
def test_a_training_that_is_refused_is_recorded_and_the_champion_stays(world, tmp_path, key, label, overrides, why):
    sql = parcels.LABEL.replace("(hours_late > 0)::INT", label)
    case = parcels.write(tmp_path, parcels.FEATURES, sql, model=overrides)
    champion = Ledger(world.lake, "parcels").state().champion
    with pytest.raises(TrainingRefused, match=why) as refused:
        fit(world, key, case)
    (record,) = records(world, "refused")
    assert (record.partition, record.why, record.model) == (key, str(refused.value), None)
    assert "Next:" in record.why
    assert Ledger(world.lake, "parcels").state().champion == champion


# ---- the gates ---------------------------------------------------------------------------------------------------


def test_the_gates_see_the_holdout_alone_and_their_word_is_kept(trained, candidate):
    found = train.gate(trained.case, at(trained), trained.lake, candidate, champion=None)
    assert (found.outcome, found.blocks, found.first, found.last) == ("PASS", 4, "2024-01-12", "2024-01-15")
    assert {"champion", "slices", "fairness"} <= set(found.not_applicable)
    assert set(found.roles) == {"candidate", "lightgbm", "trivial"}
    kept = train.examined(trained.case, trained.lake, candidate["candidate"])
    assert kept == {**found.to_json(), "measured": found.measured}
    assert len(records(trained)) == 1, "to record it is another step"


def test_held_out_rows_are_of_the_partitions_the_model_did_not_see(trained, candidate):
    model = store.load(trained.lake, "parcels", candidate["candidate"])
    rows = train.held_out(trained.case, at(trained), trained.lake, model)
    assert sorted(rows["partition"].unique()) == list(model.manifest.windows["holdout"])
    assert rows["late"].notna().all()
    seen = set(model.manifest.windows["train"]) | set(model.manifest.windows["validation"])
    assert not seen & set(rows["partition"])


def test_a_champion_is_compared_on_the_same_rows(trained, candidate):
    rival = candidate["baselines"]["lightgbm"]
    found = train.gate(trained.case, at(trained), trained.lake, candidate, champion=rival)
    assert found.champion == rival
    assert found.roles["champion"] == found.roles["lightgbm"]
    assert "champion" in {verdict.gate for verdict in found.verdicts}


def test_a_champion_that_cannot_answer_is_no_rival(trained, candidate, tmp_path):
    rival = candidate["baselines"]["lightgbm"]
    assert train.comparable(trained.lake, trained.case, None) is None
    assert train.comparable(trained.lake, trained.case, rival).digest == rival
    changed = parcels.write(tmp_path, parcels.FEATURES.replace("hour(ships_at)", "1"))
    assert train.comparable(trained.lake, changed, rival) is None, "it knows other features"
    gone = "f" * 64
    assert train.comparable(trained.lake, trained.case, gone) is None, "it does not load"
    found = train.gate(trained.case, at(trained), trained.lake, candidate, champion=gone)
    assert found.champion == gone, "it is named all the same"
    assert "champion" in found.not_applicable


def test_what_was_never_examined_is_said_to_be_so(trained, candidate):
    with pytest.raises(ModelRejected, match="has not been through the gates") as refused:
        train.examined(trained.case, trained.lake, candidate["candidate"])
    assert "gates stage" in refused.value.next_step


# ---- what people look at -----------------------------------------------------------------------------------------


def test_a_training_is_shown_with_everything_it_rests_on(trained, candidate):
    train.gate(trained.case, at(trained), trained.lake, candidate, champion=None)
    runs = [
        shown.log_run(trained.case, at(trained), trained.lake, trained.registry, candidate["candidate"])
        for _ in range(2)
    ]
    assert runs[0] == runs[1], "shown again, it is the same run"
    client = MlflowClient(trained.registry.tracking_uri, trained.registry.tracking_uri)
    run = client.get_run(runs[0])
    assert run.data.params["family"] == "logistic"
    assert run.data.metrics["holdout_auc"] > 0.8
    assert run.data.metrics["validation_auc"] > 0.8
    tags = {key: value for key, value in run.data.tags.items() if key.startswith("updraft.")}
    assert tags["updraft.digest"] == candidate["candidate"]
    assert (tags["updraft.code_version"], tags["updraft.outcome"]) == ("test", "PASS")
    assert tags["updraft.fingerprint"] == features.fingerprint(trained.case)
    assert json.loads(tags["updraft.data_versions"])["features/parcels"] == 1
    names = {found.path for folder in (None, "plots", "model") for found in client.list_artifacts(runs[0], folder)}
    assert {"gates.json", "manifest.json", "plots/roc.png", "model/MLmodel", "model/input_example.json"} <= names
    assert len(client.search_runs([run.info.experiment_id])) == 1
