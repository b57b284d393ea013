"""A YAML file as plain values, and the line each of them stands on.

YAML is read the way JSON would be: `null`, `true`, `false` and decimal numbers are themselves, every other plain word
is text. So `no`, `010`, `12:30` and `2013-01-01` stay what was written. Anchors, aliases, tags and repeated keys are
refused, and no file can make the reader do more work than its size.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from updraft.spec.problems import Place, Problem, dotted, found, refusal

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
_LITERALS = {"null": None, "~": None, "": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,40})(?=[.eE])(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times as fast


@dataclass(frozen=True)
class Document:
    """The content of one file.

    :param values: The top-level mapping.
    :param lines: Line of every key and list item, by its place.
    :param problems: What YAML allows and a spec does not; the values leave it out.
    """

    values: dict[str, Any]
    lines: dict[Place, int] = field(repr=False)
    problems: tuple[Problem, ...]

    def line(self, place: Place) -> int:
        """Line of a place, or of the nearest one around it."""
        return self.lines[self.within(place)]

    def within(self, place: Place) -> Place:
        """The longest part of `place` that stands in the file."""
        while place not in self.lines:
            place = place[:-1]
        return place


def read(path: Path) -> Document:
    """Read a file.

    :raises SpecInvalid: If it is missing, too large or not one YAML mapping.
    """
    text = _text(path)
    reader = _Reader(_events(text))
    try:
        values = reader.document()
    except yaml.MarkedYAMLError as broken:
        line = broken.problem_mark.line + 1 if broken.problem_mark else 1
        raise refusal(path, [Problem(line, "", f"this is not YAML: {broken.problem or broken.context}")]) from broken
    except yaml.reader.ReaderError as broken:
        raise refusal(path, [Problem(1, "", f"a character that YAML forbids, {broken.reason}")]) from broken
    except _TooDeepError as broken:
        raise refusal(path, [Problem(1, "", f"nested deeper than {MAX_DEPTH} levels")]) from broken
    if not isinstance(values, dict):
        shape = Problem(1, "", f"should be one mapping of keys to values; found {found(values)}")
        raise refusal(path, reader.problems or [shape])
    return Document(values, reader.lines, tuple(reader.problems))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as missing:
        raise refusal(path, [Problem(1, "", "there is no such file")]) from missing
    except OSError as fault:
        raise refusal(path, [Problem(1, "", f"cannot be read: {fault.strerror}")]) from fault
    if len(content) > MAX_BYTES:
        raise refusal(path, [Problem(1, "", f"is larger than {MAX_BYTES // 1024} KB")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = content.count(b"\n", 0, broken.start) + 1
        raise refusal(path, [Problem(line, "", "is not UTF-8 text")]) from broken


def _events(text: str) -> Iterator[Any]:
    # Events carry anchors, tags and repeated keys, which a loader has already acted on when it hands out values.
    return iter(yaml.parse(text, Loader=_Loader))


class _TooDeepError(Exception):
    """The file is nested deeper than any spec."""


class _Reader:
    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self.lines: dict[Place, int] = {(): 1}
        self.problems: list[Problem] = []

    def document(self) -> object:
        next(self._events)  # the stream's start
        if not isinstance(next(self._events), yaml.DocumentStartEvent):
            return None
        values = self._value(next(self._events), ())
        next(self._events)  # the document's end
        if isinstance(second := next(self._events), yaml.DocumentStartEvent):
            self._problem(second, (), "a second document starts here; a spec is one")
        return values

    def _value(self, event: Any, place: Place) -> object:
        if isinstance(event, yaml.AliasEvent):
            self._problem(event, place, f"the alias *{event.anchor} is refused; write the value out")
            return None
        if event.anchor is not None:
            self._problem(event, place, f"the anchor &{event.anchor} is refused; write the value out where it is used")
        if event.tag is not None:
            self._problem(event, place, f"the tag {event.tag} is refused; write a plain value")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if len(place) >= MAX_DEPTH:
            raise _TooDeepError
        return self._mapping(place) if isinstance(event, yaml.MappingStartEvent) else self._sequence(place)

    def _mapping(self, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, place)
            value = self._value(next(self._events), (*place, key or "?"))
            if key is not None:
                values.setdefault(key, value)
        return values

    def _key(self, event: Any, place: Place) -> str | None:
        """A key that counts, or `None` when it was refused."""
        before = len(self.problems)
        key = self._value(event, (*place, "?"))  # one deeper, so that keys within keys end too
        if len(self.problems) > before:
            return None
        if not isinstance(event, yaml.ScalarEvent):
            self._problem(event, place, f"a key should be plain text; found {found(key)}")
            return None
        here = (*place, str(event.value))
        if here in self.lines:
            self._problem(event, here, f"the key is here twice, first on line {self.lines[here]}; keep one")
            return None
        self.lines[here] = _line(event)
        return str(event.value)

    def _sequence(self, place: Place) -> list[object]:
        values: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*place, len(values))
            self.lines[here] = _line(event)
            values.append(self._value(event, here))
        return values

    def _scalar(self, event: Any, place: Place) -> object:
        if _UNPRINTABLE.search(event.value):
            self._problem(event, place, "holds a character that cannot be stored; leave it out")
            return ""
        return plain(event.value) if event.implicit[0] else event.value

    def _problem(self, event: Any, place: Place, message: str) -> None:
        self.problems.append(Problem(_line(event), dotted(place), message))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def plain(word: str) -> str | int | float | bool | None:
    """Read a word written without quotes.

    >>> [plain(word) for word in ("12", "0.5", "true", "no", "010", "12:30", "2013-01-01", "1e999")]
    [12, 0.5, True, 'no', '010', '12:30', '2013-01-01', '1e999']
    """
    if word in _LITERALS:
        return _LITERALS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    if _DECIMAL.fullmatch(word) and math.isfinite(number := float(word)):
        return number
    return word
