"""An alert as a value: what happened, the numbers, the runbook, the command. Short, and safe to show anywhere.

Its words may come from data: names and values of columns, messages of other systems. They are kept short and on one
line each here; what a reader's program would take for markup is made harmless where the alert is rendered.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from updraft.alert.kinds import MEANINGS, page
from updraft.records import canonical, digest
from updraft.spec.alerts import AlertKind, Severity
from updraft.spec.durations import spoken
from updraft.spec.model import UseCase

Event = Literal["opened", "resolved"]
WORDS, FACT, FACTS, POINTS = 2000, 300, 12, 60


@dataclass(frozen=True)
class Series:
    """A measurement over the last partitions.

    :param values: By partition, oldest first; `None` where it is unknown.
    :param limit: Where it begins to be alarming at the last of them, if anybody judges it.
    :param limits: The same at each of them, for it follows from the rows of each; empty when one holds for all.
    """

    metric: str
    subject: str
    values: tuple[tuple[str, float | None], ...]
    limit: float | None = None
    limits: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What was found, before anybody is told.

    :param about: What makes two findings of a kind the same one.
    :param what: What happened, in a sentence or two.
    :param severity: Other than the kind's own.
    :param title: Other than the kind's own.
    """

    kind: AlertKind
    about: str
    what: str
    partition: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    series: Series | None = None
    severity: Severity | None = None
    title: str = ""

    @property
    def identity(self) -> str:
        """Name of what was found, safe in a key of the lake."""
        return f"{self.kind}.{digest(self.about.encode())[:12]}"


@dataclass(frozen=True)
class Alert:
    """What people are told.

    :param id: The same however often it is sent, so that a receiver can drop what it knows.
    :param event: `resolved` goes only to those who were to be told that it `opened`.
    :param at: When it was found (UTC, ISO 8601).
    :param runbook: Where to read what to do.
    """

    id: str
    event: Event
    kind: AlertKind
    severity: Severity
    use_case: str
    owner: str
    email: str
    partition: str | None
    title: str
    what: str
    facts: tuple[tuple[str, str], ...]
    series: Series | None
    runbook: str
    command: str
    about: str
    at: str

    @property
    def message_id(self) -> str:
        """Names this alert's opening or its end, once among all use cases."""
        return f"{self.use_case}/{self.id}/{self.event}"

    def over(self, why: str, at: datetime) -> "Alert":
        """What is told when it is resolved."""
        lasted = max(at - datetime.fromisoformat(self.at), timedelta(0))
        what = line(f"Over after {spoken(lasted)}: {why}", WORDS)
        return replace(self, event="resolved", what=what, at=at.isoformat(timespec="seconds"))


def alert(case: UseCase, found: Finding, number: int, at: datetime, runbooks: str) -> Alert:
    """Make an alert of what was found.

    :param number: Which time this is that it was found, after it was resolved.
    :param runbooks: Folder or address of the runbooks.
    """
    meaning = MEANINGS[found.kind]
    typed = {"use_case": case.name, "partition": found.partition or case.partitions.first}
    return Alert(
        id=f"{found.identity}.{number}",
        event="opened",
        kind=found.kind,
        severity=found.severity or meaning.severity,
        use_case=case.name,
        owner=line(case.owner.name, FACT),
        email=case.owner.email,
        partition=found.partition,
        title=line(found.title or meaning.title, 60),
        what=line(found.what, WORDS),
        facts=tuple((line(name, 60), line(said, FACT)) for name, said in found.facts[:FACTS]),
        series=found.series and _short(found.series),
        runbook=f"{runbooks.rstrip('/')}/{page(found.kind)}",
        command=meaning.command.format(**typed),
        about=line(found.about, FACT),
        at=at.isoformat(timespec="seconds"),
    )


def line(text: str, most: int) -> str:
    """One line of printable text; signs that steer a terminal, a header or the direction of writing become blanks.

    >>> line("late\\r\\nBcc: all@example.com", 80)
    'late Bcc: all@example.com'
    """
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text[: 4 * most])
    told = " ".join(plain.split())
    return told if len(told) <= most else f"{told[: most - 1]}…"


def to_bytes(told: Alert) -> bytes:
    """An alert as it is kept."""
    return canonical(asdict(told))


def from_bytes(content: bytes) -> Alert:
    """An alert as it was kept."""
    said: dict[str, Any] = json.loads(content)
    series = said["series"]
    limits = tuple(series.get("limits", ())) if series else ()
    values = tuple((key, value) for key, value in series["values"]) if series else ()
    kept = series and Series(**{**series, "values": values, "limits": limits})
    return Alert(**{**said, "facts": _pairs(said["facts"]), "series": kept})


def facts(said: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Numbers and names to show, without those that are not there."""
    return tuple((name, str(value)) for name, value in said.items() if value not in (None, ""))


def _pairs(said: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in said)


def _short(series: Series) -> Series:
    values, limits = series.values[-POINTS:], series.limits[-POINTS:]
    return Series(line(series.metric, 60), line(series.subject, 60), values, series.limit, limits)
