"""MLflow's runs: one per trained model, found again by the digest it carries as a tag."""

import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from updraft.errors import RegistryUnavailable
from updraft.spec.names import name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

OURS = "updraft."
DIGEST = f"{OURS}digest"
_PARENT, _TRIAL = "mlflow.parentRunId", f"{OURS}trial"


@dataclass(frozen=True)
class Training:
    """What is shown about one trained model.

    :param digest: Digest of the model, 64 hexadecimal digits.
    :param partition: Key of the partition the training stands at.
    :param params: Settings, as text.
    :param metrics: Numbers; undefined ones are left out.
    :param tags: Data versions, feature fingerprint, code version, spec digest; shown as `updraft.<key>`.
    :param artifacts: File name -> content, such as plots and gates.
    :param files: File name -> content of the model as MLflow serves it; shown below `model/`.
    :param trials: Settings tried on the way, by name; shown as child runs.
    """

    digest: str
    partition: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    trials: Mapping[str, "Tried"] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """Settings that were tried, and what came of it."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def connect(uri: str) -> "MlflowClient":
    """Open MLflow; the first time, a new SQLite file is migrated, which takes seconds."""
    configure()
    from mlflow import MlflowClient

    return MlflowClient(uri, uri)


def log(client: "MlflowClient", artifacts: str, use_case: str, training: Training) -> "Run":
    """Show a training as a run; a second attempt completes what the first one left."""
    experiment = _experiment(client, artifacts, use_case)
    run = find(client, use_case, training.digest) or client.create_run(
        experiment,
        run_name=f"{training.partition} {training.digest[:12]}",
        tags={DIGEST: training.digest, "updraft.partition": training.partition, **_tags(training)},
    )
    if run.info.status != "FINISHED":
        _fill(client, run, training)
    return run


def find(client: "MlflowClient", use_case: str, digest: str) -> "Run | None":
    """Find the run of a model, and restore it when somebody deleted it."""
    from mlflow.entities import ViewType

    experiment = client.get_experiment_by_name(name(use_case))
    if experiment is None:
        return None
    runs = client.search_runs(
        [experiment.experiment_id],
        filter_string=f"tags.`{DIGEST}` = '{checked(digest)}'",
        run_view_type=ViewType.ALL,
        max_results=1,
        order_by=["attributes.start_time ASC"],
    )
    if runs and runs[0].info.lifecycle_stage == "deleted":
        client.restore_run(runs[0].info.run_id)
    return runs[0] if runs else None


def _experiment(client: "MlflowClient", artifacts: str, use_case: str) -> str:
    found = client.get_experiment_by_name(name(use_case))
    if found is None:
        below = artifacts if "://" in artifacts else Path(artifacts).absolute().as_uri()
        with may_exist():
            client.create_experiment(use_case, artifact_location=f"{below.rstrip('/')}/{use_case}")
        found = client.get_experiment_by_name(use_case)
    assert found is not None
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _fill(client: "MlflowClient", run: "Run", training: Training) -> None:
    from mlflow.entities import Metric, Param

    run_id, begun = run.info.run_id, run.info.start_time
    # The same moment every time, so that a second attempt adds no second point.
    client.log_batch(run_id, [Metric(k, float(v), begun, 0) for k, v in training.metrics.items() if math.isfinite(v)])
    params = [Param(key, str(value)[:6000]) for key, value in training.params.items()]
    for first in range(0, len(params), 100):  # MLflow takes no more at once
        client.log_batch(run_id, params=params[first : first + 100])
    attach(client, run, {**training.artifacts, **{f"model/{k}": v for k, v in training.files.items()}})
    _fill_trials(client, run, training)
    # Last of all: a run that is not finished is filled again, children and all.
    client.set_terminated(run_id)


def attach(client: "MlflowClient", run: "Run", files: Mapping[str, bytes]) -> None:
    """Store files with a run; one of the same name is replaced."""
    with TemporaryDirectory() as folder:
        for file, content in files.items():
            _write(Path(folder), PurePosixPath(file), content)
        client.log_artifacts(run.info.run_id, folder)


def _fill_trials(client: "MlflowClient", run: "Run", training: Training) -> None:
    """Show every trial below its training; those that an attempt before this one left unfinished are completed."""
    from mlflow.entities import Metric, Param

    where, parent = run.info.experiment_id, run.info.run_id
    wanted = f"tags.`{_PARENT}` = '{parent}'"
    known = (
        {r.data.tags[_TRIAL]: r for r in client.search_runs([where], wanted, max_results=2000)}
        if training.trials
        else {}
    )
    for name_, tried in training.trials.items():
        tags = {_PARENT: parent, _TRIAL: name_, **{f"updraft.{key}": value for key, value in tried.tags.items()}}
        child = known.get(name_) or client.create_run(where, run_name=name_, tags=tags)
        if child.info.status == "FINISHED":
            continue
        metrics = [Metric(key, value, child.info.start_time, 0) for key, value in tried.metrics.items()]
        client.log_batch(child.info.run_id, metrics, [Param(key, value) for key, value in tried.params.items()])
        client.set_terminated(child.info.run_id)


def _write(folder: Path, file: PurePosixPath, content: bytes) -> None:
    if file.is_absolute() or ".." in file.parts:
        raise ValueError(f"{str(file)[:80]!r} is not the name of an artifact")
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(content)


def _tags(training: Training) -> dict[str, str]:
    return {f"{OURS}{key}": str(value)[:5000] for key, value in training.tags.items()}


def checked(digest: str) -> str:
    """Refuse what could mean something inside a search filter, which takes no bound parameters."""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ValueError(f"{digest[:80]!r} is not the digest of a model")
    return digest


@contextmanager
def may_exist() -> Iterator[None]:
    """Let another process have created it first."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as fault:
        if fault.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def answering() -> Iterator[None]:
    """Turn whatever MLflow raises into `RegistryUnavailable`: the ledger stands, a repair follows."""
    configure()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as fault:
        said = re.sub(r"://[^/\s]*@", "://…@", str(fault))[:300]
        raise RegistryUnavailable(
            f"MLflow did not do it: {said}", next_step="mend or start MLflow; then repair the alias from the ledger."
        ) from fault


def configure() -> None:
    """Tell MLflow how to behave; before its first import, for then it reads the environment."""
    # No telemetry, and a server that is down is given up within a minute.
    os.environ.update({"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"})
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
