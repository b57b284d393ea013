"""Whoever loads a model through MLflow gets what Updraft would have given, or nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from updraft import dataset, serving
from updraft.errors import ModelRejected
from updraft.ledger import Ledger
from updraft.model import store

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow

DAY = "2024-01-17"
LOAD = """
import json, sys
import mlflow, pandas
mlflow.set_tracking_uri(sys.argv[1])
rows = pandas.read_parquet(sys.argv[2])
model = mlflow.pyfunc.load_model(sys.argv[3])
example = model.input_example
print(json.dumps([model.predict(rows).tolist(), model.predict(example).tolist()]))
"""


def families(world):
    (trained,) = [record for record in Ledger(world.lake, "parcels").records() if record.kind == "trained"]
    digests = [trained.model, *trained.facts["baselines"].values()]
    return {(model := store.load(world.lake, "parcels", digest)).family: model for digest in digests}


def laid_down(model, folder):
    for name, content in serving.files("parcels", model).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def asked(uri, rows, tracking, folder):
    """What a process that knows MLflow and nothing of our lake is told."""
    command = [sys.executable, "-c", LOAD, tracking, str(rows), str(uri)]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=folder, env={**os.environ, **quiet}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [np.array(found) for found in json.loads(done.stdout.splitlines()[-1])]


@pytest.fixture
def rows(world, tmp_path):
    found = dataset.frame(world.case, world.lake, [DAY])
    found.to_parquet(tmp_path / "rows.parquet")
    return found


def test_the_champion_is_served_by_its_alias_with_the_same_probabilities(promoted, tmp_path):
    model = families(promoted)["logistic"]
    rows = dataset.frame(promoted.case, promoted.lake, [DAY])
    rows.to_parquet(tmp_path / "rows.parquet")
    registry = promoted.registry.tracking_uri
    found, example = asked("models:/parcels@champion", tmp_path / "rows.parquet", registry, tmp_path)
    assert found.tolist() == model.predict(rows).tolist()
    assert example.tolist() == list(model.golden.expected)


@pytest.mark.parametrize("family", ["lightgbm", "trivial"])
def test_every_family_is_served_with_the_same_probabilities(world, rows, tmp_path, family):
    model = families(world)[family]
    folder = laid_down(model, tmp_path / "model")
    found, _ = asked(folder, tmp_path / "rows.parquet", f"sqlite:///{tmp_path / 'none.db'}", tmp_path)
    assert found.tolist() == model.predict(rows).tolist()


def test_what_is_kept_is_data_and_says_what_goes_in_and_what_to_install(world):
    model = families(world)["logistic"]
    kept = serving.files("parcels", model)
    assert not [name for name in kept if Path(name).suffix in (".py", ".pkl", ".pickle", ".joblib", ".bin")]
    said = yaml.safe_load(kept["MLmodel"])
    flavour = said["flavors"]["python_function"]
    assert (list(said["flavors"]), flavour["loader_module"], flavour.get("code")) == (
        ["python_function"], "updraft.serving", None,
    )  # fmt: skip
    inputs = {column["name"]: column["type"] for column in json.loads(said["signature"]["inputs"])}
    assert inputs == {"depot": "string", "weight": "double", "ship_hour": "double", "depot_late": "double"}
    needed = kept["requirements.txt"].decode()
    assert "lightgbm==" in needed
    assert "updraft" not in needed
    own = {name.rpartition("/")[2]: content for name, content in kept.items() if f"/{model.digest}/" in name}
    assert own == {**model.files(), "manifest.json": model.manifest.dump()}


@pytest.mark.parametrize("file", ["linear.json", "manifest.json", "golden.json"])
def test_what_was_changed_in_mlflow_is_served_to_nobody(world, tmp_path, file):
    folder = laid_down(families(world)["logistic"], tmp_path / "model")
    (place,) = folder.rglob(file)
    place.write_bytes(place.read_bytes().replace(b"1", b"2", 1))
    (data,) = folder.rglob("models")
    with pytest.raises(ModelRejected, match="changed or cut short"):
        serving._load_pyfunc(str(data.parent))


def test_two_models_in_one_place_are_none(world, tmp_path):
    for family in ("logistic", "trivial"):
        folder = laid_down(families(world)[family], tmp_path / "model")
    (data,) = folder.rglob("models")
    with pytest.raises(ModelRejected, match="2 models"):
        serving._load_pyfunc(str(data.parent))
