"""Airflow and MLflow of this project: set up, started, reachable, stopped."""

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from updraft.errors import Permanent
from updraft.local.airflow_api import AirflowApi
from updraft.local.environment import environment
from updraft.local.processes import Processes, free_port, program, tail, wait_until
from updraft.settings import Settings

COMPONENTS = ("scheduler", "dag-processor", "api-server", "triggerer")
TRAINING_POOL = "updraft_training"
STAGES = ("ingest", "features", "score", "monitor", "retrain", "train", "rollback", "quarantine", "sweep", "drill")


@dataclass(frozen=True)
class Installation:
    """A running Airflow and MLflow.

    :param airflow_url: Airflow's UI and API.
    :param mlflow_url: MLflow's UI.
    :param password: Of Airflow's user `admin`.
    """

    airflow_url: str
    mlflow_url: str
    password: str
    processes: Processes

    @property
    def api(self) -> AirflowApi:
        """A client of Airflow's API."""
        return AirflowApi(self.airflow_url, self.password)


def start(settings: Settings, *, api_port: int = 8080, mlflow_port: int = 5000) -> Installation:
    """Start Airflow and MLflow on loopback; return at once, before they are ready."""
    processes = Processes(settings.home)
    if alive := processes.running():
        raise Permanent(f"{', '.join(alive)} are running already.", next_step="run `make stop` first.")
    processes.stop()
    api, mlflow = free_port(api_port), free_port(mlflow_port)
    env = environment(settings, api_port=api, mlflow_port=mlflow)
    password = _password(settings.home / "airflow")
    processes.start("mlflow", _mlflow(settings, mlflow), env)  # first: it makes the database that trainings write to
    _migrate(settings, env)
    # Only the scheduler starts tasks: others would load for nothing what these are forked from.
    lean = env | {"AIRFLOW__CORE__MP_FORKSERVER_PRELOAD": ""}
    for component in COMPONENTS:
        processes.start(component, [program("airflow"), component], env if component == "scheduler" else lean)
    return Installation(f"http://127.0.0.1:{api}", f"http://127.0.0.1:{mlflow}", password, processes)


def _mlflow(settings: Settings, port: int) -> list[str]:
    """Command line of MLflow's server: a UI for people; tasks write to its database and do not need it."""
    return [
        program("mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", settings.tracking, "--artifacts-destination", settings.artifacts,
    ]  # fmt: skip


def wait_ready(installation: Installation, dag_ids: set[str], *, seconds: float = 180) -> None:
    """Wait until Airflow is healthy, knows these DAGs, and has the pool for trainings."""
    api, processes = installation.api, installation.processes
    wait_until(api.healthy, seconds=seconds, what="Airflow's start", processes=processes)
    wait_until(lambda: dag_ids <= api.dag_ids(), seconds=seconds, what="Reading the DAGs", processes=processes)
    api.make_pool(TRAINING_POOL, 1)


def _migrate(settings: Settings, env: dict[str, str]) -> None:
    """Make Airflow's database, or bring it up to date."""
    log = settings.home / "logs" / "migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(  # noqa: S603 - our own command line
            [program("airflow"), "db", "migrate"], env=env, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise Permanent(f"Airflow could not make its database:\n{tail(log)}", next_step=f"read {log}.")


def _password(folder: Path) -> str:
    """Password of `admin`, made once; the file is what Airflow's simple auth manager reads."""
    place = folder / "passwords.json"
    if not place.exists():
        folder.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0o600)
        place.write_text(json.dumps({"admin": secrets.token_urlsafe(12)}), encoding="utf-8")
    return str(json.loads(place.read_text(encoding="utf-8"))["admin"])
