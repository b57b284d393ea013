"""Put a candidate through every gate, and keep what was found.

A gate that breaks has not examined anything, and what was not examined has not passed: its verdict is INSUFFICIENT.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from updraft.errors import Transient
from updraft.evidence import gates
from updraft.evidence.evidence import Evidence
from updraft.evidence.gates import Gate
from updraft.evidence.interval import Interval, interval
from updraft.evidence.metric import Metric
from updraft.evidence.metrics import of_kind
from updraft.evidence.verdict import Outcome, Verdict, finite, overall
from updraft.evidence.worth import worth
from updraft.model.labels import came_true
from updraft.spec.checks import Mode
from updraft.spec.model import UseCase

_REASONS = 3
_REASON_LENGTH = 250
_WARNING_LENGTH = 150
_GATES_NAMED = 20

_log = logging.getLogger(__name__)


class _Broken(Exception):  # noqa: N818 - says what happened to a gate
    """A gate raised instead of answering."""


@dataclass(frozen=True)
class Examination:
    """What every gate said about one candidate.

    :param outcome: The verdicts summed up; PASS only when every gate passed that applies and does not only warn.
    :param verdicts: One per gate that applies, in the order of their names.
    :param not_applicable: Gates with nothing to say here, such as `champion` when there is none.
    :param off: Gates that the spec switched off; they were not asked.
    :param dry_run: Whether the spec said that nothing may be promoted.
    :param metrics: The candidate's metrics with bounds; `value` is the expected value per row of acting on it.
    :param roles: Metrics of every model on the same rows, by role and name.
    :param champion: Digest of the champion it was compared with.
    :param n: Held-out rows.
    :param positives: Rows among them that came true.
    :param blocks: Partitions among them.
    :param first: Key of the first of them.
    :param last: Key of the last.
    """

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    not_applicable: tuple[str, ...]
    metrics: Mapping[str, Interval]
    roles: Mapping[str, Mapping[str, float]]
    champion: str | None
    n: int
    positives: int
    blocks: int
    first: str
    last: str
    off: tuple[str, ...] = ()
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; an undefined number is null."""
        return {
            "outcome": self.outcome,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "not_applicable": list(self.not_applicable),
            "off": list(self.off),
            "dry_run": self.dry_run,
            "metrics": {name: found.to_json() for name, found in self.metrics.items()},
            "roles": {role: {name: finite(v) for name, v in found.items()} for role, found in self.roles.items()},
            "champion": self.champion,
            "n": self.n,
            "positives": self.positives,
            "blocks": self.blocks,
            "first": self.first,
            "last": self.last,
        }

    def summary(self) -> dict[str, Any]:
        """Return what fits into an XCom whatever the number of gates: under 3 KB as JSON."""
        decided, warned = self.in_the_way("enforce"), self.in_the_way("warn")
        rounded = {name: finite(round(found.value, 5)) for name, found in self.metrics.items()}
        return {
            "outcome": self.outcome,
            "gates": {verdict.gate: verdict.outcome for verdict in self.verdicts[:_GATES_NAMED]},
            "not_applicable": list(self.not_applicable[:_GATES_NAMED]),
            "off": list(self.off[:_GATES_NAMED]),
            "dry_run": self.dry_run,
            "because": [reason[:_REASON_LENGTH] for reason in decided[:_REASONS]],
            "warned": [reason[:_WARNING_LENGTH] for reason in warned[:_REASONS]],
            "metrics": rounded,
            "champion": self.champion,
            "n": self.n,
            "positives": self.positives,
            "blocks": self.blocks,
            "first": self.first,
            "last": self.last,
        }

    def in_the_way(self, mode: Mode = "enforce") -> list[str]:
        """Say what did not pass among the verdicts of a mode: those that decide, or those that only warn."""
        return [f"{v.gate}: {v.reason}" for v in self.verdicts if v.outcome != "PASS" and v.mode == mode]

    @property
    def measured(self) -> dict[str, dict[str, float | None]]:
        """What gates measured that depends on the machine and the moment, by gate."""
        return {v.gate: {name: finite(n) for name, n in v.measured.items()} for v in self.verdicts if v.measured}


def examine(evidence: Evidence, case: UseCase, *, asked: Collection[str] | None = None) -> Examination:
    """Ask every gate that is not off about a candidate, and measure it and its rivals on the same rows.

    :param asked: Only these gates, whose verdicts decide whatever the spec says of their modes.
    """
    there = gates.discover()
    modes: dict[str, Mode] = {name: case.gates.mode(name) for name in there}
    if asked is not None:
        modes = {name: "enforce" if name in asked else "off" for name in there}
    on = {name: gate for name, gate in there.items() if modes[name] != "off"}
    answers = {name: _answer(name, gate, evidence, case) for name, gate in on.items()}
    said = {name: None if v is None else replace(v, mode=modes[name]) for name, v in answers.items()}
    verdicts = tuple(verdict for verdict in said.values() if verdict is not None)
    partitions = sorted({str(key) for key in evidence.blocks})
    value = worth(case)
    measured = {**of_kind(evidence.kind), value.name: value}
    return Examination(
        outcome=overall(verdicts),
        verdicts=verdicts,
        not_applicable=tuple(name for name, verdict in said.items() if verdict is None),
        off=tuple(name for name, mode in modes.items() if mode == "off"),
        dry_run=case.gates.dry_run,
        metrics={name: _interval(metric, evidence, case) for name, metric in measured.items()},
        roles={
            role: {name: metric(evidence.y, p) for name, metric in measured.items()}
            for role, p in evidence.roles().items()
        },
        champion=evidence.champion_digest,
        n=len(evidence.y),
        positives=int(came_true(case, evidence.y).sum()),
        blocks=len(partitions),
        first=partitions[0] if partitions else "",
        last=partitions[-1] if partitions else "",
    )


def _answer(name: str, gate: Gate, evidence: Evidence, case: UseCase) -> Verdict | None:
    try:
        return _ask(gate, evidence, case)
    except _Broken as broken:
        _log.exception("gate %s broke", name)
        return Verdict(name, "INSUFFICIENT", f"not examined, the gate broke: {str(broken)[:_REASON_LENGTH]}")


def _ask(gate: Gate, evidence: Evidence, case: UseCase) -> Verdict | None:
    try:
        return gate(evidence, case)
    except (Transient, MemoryError):
        raise  # another attempt may well examine it
    except Exception as fault:
        raise _Broken(f"{type(fault).__name__}: {fault}") from fault


def _interval(metric: Metric, evidence: Evidence, case: UseCase) -> Interval:
    rows = (evidence.y, evidence.candidate, evidence.blocks)
    return interval(metric, *rows, confidence=case.gates.confidence, seed=case.model.seed)
