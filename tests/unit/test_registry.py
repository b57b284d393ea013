import os
import socket
import time
from dataclasses import replace

import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from updraft.errors import RegistryUnavailable, SpecInvalid
from updraft.records import State
from updraft.registry import CHAMPION, DIGEST, Registry, Training

pytestmark = pytest.mark.slow  # talks to a real MLflow

A, B, C = "a" * 64, "b" * 64, "c" * 64
TRAINING = Training(
    digest=A,
    partition="2013-04-01",
    params={"family": "lightgbm", "rounds": "200"},
    metrics={"auc": 0.7, "brier": float("nan"), "log_loss": float("inf")},
    tags={"code_version": "abc", "data": '{"features/flights":3}'},
    artifacts={"plots/roc.png": b"\x89PNG", "gates.json": b"{}"},
    files={"manifest.json": b"{}", "model.txt": b"tree"},
)


@pytest.fixture
def registry(mlflow_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Registry(f"sqlite:///{mlflow_store(tmp_path)}", str(tmp_path / "some artifacts"))


@pytest.fixture
def client(registry):
    return MlflowClient(registry.tracking_uri, registry.tracking_uri)


def runs(client):
    return client.search_runs(["1"], run_view_type=ViewType.ALL)


def versions(client):
    return client.search_model_versions("name = 'flights'")


# ---- trainings --------------------------------------------------------------------------------------------------


def test_a_training_is_shown_as_a_run_and_a_version(registry, client, tmp_path):
    run = client.get_run(registry.log_training("flights", TRAINING))
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "2013-04-01 aaaaaaaaaaaa"
    assert run.data.params == TRAINING.params
    assert run.data.metrics == {"auc": 0.7}
    assert {k: v for k, v in run.data.tags.items() if k.startswith("updraft.")} == {
        DIGEST: A, "updraft.partition": "2013-04-01",
        "updraft.code_version": "abc", "updraft.data": '{"features/flights":3}',
    }  # fmt: skip
    below = tmp_path / "some artifacts" / "flights" / run.info.run_id / "artifacts"
    stored = {str(f.relative_to(below)): f.read_bytes() for f in below.rglob("*") if f.is_file()}
    assert stored == {**TRAINING.artifacts, "model/manifest.json": b"{}", "model/model.txt": b"tree"}
    (version,) = versions(client)
    assert version.run_id == run.info.run_id
    assert version.tags == {key: value for key, value in run.data.tags.items() if key.startswith("updraft.")}
    assert version.source.endswith("/artifacts/model")


def test_nothing_is_written_beside_the_declared_places(registry, tmp_path):
    registry.log_training("flights", TRAINING)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["mlflow.db", "some artifacts"]


def test_a_training_logged_again_adds_nothing(registry, client):
    first, second = (registry.log_training("flights", TRAINING) for _ in range(2))
    assert first == second
    assert len(runs(client)) == len(versions(client)) == 1


def test_an_attempt_that_was_killed_is_completed(registry, client):
    experiment = client.create_experiment("flights")
    begun = client.create_run(experiment, tags={DIGEST: A}).info
    client.log_param(begun.run_id, "family", "lightgbm")
    client.log_batch(begun.run_id, metrics=[])
    assert registry.log_training("flights", TRAINING) == begun.run_id
    assert client.get_run(begun.run_id).info.status == "FINISHED"
    assert len(runs(client)) == len(versions(client)) == 1


def test_another_model_is_another_version(registry, client):
    for digest in (A, B):
        registry.log_training("flights", replace(TRAINING, digest=digest))
    assert [v.tags[DIGEST] for v in sorted(versions(client), key=lambda v: int(v.version))] == [A, B]


def test_many_parameters_and_long_ones_are_taken(registry, client):
    params = {f"p{n}": "x" * 7000 for n in range(250)}
    run = client.get_run(registry.log_training("flights", replace(TRAINING, params=params)))
    assert len(run.data.params) == 250
    assert {len(value) for value in run.data.params.values()} == {6000}


@pytest.mark.parametrize("file", ["../evil", "/etc/evil", "a/../../evil"])
def test_an_artifact_stays_in_its_folder(registry, file):
    with pytest.raises(ValueError, match="not the name of an artifact"):
        registry.log_training("flights", replace(TRAINING, artifacts={file: b""}))


@pytest.mark.parametrize("digest", ["x' or '1' = '1", "", "a" * 63, "A" * 64, f"{A}\n"])
def test_a_digest_that_is_none_reaches_no_filter(registry, digest):
    with pytest.raises(ValueError, match="not the digest"):
        registry.point_champion("flights", digest)


# ---- the alias --------------------------------------------------------------------------------------------------


def test_the_alias_goes_where_the_ledger_says(registry):
    for digest in (A, B):
        registry.log_training("flights", replace(TRAINING, digest=digest))
    assert registry.champion_alias("flights") is None
    for digest in (A, B, B, A):
        assert registry.point_champion("flights", digest)
        assert registry.champion_alias("flights") == digest


def test_the_alias_cannot_go_to_a_model_mlflow_never_saw(registry):
    assert not registry.point_champion("flights", C)
    assert registry.champion_alias("flights") is None


def alias_to(digest):
    def move(client):
        found = {v.tags[DIGEST]: v.version for v in versions(client)}
        client.set_registered_model_alias("flights", CHAMPION, found[digest])

    return move


def to_a_stranger(client):
    made = client.create_model_version("flights", "file:///nowhere", await_creation_for=0)
    client.set_registered_model_alias("flights", CHAMPION, made.version)


def delete_version(client):
    client.delete_model_version("flights", next(v.version for v in versions(client) if v.tags[DIGEST] == A))


def delete_run(client):
    client.delete_run(next(r.info.run_id for r in runs(client) if r.data.tags[DIGEST] == A))
    delete_version(client)


def delete_experiment(client):
    client.delete_experiment("1")
    delete_version(client)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(alias_to(B), "stood at version 2 (bbbbbbbbbbbb): moved to aaaa", id="moved by hand"),
        pytest.param(to_a_stranger, "stood at version 3 (not ours): moved to aaaa", id="moved to a model of another"),
        pytest.param(
            lambda c: c.delete_registered_model_alias("flights", CHAMPION), "was missing: moved to aaaa", id="removed"
        ),
        pytest.param(delete_version, "was missing: moved to aaaa", id="version deleted"),
        pytest.param(delete_run, "was missing: moved to aaaa", id="run and version deleted"),
        pytest.param(delete_experiment, "was missing: moved to aaaa", id="experiment and version deleted"),
        pytest.param(lambda c: c.delete_registered_model("flights"), "was missing: moved to aaaa", id="model deleted"),
    ],
)
def test_an_alias_that_left_the_ledger_is_brought_back(registry, client, fault, said):
    for digest in (A, B):
        registry.log_training("flights", replace(TRAINING, digest=digest))
    registry.point_champion("flights", A)
    assert registry.repair("flights", State(champion=A)) is None
    fault(client)
    assert said in (registry.repair("flights", State(champion=A)) or "")
    assert registry.champion_alias("flights") == A
    assert registry.repair("flights", State(champion=A)) is None


def test_what_cannot_be_repaired_is_reported_until_the_training_is_logged_again(registry):
    assert "log its training again" in (registry.repair("flights", State(champion=A)) or "")
    registry.log_training("flights", TRAINING)
    assert "moved to" in (registry.repair("flights", State(champion=A)) or "")


@pytest.mark.parametrize("move", [alias_to(A), to_a_stranger])
def test_an_alias_without_a_champion_in_the_ledger_is_removed(registry, client, move):
    registry.log_training("flights", TRAINING)
    assert registry.repair("flights", State()) is None
    move(client)
    assert "removed" in (registry.repair("flights", State()) or "")
    assert client.get_registered_model("flights").aliases == {}


# ---- the store --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri", ["./mlruns", "file:///tmp/mlruns", "", "http://user:hunter2@mlflow/", "https://:hunter2@mlflow:5000"]
)
def test_a_store_that_loses_writes_or_shows_passwords_is_refused(uri, tmp_path):
    with pytest.raises(SpecInvalid) as refused:
        Registry(uri, str(tmp_path))
    assert "hunter2" not in str(refused.value)


def test_a_password_of_a_database_is_not_shown():
    assert "hunter2" not in repr(Registry("postgresql://updraft:hunter2@db/mlflow", "s3://bucket/mlflow"))


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(lambda r: r.log_training("flights", TRAINING), id="log_training"),
        pytest.param(lambda r: r.point_champion("flights", A), id="point_champion"),
        pytest.param(lambda r: r.champion_alias("flights"), id="champion_alias"),
        pytest.param(lambda r: r.repair("flights", State(champion=A)), id="repair"),
    ],
)
def test_a_server_that_is_down_is_a_transient_failure_within_seconds(question, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = Registry(f"http://127.0.0.1:{taken.getsockname()[1]}", str(tmp_path))
        began = time.monotonic()
        with pytest.raises(RegistryUnavailable):
            question(nobody)
    assert time.monotonic() - began < 10


def test_a_file_that_is_no_database_is_a_transient_failure(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 100)
    with pytest.raises(RegistryUnavailable):
        Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", str(tmp_path)).champion_alias("flights")


def test_mlflow_is_told_not_to_phone_home(registry):
    registry.champion_alias("flights")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.slow
def test_an_address_is_put_on_the_page_of_a_registered_model(promoted):
    promoted.registry.link("parcels", "monitoring", "http://127.0.0.1:1/x")
    assert (
        promoted.registry._client.get_registered_model("parcels").tags["updraft.monitoring"] == "http://127.0.0.1:1/x"
    )
