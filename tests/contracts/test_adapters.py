"""What every operator, sensor and trigger of `updraft_airflow` keeps to, found by looking into its folders."""

import importlib
import inspect
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.plugins import airflow_home

# isort: split
from airflow.sdk import BaseOperator, BaseSensorOperator
from airflow.triggers.base import BaseTrigger

PACKAGE = airflow_home.ROOT / "plugins" / "updraft_airflow"
DAY = 24 * 3600.0


def classes(*rooms: str, of: type) -> list[Any]:
    """Classes derived from `of` that the modules of some rooms define."""
    found = []
    for room in rooms:
        for file in sorted((PACKAGE / room).glob("*.py")):
            module = importlib.import_module(f"updraft_airflow.{room}.{file.stem}".removesuffix(".__init__"))
            own = [
                kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__
            ]
            found.extend(kind for kind in own if issubclass(kind, of) and not kind.__name__.startswith("_"))
    return found


OPERATORS = classes("operators", "sensors", of=BaseOperator)
SENSORS = classes("sensors", of=BaseSensorOperator)
TRIGGERS = classes("triggers", of=BaseTrigger)


def parameters(kind: type) -> dict[str, inspect.Parameter]:
    """Constructor arguments of a class and those of its own that it hands on to, without Airflow's common ones."""
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        if base.__module__.startswith("airflow."):
            break
        if "__init__" in vars(base):
            found = {**dict(list(inspect.signature(base.__init__).parameters.items())[1:]), **found}
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return {name: parameter for name, parameter in found.items() if parameter.kind in named}


def dummies(kind: type) -> dict[str, Any]:
    """A value for every argument without a default."""
    typical = {"int": 1, "float": 1.0, "bool": False, "list": ["x"], "dict": {"x": "x"}}
    required = {n: p for n, p in parameters(kind).items() if p.default is inspect.Parameter.empty}
    return {
        name: typical.get(str(getattr(p.annotation, "__name__", p.annotation)), "x") for name, p in required.items()
    }


_watched: list[str] | None = None
IO = ("open", "socket.", "sqlite3.", "subprocess.", "os.", "shutil.", "tempfile.", "urllib.", "http.")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is not None and event.startswith(IO):
        _watched.append(f"{event} {arguments[:1]!r}")


sys.addaudithook(_watch)  # the interpreter's own report of what touches the outside; it cannot be taken away again


@contextmanager
def watching() -> Iterator[list[str]]:
    global _watched
    _watched = seen = []
    try:
        yield seen
    finally:
        _watched = None


def test_the_rooms_are_not_empty():
    assert len(OPERATORS) > 10
    assert SENSORS
    assert TRIGGERS


def test_the_watch_sees_what_touches_the_outside(tmp_path):
    with watching() as seen:
        (tmp_path / "x").write_text("x")
        list(tmp_path.iterdir())
    assert [event.split()[0] for event in seen] == ["open", "os.listdir"]


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.__name__)
def test_making_an_operator_touches_nothing(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kind(task_id="first", **dummies(kind))  # what Airflow loads once, for the first operator of a process
    with watching() as seen:
        kind(task_id="x", **dummies(kind))
    assert seen == []


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.__name__)
def test_what_is_templated_is_an_argument_and_a_field(kind):
    made = kind(task_id="x", **dummies(kind))
    assert set(kind.template_fields) <= set(parameters(kind))
    assert [name for name in kind.template_fields if not hasattr(made, name)] == []


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.__name__)
def test_an_operator_says_what_it_does_and_what_its_arguments_mean(kind):
    assert kind.__doc__
    inherited = [parameters(base) for base in kind.__mro__[1:] if issubclass(base, BaseOperator)]
    own = set(parameters(kind)) - set().union(*inherited, inspect.signature(BaseSensorOperator.__init__).parameters)
    assert [name for name in own if f":param {name}:" not in kind.__doc__] == []


@pytest.mark.parametrize("kind", SENSORS, ids=lambda kind: kind.__name__)
def test_a_sensor_gives_up_within_a_day_unless_told_otherwise(kind):
    sensor = kind(task_id="x", **dummies(kind))
    assert math.isfinite(sensor.timeout)
    assert 0 < sensor.timeout <= DAY, "Airflow's own default is a week"
    assert sensor.poke_interval > 0
    assert sensor.mode == "reschedule"


@pytest.mark.parametrize("kind", TRIGGERS, ids=lambda kind: kind.__name__)
def test_a_trigger_is_the_same_after_its_way_through_the_database(kind):
    path, arguments = kind(**dummies(kind)).serialize()
    assert set(arguments) == set(parameters(kind)), "nothing is lost on the way"
    sent = json.loads(json.dumps(arguments))
    module, name = path.rsplit(".", 1)
    again = getattr(importlib.import_module(module), name)(**sent)
    assert type(again) is kind
    assert again.serialize() == (path, sent)
