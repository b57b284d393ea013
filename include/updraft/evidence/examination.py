"""Put a candidate through every gate, and keep what was found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from updraft.evidence import gates
from updraft.evidence.evidence import Evidence
from updraft.evidence.interval import Interval, interval
from updraft.evidence.metric import Metric
from updraft.evidence.metrics import METRICS
from updraft.evidence.verdict import Outcome, Verdict, finite, overall
from updraft.evidence.worth import expected_value
from updraft.spec.model import UseCase

_REASONS = 3
_REASON_LENGTH = 300
_GATES_NAMED = 20


@dataclass(frozen=True)
class Examination:
    """What every gate said about one candidate.

    :param outcome: The verdicts summed up; PASS only when every gate that applies passed.
    :param verdicts: One per gate that applies, in the order of their names.
    :param not_applicable: Gates with nothing to say here, such as `champion` when there is none.
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

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values; an undefined number is null."""
        return {
            "outcome": self.outcome,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "not_applicable": list(self.not_applicable),
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
        in_the_way = [f"{v.gate}: {v.reason}"[:_REASON_LENGTH] for v in self.verdicts if v.outcome != "PASS"]
        rounded = {name: finite(round(found.value, 5)) for name, found in self.metrics.items()}
        return {
            "outcome": self.outcome,
            "gates": {verdict.gate: verdict.outcome for verdict in self.verdicts[:_GATES_NAMED]},
            "not_applicable": list(self.not_applicable[:_GATES_NAMED]),
            "because": in_the_way[:_REASONS],
            "metrics": rounded,
            "champion": self.champion,
            "n": self.n,
            "positives": self.positives,
            "blocks": self.blocks,
            "first": self.first,
            "last": self.last,
        }


def examine(evidence: Evidence, case: UseCase, *, asked: Collection[str] | None = None) -> Examination:
    """Ask every gate, or those `asked`, about a candidate, and measure it and its rivals on the same rows."""
    found = {name: gate for name, gate in gates.discover().items() if asked is None or name in asked}
    said = {name: gate(evidence, case) for name, gate in found.items()}
    verdicts = tuple(verdict for verdict in said.values() if verdict is not None)
    partitions = sorted({str(key) for key in evidence.blocks})
    worth = expected_value(case.problem.value)
    measured = {**METRICS, worth.name: worth}
    return Examination(
        outcome=overall(verdicts),
        verdicts=verdicts,
        not_applicable=tuple(name for name, verdict in said.items() if verdict is None),
        metrics={name: _interval(metric, evidence, case) for name, metric in measured.items()},
        roles={
            role: {name: metric(evidence.y, p) for name, metric in measured.items()}
            for role, p in evidence.roles().items()
        },
        champion=evidence.champion_digest,
        n=len(evidence.y),
        positives=int((evidence.y == 1).sum()),
        blocks=len(partitions),
        first=partitions[0] if partitions else "",
        last=partitions[-1] if partitions else "",
    )


def _interval(metric: Metric, evidence: Evidence, case: UseCase) -> Interval:
    rows = (evidence.y, evidence.candidate, evidence.blocks)
    return interval(metric, *rows, confidence=case.gates.confidence, seed=case.model.seed)
