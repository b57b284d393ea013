"""What is wrong with a spec, said so that its author can mend it: file, line, field, what was found and a hint."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from updraft.errors import SpecInvalid, did_you_mean
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from updraft.spec.document import Document

SHOWN = 10
Place = tuple[str | int, ...]
_WORDS = {
    "Input should": "should",
    "String should": "should",
    "Tuple should": "should",
    "Dictionary should": "should",
    "a valid array": "a list",
    "an object": "a mapping",
    "a valid": "a",
    "a integer": "an integer",
    "a string": "text",
}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file.

    :param line: Where, counted from 1.
    :param field: Path of the field, such as `sources.weather.key`; empty for the file as a whole.
    :param message: What was found and what was expected.
    """

    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


def refusal(path: Path, problems: Sequence[Problem]) -> SpecInvalid:
    """The error that names every problem of a file, the first ten in full."""
    listed = [f"{path}:{p.line}: {p}" for p in dict.fromkeys(problems)]
    if len(listed) > SHOWN:
        listed[SHOWN:] = ["… and more"]
    one = len(listed) == 1
    return SpecInvalid(
        listed[0] if one else "\n".join(["The spec has several problems:", *listed, ""]),
        next_step=f"mend {'it' if one else 'them'}; docs/spec.md lists every field.",
    )


def dotted(place: Place) -> str:
    """Write a place as people do.

    >>> dotted(("sources", "weather", "key", 0))
    'sources.weather.key[0]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in place).removeprefix(".")


def found(value: object) -> str:
    """Say what a value is, in a few words.

    >>> found("10"), found(True), found([1])
    ("text '10'", 'true', 'a list')
    """
    if isinstance(value, str):
        return f"text {value[:60]!r}"
    if isinstance(value, bool):
        return str(value).lower()
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), str(value)[:60])


def unfit(refused: ValidationError, read: "Document") -> Iterator[Problem]:
    """What the model has against a document, in the order of its lines."""
    errors = [_placed(error) for error in refused.errors(include_url=False)]
    around = {error["loc"][:n] for error in errors for n in range(len(error["loc"]))}
    told: set[Place] = set()
    # Hints cost time, and a file can be wrong a hundred thousand times.
    for error in sorted(errors, key=lambda e: read.line(e["loc"]))[: 10 * SHOWN]:
        place = _as_written(error["loc"], read)
        at = read.within(place)
        if place in around:
            continue  # a list is also called too short when one of its items was refused
        shown = place if error["type"] == "missing" else at
        if shown not in told:  # one problem per value, not one per type it could have had
            yield Problem(read.line(at), dotted(shown), _message(error, shown))
        told.add(shown)


def _placed(error: Any) -> Any:
    """An error at the place it is about, when it was found by comparing parts that stand apart."""
    if error["type"] != "misfit":
        return error
    place = error["ctx"]["place"]
    return {**error, "loc": place, "msg": error["msg"].removeprefix(f"{'.'.join(place)}: ")}


def _as_written(place: Place, read: "Document") -> Place:
    """The place in the file: a list that stands for the first field of a rule has no name for that field."""
    for n in range(1, len(place)):
        around, item = place[: n - 1], place[n]
        if isinstance(item, int) and place[:n] not in read.lines and (*around, item) in read.lines:
            return (*around, *place[n:])
    return place


def _message(error: Any, place: Place) -> str:
    kind = error["type"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return f"unknown key; {did_you_mean(str(place[-1])[:80], _known_keys(place[:-1]))}"
    if kind in ("value_error", "misfit"):
        return str(error["msg"]).removeprefix("Value error, ")
    said = _plainly(error["msg"])
    if error["loc"][-1] == "[key]":
        return f"the key {said}"
    hint = "; write true or false" if kind == "bool_type" else ""
    return f"{said}; found {found(error['input'])}{hint}"


def _plainly(said: str) -> str:
    """Turn pydantic's words into those of a person who reads YAML.

    >>> _plainly("Input should be a valid array")
    'should be a list'
    """
    for theirs, ours in _WORDS.items():
        said = said.replace(theirs, ours)
    return said


def _known_keys(place: Place) -> Iterable[str]:
    kind: Any = UseCase
    for part in place:
        kind = kind.model_fields[part].annotation if _is_model(kind) else get_args(kind)[1]
        if get_origin(kind) in (Union, UnionType):
            kind = next(option for option in get_args(kind) if option is not type(None))
    return kind.model_fields if _is_model(kind) else ()


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
