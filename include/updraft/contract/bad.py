"""Bad rows: which rule a row broke, and everything that is wrong with it."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updraft.contract.engine import Finding
from updraft.contract.report import Section, within
from updraft.sources.decode import Decoded

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


def bad_rows(decoded: Decoded, own: Section) -> tuple[Bad, ...]:
    """Bad rows of a delivery, by number: those that could not be read, and those that broke a rule."""
    broken: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for found in own.findings:
        places = within(found, own)
        for place, reason in zip(places.tolist(), _reasons(found, own, places), strict=True):
            broken[place - own.begin].append((found.rule, reason))
    numbers: list[int] = decoded.rows["row"].to_numpy()[list(broken)].tolist() if broken else []
    rules = [_row(number, said) for number, said in zip(numbers, broken.values(), strict=True)]
    unreadable = [Bad(number, "type", reason) for number, reason in decoded.bad.items()]
    return tuple(sorted([*rules, *unreadable], key=lambda bad: bad.row))


def counted(decoded: Decoded, own: Section) -> dict[str, int]:
    """Bad rows per rule and column, of the ten rules broken most often."""
    found = {f"{f.rule}({', '.join(f.named)})": len(within(f, own)) for f in own.findings}
    found["type"] = len(decoded.bad)
    often = sorted(((count, rule) for rule, count in found.items() if count), key=lambda pair: (-pair[0], pair[1]))
    return {rule: count for count, rule in often[:_SHOWN]}


def _row(number: int, said: list[tuple[str, str]]) -> Bad:
    return Bad(number, min(rule for rule, _ in said), "; ".join(reason for _, reason in sorted(said)))


def _reasons(found: Finding, own: Section, places: NDArray[np.int64]) -> list[str]:
    """What each row did wrong, with its value."""
    if not len(places):
        return []
    if found.rule == "unique":
        return [f"{', '.join(found.named)}: an earlier row has the same key"] * len(places)
    column = found.columns[0]
    values = own.frame[column].iloc[places].tolist()
    return [f"{column}: {_said(found, value)}" for value in values]


def _said(found: Finding, value: Any) -> str:
    rule = found.config.kwargs
    match found.rule:
        case "range":
            return f"{value} is not between {rule.get('min_value')} and {rule.get('max_value')}"
        case "among":
            return f"{str(value)[:40]!r} is not among {', '.join(map(str, rule['value_set'][:_SHOWN]))}"
        case "pattern":
            return f"{str(value)[:40]!r} does not match the pattern"
    return "is missing"
