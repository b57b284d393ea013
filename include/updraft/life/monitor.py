"""Measure partitions: what moved, how well the champion did on matured labels, and whether it lasts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from updraft import dataset, operation, score
from updraft.errors import FeaturesInvalid, ModelRejected
from updraft.evidence.interval import Interval
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import arrival, labels, rollout, supply
from updraft.life.incidents import broken_feed, open_incident, over, resolve_incidents, unclosed
from updraft.life.likeness import reference_rows
from updraft.life.measured import history, measurements, monitor_table
from updraft.life.train import examined, profile_of
from updraft.model import store
from updraft.model.model import Model
from updraft.monitor import estimation_record, table, watch
from updraft.monitor.incident import Incident, lasting
from updraft.monitor.performance import WATCHED
from updraft.monitor.window import Window
from updraft.partition import Partition, calendar
from updraft.spec.model import UseCase

__all__ = [
    "Watched", "mature", "monitor_table", "on_holdout", "open_incident", "resolve_incidents", "settle",
    "watch_partitions",
]  # fmt: skip


@dataclass(frozen=True)
class Watched:
    """What was seen of one partition.

    :param alarms: Reason per kind of alarm in this partition.
    :param incident: The worst that lasts, if anything does.
    :param others: What lasts besides: a broken feed, labels that stopped arriving.
    :param over: Incidents on record that are over, each with the reason.
    :param due: Whether to wake the controller now.
    :param worse: Why a champion on probation did worse than the one before, if it did.
    """

    partition: str
    champion: str
    alarms: dict[str, str]
    incident: Incident | None
    due: bool
    worse: str | None = None
    others: tuple[Incident, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def data_incident(self) -> str | None:
        """What is wrong with the data, if anything is."""
        return next((other.reason for other in self.others if other.kind == "broken_feed"), None)

    def summary(self) -> dict[str, Any]:
        """What fits into an XCom."""
        found = [self.incident, *self.others] if self.incident else [None, *self.others]
        told = [None if one is None else {**asdict(one), "reason": one.reason[:400]} for one in found]
        return {
            "partition": self.partition,
            "champion": self.champion,
            "alarms": {kind: reason[:100] for kind, reason in self.alarms.items()},
            "incident": told[0],
            "others": told[1:],
            "over": list(self.over)[:3],
            "due": self.due,
            "worse": self.worse and self.worse[:200],
        }


def mature(case: UseCase, at: Partition, lake: Lake) -> dict[str, Any]:
    """Write the labels of scored partitions that have matured by now; say which cannot be."""
    keys = labels.scored_and_mature(case, at, lake)
    waiting = dataset.mature_labels(case, keys, lake)
    named = dict(list(waiting.items())[-10:])
    return {"mature": len(keys) - len(waiting), "newest": keys[-1] if keys else None, "waiting": named}


def watch_partitions(case: UseCase, keys: Sequence[str], lake: Lake) -> Watched:
    """Measure partitions, oldest first, write each whole, and say what lasts at the newest.

    Where a baseline stands in for a champion there has never been, there is nothing to measure, but something to do.

    :raises NoChampion: If there is no model to measure.
    :raises FeaturesInvalid: If a partition has not been scored.
    """
    champion = score.pinned(case, lake)
    if not champion:
        return Watched(keys[-1], "", {}, None, due=True)
    for key in keys:
        measured = _measure(case, calendar(case).at(key), lake, champion)
        lake.replace(monitor_table(case), table.to_arrow(measured), [key])
    now, lake = calendar(case).at(keys[-1]), lake.still()
    alarmed = history(case, now, lake)[-1]
    found = _lasting(case, now, lake, champion)
    first = next((one for one in found if one.kind not in ("label_outage", "broken_feed")), None)
    worse = rollout.worse(case, now, lake)
    ended = tuple(str(record.facts["identity"]) for record, _ in over(case, now, lake))
    return Watched(
        partition=now.key,
        champion=champion,
        alarms={} if alarmed is None else {str(kind): why for kind, why in alarmed.reasons.items()},
        incident=first,
        due=bool(worse or ended or _due(case, now, found)),
        worse=worse,
        others=tuple(one for one in found if one is not first),
        over=ended,
    )


def settle(case: UseCase, at: Partition, lake: Lake, *, who: str) -> dict[str, list[str]]:
    """Record what opened and what is over by what was measured; what stands on record already is left alone.

    :return: Identities of the incidents that were `opened` and `resolved` now.
    """
    champion = Ledger(lake, case.name).state().champion or ""
    found = _lasting(case, at, lake, champion)
    opened = [one.identity for one in found if open_incident(case, one, at.key, lake, who=who)]
    return {"opened": opened, "resolved": resolve_incidents(case, at, lake, who=who)}


def _lasting(case: UseCase, now: Partition, lake: Lake, champion: str) -> list[Incident]:
    """What lasts about the champion, and a fault of the data, which is new unless it is on record."""
    found = lasting(history(case, now, lake), case, champion=champion)
    if why := broken_feed(case, now, lake):
        fault = Incident("broken_feed", champion, now.key, True, why)
        known = {record.facts["identity"] for record in unclosed(case, lake)}
        found.append(replace(fault, is_new=fault.identity not in known))
    return found


def _due(case: UseCase, now: Partition, found: Sequence[Incident]) -> bool:
    """Whether the controller should hear of incidents: when one opens, and every `monitor.of` partitions after.

    Waking it at every partition would fill the ledger with the same reason not to act; waking it once would let a lost
    event, or a cooldown that has passed, go unnoticed.
    """
    # Counted from the first partition: where a long incident opened is only known as far back as one looks.
    dates = calendar(case)
    regular = len(dates.keys(dates.first_key, now.key)) % case.monitor.of == 0
    return any(one.is_new or regular for one in found)


def on_holdout(case: UseCase, lake: Lake, digest: str) -> Interval:
    """AUC, or what is watched in its place, that a model reached on its holdout when it was gated."""
    return Interval.from_json(examined(case, lake, digest)["metrics"][WATCHED[case.problem.kind][0]])


def _measure(case: UseCase, at: Partition, lake: Lake, champion: str) -> list[table.Measurement]:
    scored = [key for key in lake.partitions(score.table(case)) if key <= at.key][-case.monitor.window :]
    if at.key not in scored:
        raise FeaturesInvalid(
            f"Partition {at} of {case.name} has not been scored.", next_step="run the score stage of it first."
        )
    matured = labels.scored_and_mature(case, at, lake)[-case.monitor.window :]
    model = _model(case, lake, champion)
    waiting = labels.prepare(case, at, lake, model, matured)
    lake = lake.still()  # from here on it is only read, each table many times
    scores, truth = labels.scores(case, lake, scored), labels.with_labels(case, lake, matured)
    seen = Window(
        case=case,
        partition=at.key,
        champion=champion,
        profile=profile_of(case, lake, champion),
        features=dataset.frame(case, lake, scored),
        scores=scores[scores["model"] == champion],
        matured=truth[truth["model"] == champion],
        waiting=waiting,
        holdout=on_holdout(case, lake, champion),
        model=model,
        examined=examined(case, lake, champion),
        spent=operation.first_runs(operation.read(case, lake, [at.key]), operation.BEFORE_MONITORING),
        reference_rows=None if model is None else reference_rows(case, lake, model, len(scored)),
        earlier=_earlier(case, at, lake),
        supply=supply.supplied(case, scored, lake),
        known=labels.known(case, at, lake, champion, model, truth),
        labels=labels.share(truth, case.label.column),
        arrivals=arrival.arrivals(case, at, lake, champion, lake.partitions(score.table(case))),
    )
    return watch.measure(seen)


def _model(case: UseCase, lake: Lake, champion: str) -> Model | None:
    """The champion itself; what was scored can be watched without it."""
    try:
        return store.load(lake, case.name, champion)
    except ModelRejected:
        return None


def _earlier(case: UseCase, at: Partition, lake: Lake) -> list[table.Measurement]:
    """Measurements of the partitions before: enough to see when a long incident opened, and the estimates of late."""
    keys = [key for key in lake.partitions(monitor_table(case)) if key < at.key]
    last = calendar(case).last_mature(at.as_of)
    waits = sum(last is None or key >= last.key for key in keys)
    return measurements(case, keys, lake, least=waits + estimation_record.KEPT)
