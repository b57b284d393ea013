"""What every test may use: a lake on a temporary folder, and a tiny use case; and the guard on sockets."""

import gc
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from updraft.local.environment import quiet

# As in a real installation, and before numpy: threads of two workers that wait for each other spin on two cores.
os.environ.update(quiet())

# isort: split
from updraft.lake import Lake
from updraft.spec.model import UseCase

collect_ignore = ["bench"]  # programs that print ratios, not tests

os.environ.setdefault("AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT", "0")  # none: half a minute is short on a busy machine

gc.disable()  # until all is collected: what was imported would be looked through for garbage a dozen times

settings.register_profile("updraft", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("updraft")

SPEC: dict[str, Any] = {
    "version": 1,
    "name": "tiny",
    "owner": {"name": "Tiny team", "email": "tiny@example.com"},
    "problem": {
        "goal": "Say whether the thing will happen.",
        "lead_time": "6h",
        "decision": "Act on it.",
        "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
    },
    "partitions": {"every": "day", "timezone": "UTC", "first": "2024-01-01"},
    "entity": ["id"],
    "sources": {
        "facts": {
            "type": "files",
            "path": "facts/{partition}.csv",
            "key": ["id"],
            "event_time": "happened_at",
            "known_at": {"column": "reported_at"},
            "columns": {
                "id": {"type": "string"},
                "amount": {"type": "number", "nullable": True},
                "happened_at": {"type": "timestamp"},
                "reported_at": {"type": "timestamp"},
            },
        }
    },
    "label": {"column": "late", "maturity": "1d"},
    "features": {"amount": {"type": "number"}, "colour": {"type": "category"}},
}
WHOLE = ("sources", "features")  # a source or a feature given replaces the default ones


def pytest_collection_finish() -> None:
    gc.enable()


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    """No test reaches beyond this machine."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="module", autouse=True)
def _no_server_left() -> Iterator[None]:
    """Every server of a file's tests was stopped: a forgotten one can keep a core busy until the last test."""
    yield
    assert [thread.name for thread in threading.enumerate() if "serve_forever" in thread.name] == []


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture(scope="session")
def mlflow_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Put the file of a new MLflow into a folder; it is migrated once and copied, because migrating takes seconds."""
    from updraft.registry import Registry

    folder = tmp_path_factory.mktemp("mlflow")
    Registry(f"sqlite:///{folder / 'mlflow.db'}", str(folder)).champion_alias("nobody")

    def put(into: Path) -> Path:
        into.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(folder / "mlflow.db", into))

    return put


@pytest.fixture(scope="session")
def make_case() -> Callable[..., UseCase]:
    """Build a use case without files; a section given as a mapping is laid over the default one."""

    def make(**overrides: Any) -> UseCase:
        spec = dict(SPEC)
        for field, said in overrides.items():
            over = isinstance(said, dict) and field not in WHOLE
            spec[field] = {**SPEC.get(field, {}), **said} if over else said
        return UseCase.model_validate_json(json.dumps(spec), strict=True)

    return make


@pytest.fixture
def case(make_case: Callable[..., UseCase]) -> UseCase:
    return make_case()
