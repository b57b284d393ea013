"""Bad rows: which rule a row broke, and everything that is wrong with it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.contract.engine import Finding
from updraft.contract.outcome import most_often
from updraft.contract.report import Section, within
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

_SHOWN = 10


@dataclass(frozen=True)
class Bad:
    """A row that broke the contract.

    :param row: Its number in the delivery, from 1.
    :param rule: The first rule it broke, by name; `type` when it could not be read as declared.
    :param reason: Everything that is wrong with it.
    """

    row: int
    rule: str
    reason: str


def bad_rows(source: Source, decoded: Decoded, own: Section) -> tuple[Bad, ...]:
    """Bad rows of a delivery, by number: those that could not be read, and those that broke a rule."""
    broken: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for found in own.findings:
        if found.severity == "warn":
            continue
        places = within(found, own)
        for place, reason in zip(places.tolist(), _reasons(source, found, own, places), strict=True):
            broken[place - own.begin].append((found.rule, reason))
    numbers: list[int] = decoded.rows["row"].to_numpy()[list(broken)].tolist() if broken else []
    rules = [_row(number, said) for number, said in zip(numbers, broken.values(), strict=True)]
    unreadable = [Bad(number, "type", reason) for number, reason in decoded.bad.items()]
    return tuple(sorted([*rules, *unreadable], key=lambda bad: bad.row))


def counted(decoded: Decoded, own: Section) -> dict[str, int]:
    """Bad rows per rule and column, of the ten rules broken most often."""
    found = {f.label: len(within(f, own)) for f in own.findings if f.severity != "warn"}
    return most_often({**found, "type": len(decoded.bad)})


def _row(number: int, said: list[tuple[str, str]]) -> Bad:
    return Bad(number, min(rule for rule, _ in said), "; ".join(reason for _, reason in sorted(said)))


def _reasons(source: Source, found: Finding, own: Section, places: NDArray[np.int64]) -> list[str]:
    """What each row did wrong, with its value."""
    if not len(places):
        return []
    name = ", ".join(found.named)
    values = own.frame[list(found.shown)].iloc[places].to_numpy(dtype=object).tolist()
    if found.rule == "unique":
        return [f"{name}: an earlier row has the same key"] * len(places)
    if found.rule == "condition":
        said = source.contract.conditions[name].sql
        return [f"{name}: {said} is not so{_with(found.shown, row)}" for row in values]
    return [f"{name}: {_said(source, found, row[0])}" for row in values]


def _said(source: Source, found: Finding, value: Any) -> str:
    rule = found.config.kwargs
    match found.rule:
        case "range":
            return f"{value} is not between {rule.get('min_value')} and {rule.get('max_value')}"
        case "among":
            return f"{str(value)[:40]!r} is not among {', '.join(map(str, rule['value_set'][:_SHOWN]))}"
        case "pattern":
            return f"{str(value)[:40]!r} does not match the pattern"
        case "references":
            return f"{str(value)[:40]!r} is not in {source.contract.references[found.named[0]].to}"
        case "missing":
            return "is missing, in too many rows"
    return "is missing"


def _with(columns: Sequence[str], values: Sequence[Any]) -> str:
    told = [f"{name} {str(value)[:40]}" for name, value in zip(columns[:_SHOWN], values, strict=False)]
    return f" with {', '.join(told)}" if told else ""
