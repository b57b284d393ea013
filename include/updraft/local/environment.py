"""The environment of Airflow on one machine: SQLite, LocalExecutor, loopback, and tasks that start warm."""

import os
import secrets
from pathlib import Path

from updraft.settings import Settings

# Imported once into the process that tasks are forked from. Import only: nothing here may start a thread, since a
# forked child would inherit its locks but not the thread; tests/contracts/ pins it.
PRELOAD = (
    "airflow.dag_processing.bundles.local",
    "airflow.dag_processing.dagbag",
    "airflow.dag_processing.importers.python_importer",
    "airflow.executors.local_executor",
    "airflow.sdk.bases.sensor",
    "airflow.sdk.definitions.asset.metadata",
    "airflow.sdk.execution_time.cache",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.timeout",
    "airflow.providers.openlineage.plugins.openlineage",
    "airflow.providers.standard.operators.trigger_dagrun",
    "airflow.providers.standard.operators.hitl",
    "great_expectations",
    "great_expectations.expectations",
    "great_expectations.render.renderer",
    "lightgbm",
    "matplotlib.figure",
    "mlflow",
    "pandas",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "sklearn.linear_model",
    "sklearn.metrics",
    "scipy.stats",
    "duckdb",
    "deltalake",
    "obstore",
    "tenacity",
    "great_expectations.render.view",
    "updraft.ingest",
    "updraft.life.features",
    "updraft.life.score",
    "updraft.life.monitor",
    "updraft.life.promotion",
    "updraft.life.retrain",
    "updraft.registry",
    "updraft.score",
    "updraft.sources.files",
    "updraft_airflow.declared",
    "updraft_airflow.deadlines",
    "updraft_airflow.moments",
    "updraft_airflow.operators.arrival",
    "updraft_airflow.operators.features",
    "updraft_airflow.operators.ingest",
    "updraft_airflow.operators.monitor",
    "updraft_airflow.operators.retrain",
    "updraft_airflow.operators.rollout",
    "updraft_airflow.operators.score",
    "updraft_airflow.operators.tell",
    "updraft_airflow.sensors.delivery",
    "updraft.local.warm",  # last
)


def project() -> Path:
    """Folder that holds `dags/` and `plugins/`: the one above the use cases' `include/`."""
    return Settings.from_env().use_cases.parents[1]


def environment(settings: Settings, *, api_port: int, mlflow_port: int) -> dict[str, str]:
    """Environment variables for every Airflow process of this installation.

    :param api_port: Port of Airflow's UI and API, on 127.0.0.1.
    :param mlflow_port: Port of MLflow's UI, on 127.0.0.1.
    """
    root, home = project(), settings.home
    airflow = {
        "CORE__DAGS_FOLDER": root / "dags",
        "CORE__PLUGINS_FOLDER": root / "plugins",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__MP_START_METHOD": "forkserver",
        "CORE__MP_FORKSERVER_PRELOAD": ",".join(PRELOAD),
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api_port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "airflow" / "passwords.json",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow' / 'airflow.db'}",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # A worker that looks between a task's last word and its exit looks again only after this many seconds.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        # It reads, then writes, in one transaction: on SQLite another writer in between ends the scheduler. What it
        # looks for, assets that no DAG names any more, can wait.
        "SCHEDULER__PARSING_CLEANUP_INTERVAL": "86400",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        # Reading all DAGs takes seconds of processor time; a use case that was added or changed shows after as long.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(api_port),
        "API__BASE_URL": f"http://127.0.0.1:{api_port}",
        "API__SECRET_KEY": _secret(home, "api_secret"),
        "API_AUTH__JWT_SECRET": _secret(home, "jwt_secret"),
        # No transport: sending lineage costs every task as much again as Airflow does. Whoever wants it sets one.
        "OPENLINEAGE__NAMESPACE": "updraft",
        # By default the provider forks, which Delta Lake and LightGBM do not survive, and which takes twice the time.
        "OPENLINEAGE__EXECUTE_IN_THREAD": "True",
        "LOGGING__BASE_LOG_FOLDER": home / "airflow" / "logs",
        "LOGGING__LOGGING_LEVEL": "WARNING",
    }
    ours = {
        "AIRFLOW_HOME": home / "airflow",
        "UPDRAFT_HOME": home,
        "UPDRAFT_LAKE": settings.lake,
        "UPDRAFT_INBOX": settings.inbox,
        "UPDRAFT_USE_CASES": settings.use_cases,
        "UPDRAFT_ARTIFACTS": settings.artifacts,
        "UPDRAFT_METRICS_TOKEN": _secret(home, "metrics_token"),
        "UPDRAFT_MLFLOW_URL": f"http://127.0.0.1:{mlflow_port}",
        "MLFLOW_TRACKING_URI": settings.tracking,
        "XDG_CACHE_HOME": home / "cache",
        "XDG_CONFIG_HOME": home / "config",
        "MPLCONFIGDIR": home / "cache" / "matplotlib",
        **quiet(),
    }
    named = {f"AIRFLOW__{key}": str(value) for key, value in airflow.items()}
    return {**os.environ, **{key: str(value) for key, value in ours.items()}, **named}


def quiet() -> dict[str, str]:
    """Telemetry off, and numeric libraries that leave the second core to the next task."""
    return {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Threads of a training that wait for each other would else spin, on cores that other tasks need.
        "OMP_WAIT_POLICY": "passive",
        "PYTHONWARNINGS": "ignore",
    }


def _secret(home: Path, name: str) -> str:
    """A secret of this installation, made once and readable by its owner alone."""
    place = home / "secrets" / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.parent.chmod(0o700)
        place.write_text(secrets.token_urlsafe(32), encoding="utf-8")
        place.chmod(0o600)
    return place.read_text(encoding="utf-8")
