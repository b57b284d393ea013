"""The DAGs of the repository and of made-up use cases, as Airflow parses them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.plugins.airflow_home import ROOT
from tests.plugins.running import parse

# isort: split
from airflow.sdk import DAG

FLIGHTS = ROOT / "include" / "use_cases" / "flight_delays"


@pytest.fixture(scope="session")
def flights() -> dict[str, DAG]:
    """DAGs of the demo, by stage."""
    return {dag_id.removeprefix("flight_delays__"): dag for dag_id, dag in parse(FLIGHTS.parent).items()}


@pytest.fixture
def use_cases(tmp_path: Path) -> Path:
    """Folder of the made-up use cases."""
    return tmp_path / "use_cases"


@pytest.fixture
def parsed(use_cases: Path) -> Callable[..., dict[str, DAG]]:
    """Parse the DAGs of use cases like the demo, given what each says otherwise; text is the whole of a spec."""

    def parsed(**cases: dict[str, Any] | str) -> dict[str, DAG]:
        for name, said in cases.items():
            folder = Path(shutil.copytree(FLIGHTS, use_cases / name, dirs_exist_ok=True))
            spec = yaml.safe_load((FLIGHTS / "spec.yaml").read_text(encoding="utf-8"))
            text = said if isinstance(said, str) else yaml.safe_dump(laid_over(spec, {"name": name, **said}))
            (folder / "spec.yaml").write_text(text, encoding="utf-8")
        return parse(use_cases)

    return parsed


def laid_over(spec: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    return {
        **spec,
        **{key: {**spec.get(key, {}), **value} if isinstance(value, dict) else value for key, value in said.items()},
    }
