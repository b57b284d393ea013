"""What there is to tell about a use case's models: incidents, decisions, faults of the ledger."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from updraft.alert.alert import Finding, Series, facts
from updraft.alert.kinds import INCIDENTS
from updraft.lake import Lake
from updraft.ledger import Ledger, Record, State
from updraft.life.monitor import monitor_table
from updraft.monitor import table
from updraft.monitor.table import Measurement
from updraft.monitor.watch import HEADLINES, feed_fault
from updraft.spec.alerts import AlertKind, Severity
from updraft.spec.model import UseCase

FRESH = timedelta(days=7)  # what was decided longer ago is no news
SHOWN = 30
_DECIDED: dict[str, AlertKind] = {
    "refused": "training_refused",
    "rejected": "candidate_rejected",
    "promoted": "champion_promoted",
    "rolled_back": "rolled_back",
    "repaired": "registry_out_of_step",
}


def broken(case: UseCase, lake: Lake) -> Finding | None:
    """Say what is wrong with the ledger; while anything is, nothing else can be said of the models."""
    faults = Ledger(lake, case.name).faults()
    if not faults:
        return None
    more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
    return Finding(
        "ledger_broken", "ledger", f"{faults[0].what}{more} Nothing is scored or promoted until it is mended."
    )


def incidents(state: State, measured: Sequence[Measurement]) -> Iterator[Finding]:
    """One for each incident that is open, however many partitions it lasts."""
    for record in state.open_incidents:
        kind = str(record.facts.get("kind", ""))
        decision = _after(state, record, "decided")
        told = {
            "alarm": kind,
            "model": (record.model or "")[:12],
            "decided": decision and _in_short(decision, record),
        }
        severity: Severity = "critical" if kind == "performance" else "warning"
        seen = _series(measured, HEADLINES.get(kind, ()))  # type: ignore[call-overload]
        about, title = str(record.sequence), INCIDENTS.get(kind, "")
        yield Finding("incident", about, record.why, record.partition, facts(told), seen, severity, title)


def ended(state: State, about: str) -> str:
    """Say by what an incident ended."""
    after = [r for r in state.records if r.sequence > int(about)]
    for record in after:
        if record.kind in ("promoted", "rolled_back") or int(about) in record.facts.get("closes", ()):
            return f"{record.kind.replace('_', ' ')} in {record.partition}: {record.why}"
    return "The ledger holds it open no more."


def decided(state: State, now: datetime) -> Iterator[Finding]:
    """What was decided lately that people should hear of."""
    for record in state.records:
        kind = _DECIDED.get(record.kind)
        if kind is None or abs(now - datetime.fromisoformat(record.at)) > FRESH:
            continue
        # A training that is run twice is refused twice, for the same reason.
        about = f"{record.partition} {record.why}" if kind == "training_refused" else str(record.sequence)
        told = facts({"model": (record.model or "")[:12], "by": record.who, "record": record.sequence})
        yield Finding(kind, about, record.why, record.partition, told)


def feed(case: UseCase, measured: Sequence[Measurement]) -> Finding | None:
    """Say that the feed of the newest partitions is broken; it is whole again after `monitor.of` partitions."""
    keys = sorted({m.partition for m in measured})[-case.monitor.of :]
    for key in reversed(keys):
        if fault := feed_fault([m for m in measured if m.partition == key]):
            seen = _series([m for m in measured if m.partition <= key], ("broken_feed", "missing_psi"))
            why = f"{fault}. No model is trained on it."
            return Finding("data_incident", "feed", why, key, series=seen)
    return None


def measurements(case: UseCase, lake: Lake) -> list[Measurement]:
    """What was measured of the newest partitions."""
    keys = lake.partitions(monitor_table(case))[-SHOWN:]
    rows = lake.read(monitor_table(case), keys) if keys else None
    return [] if rows is None else sorted(table.from_arrow(rows), key=lambda m: m.partition)


def _series(measured: Sequence[Measurement], metrics: Sequence[str]) -> Series | None:
    """Values of the first of some metrics, of the subject that was alarming last."""
    for metric in metrics:
        own = [m for m in measured if m.metric == metric]
        if own:
            worst = max(own, key=lambda m: (m.status == "drifted", m.partition))
            line = [m for m in own if m.subject == worst.subject]
            values = tuple((m.partition, m.value if math.isfinite(m.value) else None) for m in line)
            limits = tuple(m.limit if math.isfinite(m.limit) else None for m in line)
            newest = next((limit for limit in reversed(limits) if limit is not None), None)
            return Series(metric, worst.subject, values, newest, limits)
    return None


def _in_short(decision: Record, incident: Record) -> str:
    """What was decided and what held more back, without the incident's own words."""
    action, why = str(decision.facts.get("action")), decision.why.rpartition("; but ")[2]
    return action if why == incident.why else f"{action}: {why}"


def _after(state: State, record: Record, kind: str) -> Record | None:
    later = [r for r in state.records if r.sequence > record.sequence and r.kind == kind]
    return later[-1] if later else None
