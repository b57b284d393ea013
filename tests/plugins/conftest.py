"""Worlds to run Airflow's tasks in: a home folder with an inbox, a lake and an MLflow, and the DAGs."""

import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.plugins import tiny, watched
from tests.plugins.notified import CANARY
from tests.plugins.running import Run, parse
from tests.served import moto

# isort: split
from airflow.sdk import DAG


@dataclass(frozen=True)
class World:
    """A home folder, and the DAGs of the use cases it was made for."""

    home: Path
    dags: dict[str, DAG]

    def run(self, stage: str, **how: Any) -> Run:
        """A run of a stage's DAG."""
        return Run(self.dags[f"tiny__{stage}"], **how)

    def enter(self, patch: pytest.MonkeyPatch, use_cases: Path = tiny.USE_CASES) -> "World":
        """Let hooks and operators find it as they find a real installation: through the environment."""
        patch.setenv("UPDRAFT_HOME", str(self.home))
        patch.setenv("UPDRAFT_USE_CASES", str(use_cases))
        for name in ("UPDRAFT_LAKE", "UPDRAFT_INBOX", "UPDRAFT_ARTIFACTS", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        return self


@pytest.fixture(scope="session")
def dags() -> dict[str, DAG]:
    return parse(tiny.USE_CASES)


@pytest.fixture
def world(tmp_path: Path, dags: dict[str, DAG], monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which nothing has happened yet."""
    return World(tmp_path / "home", dags).enter(monkeypatch)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as server:
        yield server.address


@pytest.fixture
def store(
    endpoint: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> watched.Store:
    """A bucket and its queue, and a world with the use case that is fed from them."""
    made = watched.store(endpoint, f"plans-{abs(hash(request.node.name)) % 10**9}")
    monkeypatch.setenv("AIRFLOW_CONN_STORE", made.connection())
    world.enter(monkeypatch, watched.write(tmp_path / "use_cases", made))
    return made


@pytest.fixture
def known(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Make a connection known to Airflow."""

    def know(name: str, **said: Any) -> str:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(said))
        return name

    return know


@pytest.fixture
def no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")  # Airflow leaves out what it says below a warning
    yield
    for record in caplog.get_records("call"):
        assert CANARY not in record.getMessage(), record.name


@pytest.fixture(autouse=True)
def _given_back() -> Iterator[None]:
    """Airflow's task runner takes over SIGTERM and exports its context; give both back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)
    for name in [name for name in os.environ if name.startswith("AIRFLOW_CTX_")]:
        del os.environ[name]
