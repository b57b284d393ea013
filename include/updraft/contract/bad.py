"""Bad rows: which rule a row broke, and everything that is wrong with it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.contract.engine import Finding
from updraft.contract.outcome import most_often
from updraft.contract.tally import SHOWN, Tally
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame


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


def bad_rows(source: Source, decoded: Decoded, tallies: Sequence[Tally]) -> tuple[Bad, ...]:
    """Bad rows of a delivery, by number: those that could not be read, and those that broke a rule.

    Not more of them than `caps.bad_rows`.
    """
    broken: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for tally in tallies:
        for number, reason in () if tally.only_warns else tally.reasons:
            broken[number].append((tally.finding.rule, reason))
    rules = [_row(number, said) for number, said in broken.items()]
    unreadable = [Bad(number, "type", reason) for number, reason in decoded.bad.items()]
    return tuple(sorted([*rules, *unreadable], key=lambda bad: bad.row)[: source.caps.bad_rows])


def counted(decoded: Decoded, tallies: Sequence[Tally]) -> dict[str, int]:
    """Bad rows per rule and column, of the ten rules broken most often."""
    found = {tally.finding.label: tally.broken for tally in tallies if not tally.only_warns}
    return most_often({**found, "type": len(decoded.bad)})


def _row(number: int, said: list[tuple[str, str]]) -> Bad:
    return Bad(number, min(rule for rule, _ in said), "; ".join(reason for _, reason in sorted(said)))


def reasons(source: Source, found: Finding, frame: "DataFrame", places: NDArray[np.int64]) -> list[str]:
    """What each row at some places of a frame did wrong, with its value."""
    if not len(places):
        return []
    name = ", ".join(found.named)
    values = frame[list(found.shown)].iloc[places].to_numpy(dtype=object).tolist()
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
            return f"{str(value)[:40]!r} is not among {', '.join(map(str, rule['value_set'][:SHOWN]))}"
        case "pattern":
            return f"{str(value)[:40]!r} does not match the pattern"
        case "references":
            return f"{str(value)[:40]!r} is not in {source.contract.references[found.named[0]].to}"
        case "missing":
            return "is missing, in too many rows"
    return "is missing"


def _with(columns: Sequence[str], values: Sequence[Any]) -> str:
    told = [f"{name} {str(value)[:40]}" for name, value in zip(columns[:SHOWN], values, strict=False)]
    return f" with {', '.join(told)}" if told else ""
