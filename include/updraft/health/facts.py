"""What a monitoring report says, as plain values that a template can show."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from updraft.health.span import Span
from updraft.monitor.table import Measurement
from updraft.monitor.watch import HEADLINES
from updraft.records import Record, add_up, reasons
from updraft.spec.model import UseCase

_ORDER = ("drifted", "unknown", "ok", "info")


def facts(case: UseCase, span: Span, measured: Sequence[Measurement], records: Sequence[Record]) -> dict[str, Any]:
    """Put together what a report says.

    :param measured: Measurements of the span's partitions.
    :param records: The ledger of the use case.
    """
    newest = [one for one in measured if one.partition == span.keys[-1]]
    within = [one for one in records if one.partition and span.keys[0] <= one.partition <= span.keys[-1]]
    state, why = add_up(_by_then(span.keys[-1], records), ""), reasons(within)
    told = [{**_told(one), "why": why[one.sequence]} for one in within]
    return {
        "use_case": case.name,
        "goal": case.problem.goal,
        "owner": f"{case.owner.name}, {case.owner.email}",
        "title": span.title,
        "first": span.keys[0],
        "last": span.keys[-1],
        "partitions": len(span.keys),
        # History can be scored by a champion that was promoted as of a later partition.
        "champion": next((one.subject for one in newest if one.metric == "scored"), state.champion),
        "lasting": [_told(one) for one in state.open_incidents],
        "headlines": [_row(one) for one in _headlines(newest)],
        "alarming": _alarming(measured),
        "groups": list(_groups(newest)),
        "decisions": [one for one in told if one["kind"] in ("incident", "decided")],
        "models": [one for one in told if one["kind"] not in ("incident", "decided")],
    }


def _by_then(last: str, records: Sequence[Record]) -> list[Record]:
    """What was decided about partitions up to `last`, and by people before anything about a later one was.

    A page about last month must not tell of this month's incidents, nor of what ended last month's.
    """
    later = next((one.sequence for one in records if one.partition and one.partition > last), math.inf)
    return [one for one in records if (one.partition <= last if one.partition else one.sequence < later)]


def _headlines(newest: Sequence[Measurement]) -> list[Measurement]:
    # Of a metric with many subjects, such as one per slice, the worst is told.
    known = {one.metric: one for one in sorted(newest, key=lambda one: -_ORDER.index(one.status))}
    wanted = dict.fromkeys(metric for metrics in HEADLINES.values() for metric in metrics)
    return [known[metric] for metric in wanted if metric in known]


def _alarming(measured: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Headlines that were drifted: in how many partitions, since when, and the newest one's numbers."""
    wanted = {metric for metrics in HEADLINES.values() for metric in metrics}
    by: dict[str, list[Measurement]] = {}
    for one in sorted(measured, key=lambda each: each.partition):
        if one.metric in wanted and one.status == "drifted":
            by.setdefault(one.metric, []).append(one)
    return [{**_row(each[-1]), "times": len(each), "since": each[0].partition} for _, each in sorted(by.items())]


def _groups(newest: Iterable[Measurement]) -> Iterable[dict[str, Any]]:
    """Everything about the newest partition by metric; what moved comes first."""
    by: dict[str, list[Measurement]] = {}
    for one in newest:
        by.setdefault(one.metric, []).append(one)
    worst = {metric: min(_ORDER.index(one.status) for one in each) for metric, each in by.items()}
    for metric in sorted(by, key=lambda name: (worst[name], name)):
        rows = sorted(by[metric], key=lambda one: (_ORDER.index(one.status), -_size(one), one.subject))
        yield {"metric": metric, "status": _ORDER[worst[metric]], "rows": [_row(one) for one in rows]}


def _size(one: Measurement) -> float:
    return 0.0 if math.isnan(one.value) else abs(one.value)


def _row(one: Measurement) -> dict[str, Any]:
    numbers = {name: getattr(one, name) for name in ("value", "low", "high", "limit")}
    known = {name: None if math.isnan(value) else value for name, value in numbers.items()}
    about = {name: getattr(one, name) for name in ("partition", "metric", "subject", "n", "status", "reason")}
    return {**about, **known}


def _told(record: Record) -> dict[str, Any]:
    about = {"kind": record.kind, "partition": record.partition, "model": record.model, "why": record.why}
    return {**about, "sequence": record.sequence, "action": record.facts.get("action")}
