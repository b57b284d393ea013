import os
import stat
from pathlib import Path
from urllib.parse import urlparse

import pytest

from updraft.local.environment import PRELOAD, environment, project, quiet
from updraft.settings import Settings


@pytest.fixture
def variables(tmp_path, monkeypatch):
    """The environment of an installation, without what this process happens to have."""
    for name in list(os.environ):
        if name.startswith(("AIRFLOW", "UPDRAFT", "MLFLOW", "XDG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))
    made = environment(Settings.from_env(), api_port=8123, mlflow_port=5123)
    return {
        name: value
        for name, value in made.items()
        if os.environ.get(name) != value or name in {"UPDRAFT_HOME", *quiet()}
    }


def test_every_address_is_on_loopback(variables):
    urls = {name: urlparse(value) for name, value in variables.items() if value.startswith("http")}
    assert {url.hostname for url in urls.values()} == {"127.0.0.1"}
    assert {url.port for url in urls.values()} == {8123, 5123}
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert variables["AIRFLOW__API__PORT"] == "8123"
    assert not any("0.0.0.0" in value for value in variables.values())


def test_everything_that_is_written_lies_below_one_folder(variables, tmp_path):
    ours = (str(project() / "dags"), str(project() / "plugins"), str(project() / "include" / "use_cases"))
    places = [value.removeprefix("sqlite:///") for value in variables.values() if value.startswith(("/", "sqlite:///"))]
    assert len(places) > 10
    outside = [place for place in places if not Path(place).is_relative_to(tmp_path / "home") and place not in ours]
    assert outside == []


def test_dags_and_plugins_are_those_of_the_project(variables):
    assert (Path(variables["AIRFLOW__CORE__DAGS_FOLDER"]) / "score.py").is_file()
    assert (Path(variables["AIRFLOW__CORE__PLUGINS_FOLDER"]) / ".airflowignore").is_file()
    assert variables["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"


def test_nobody_is_told_what_happens_here(variables):
    assert quiet().items() <= variables.items()
    assert variables["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert variables["GX_ANALYTICS_ENABLED"] == "false"
    assert variables["DO_NOT_TRACK"] == "1"


def test_secrets_are_made_once_and_only_their_owner_can_read_them(variables, tmp_path):
    folder = tmp_path / "home" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = {file.name: file.read_text() for file in folder.iterdir()}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    told = ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "UPDRAFT_METRICS_TOKEN")
    assert {variables[name] for name in told} == set(secrets.values())
    assert len(set(secrets.values())) == 3
    assert min(map(len, secrets.values())) >= 32
    again = environment(Settings.from_env(), api_port=8123, mlflow_port=5123)
    assert again["AIRFLOW__API__SECRET_KEY"] == variables["AIRFLOW__API__SECRET_KEY"]


def test_two_installations_share_no_secret(variables, tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "other"))
    other = environment(Settings.from_env(), api_port=8123, mlflow_port=5123)
    assert other["AIRFLOW__API__SECRET_KEY"] != variables["AIRFLOW__API__SECRET_KEY"]


def test_what_was_set_for_the_lake_and_mlflow_is_handed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path))
    monkeypatch.setenv("UPDRAFT_LAKE", "s3://flights/lake")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://db/mlflow")
    made = environment(Settings.from_env(), api_port=1, mlflow_port=2)
    assert (made["UPDRAFT_LAKE"], made["MLFLOW_TRACKING_URI"]) == ("s3://flights/lake", "postgresql://db/mlflow")


def test_the_caller_s_own_environment_is_kept_and_not_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "Antarctica/Troll")
    before = dict(os.environ)
    assert environment(Settings.from_env(), api_port=1, mlflow_port=2)["TZ"] == "Antarctica/Troll"
    assert dict(os.environ) == before


def test_what_is_preloaded_is_named_for_airflow(variables):
    assert variables["AIRFLOW__CORE__MP_FORKSERVER_PRELOAD"].split(",") == list(PRELOAD)
    assert variables["AIRFLOW__CORE__MP_START_METHOD"] == "forkserver"
    assert PRELOAD[-1] == "updraft.local.warm"
