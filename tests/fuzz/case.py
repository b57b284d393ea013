"""One hostile or broken delivery, and what must be true of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from updraft.spec.model import UseCase

KEY = "2013-04-01"
AT = "2013-04-01T12:00:00Z"
COLUMNS: dict[str, Any] = {
    "id": {"type": "integer"},
    "at": {"type": "timestamp"},
    "x": {"type": "number", "nullable": True},
    "ok": {"type": "boolean", "nullable": True},
    "s": {"type": "string", "nullable": True},
}
ENDINGS = {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet"}
ANY = frozenset({"accepted", "quarantined", "blocked", "refused"})


@dataclass(frozen=True)
class Case:
    """A delivery and its declared source.

    :param kind: What it is an example of: a fault of FAULTS.md or THREATS.md, and a word.
    :param data: Makes the bytes; large ones are made when they are needed.
    :param outcomes: What may become of it.
    :param values: Values of column `v` (or rows of declared columns) that must be published, in order, when given.
    :param said: What the refusal, or a row's reason in quarantine, must say.
    :param source: Parts of the declared source that are laid over the default one.
    :param place: Puts something else than a plain file into the inbox.
    """

    kind: str
    data: Callable[[], bytes]
    outcomes: frozenset[str]
    values: tuple[Any, ...] | None = None
    said: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    ending: str = ""
    key: str = KEY
    place: Callable[[Path], None] | None = None


def source(**over: Any) -> dict[str, Any]:
    """The declared source: `over` is laid over the default one, and a column `v` is added by `v=`."""
    columns = {**COLUMNS, **({"v": over.pop("v")} if "v" in over else {})}
    return {
        "type": "files",
        "path": "in/{partition}*",
        "key": ["id"],
        "event_time": "at",
        "known_at": {"delay": "1h"},
        "columns": columns,
        "contract": {"rows": [0, 10_000_000], "tolerance": 0.5},
        **over,
    }


def use_case(declared: Mapping[str, Any]) -> UseCase:
    """A use case with one source, `feed`, read as a spec is read."""
    spec = {
        "version": 1,
        "name": "fuzz",
        "owner": {"name": "Fuzz", "email": "fuzz@example.com"},
        "problem": {
            "goal": "Read what strangers send.",
            "lead_time": "1h",
            "decision": "Read on.",
            "value": {"true_positive": 1, "false_positive": -1, "false_negative": 0},
        },
        "partitions": {"every": "day", "first": "2013-01-01"},
        "entity": ["id"],
        "sources": {"feed": source(**declared)},
        "label": {"column": "y", "maturity": "1d"},
        "features": {"x": {"type": "number"}},
    }
    return UseCase.model_validate_json(json.dumps(spec), strict=True)


def only(outcome: str) -> frozenset[str]:
    """Nothing but this outcome."""
    return frozenset({outcome})


def csv(*lines: str, header: str = "id,at,x,ok,s") -> bytes:
    """A CSV text."""
    return ("\n".join([header, *lines]) + "\n").encode()


def good(n: int) -> str:
    """A row of CSV that keeps every rule."""
    return f"{n},{AT},{n}.5,true,s{n}"


def accepted(kind: str, data: bytes, values: Sequence[Any] | None = None, **how: Any) -> Case:
    """A case that must be read, with these values of column `v`."""
    return Case(kind, lambda: data, only("accepted"), None if values is None else tuple(values), source=how)


def refused(kind: str, data: bytes | Callable[[], bytes], said: str, **how: Any) -> Case:
    """A case that must be refused as a whole."""
    ending = how.pop("ending", "")
    return Case(kind, data if callable(data) else lambda: data, only("refused"), said=said, source=how, ending=ending)
