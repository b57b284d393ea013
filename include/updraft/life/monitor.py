"""Measure partitions: what moved, how well the champion did on matured labels, and whether it lasts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from updraft import dataset, score
from updraft.errors import FeaturesInvalid, ModelRejected
from updraft.lake import Lake
from updraft.ledger import Ledger, State
from updraft.life import arrival, labels, rollout
from updraft.life.train import examined, profile_key
from updraft.model import store
from updraft.model.model import Model
from updraft.monitor import estimation_record, reference, table, watch
from updraft.monitor.incident import Incident, incident
from updraft.monitor.performance import WATCHED
from updraft.monitor.window import Window
from updraft.partition import Partition, calendar
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Watched:
    """What was seen of one partition.

    :param alarms: Reason per kind of alarm in this partition.
    :param incident: What lasts, if anything does.
    :param due: Whether to wake the controller now.
    :param worse: Why a champion on probation did worse than the one before, if it did.
    """

    partition: str
    champion: str
    alarms: dict[str, str]
    incident: Incident | None
    due: bool
    worse: str | None = None

    def summary(self) -> dict[str, Any]:
        """What fits into an XCom."""
        found = None if self.incident is None else {**asdict(self.incident), "reason": self.incident.reason[:1000]}
        alarms = {kind: reason[:500] for kind, reason in self.alarms.items()}
        return {
            "partition": self.partition,
            "champion": self.champion,
            "alarms": alarms,
            "incident": found,
            "due": self.due,
            "worse": self.worse and self.worse[:500],
        }


def monitor_table(case: UseCase) -> str:
    """Name of the long table of measurements."""
    return f"monitor/{case.name}"


def mature(case: UseCase, at: Partition, lake: Lake) -> dict[str, Any]:
    """Write the labels of scored partitions that have matured by now; say which cannot be."""
    keys = labels.scored_and_mature(case, at, lake)
    waiting = dataset.mature_labels(case, keys, lake)
    named = dict(list(waiting.items())[-10:])
    return {"mature": len(keys) - len(waiting), "newest": keys[-1] if keys else None, "waiting": named}


def watch_partitions(case: UseCase, keys: Sequence[str], lake: Lake) -> Watched:
    """Measure partitions, oldest first, write each whole, and say what lasts at the newest.

    :raises NoChampion: If there is no model to measure.
    :raises FeaturesInvalid: If a partition has not been scored.
    """
    champion = score.pin(case, lake)
    for key in keys:
        measured = _measure(case, calendar(case).at(key), lake, champion)
        lake.replace(monitor_table(case), table.to_arrow(measured), [key])
    now = calendar(case).at(keys[-1])
    history = _history(case, now, lake)
    alarmed = history[-1] if history else None
    found = incident(history, case, champion=champion)
    worse = rollout.worse(case, now, lake)
    return Watched(
        partition=now.key,
        champion=champion,
        alarms={} if alarmed is None else {str(kind): why for kind, why in alarmed.reasons.items()},
        incident=found,
        due=worse is not None or (found is not None and _due(case, now, found)),
        worse=worse,
    )


def _due(case: UseCase, now: Partition, found: Incident) -> bool:
    """Whether the controller should hear of an incident: when it opens, and every `monitor.of` partitions after.

    Waking it at every partition would fill the ledger with the same reason not to act; waking it once would let a lost
    event, or a cooldown that has passed, go unnoticed.
    """
    # Counted from the first partition: where a long incident opened is only known as far back as one looks.
    dates = calendar(case)
    return found.is_new or len(dates.keys(dates.first_key, now.key)) % case.monitor.of == 0


def open_incident(case: UseCase, found: Incident, partition: str, lake: Lake, *, who: str) -> bool:
    """Record an incident unless it is open already; say whether it was recorded now."""
    facts = {**asdict(found), "identity": found.identity}
    how: dict[str, Any] = {"who": who, "partition": partition, "model": found.champion, "facts": facts}
    try:
        Ledger(lake, case.name).append("incident", why=found.reason, expect=lambda s: _not_open(s, found), **how)
    except _OpenAlready:
        return False
    return True


class _OpenAlready(Exception):  # noqa: N818 - no error: it leaves an append that is not needed
    """The incident is on record."""


def _not_open(state: State, found: Incident) -> None:
    if any(record.facts.get("identity") == found.identity for record in state.open_incidents):
        raise _OpenAlready


def on_holdout(case: UseCase, lake: Lake, digest: str) -> float:
    """AUC, or what is watched in its place, that a model reached on its holdout when it was gated."""
    return float(examined(case, lake, digest)["metrics"][WATCHED[case.problem.kind][0]]["value"])


def _measure(case: UseCase, at: Partition, lake: Lake, champion: str) -> list[table.Measurement]:
    scored = [key for key in lake.partitions(score.table(case)) if key <= at.key][-case.monitor.window :]
    if at.key not in scored:
        raise FeaturesInvalid(
            f"Partition {at} of {case.name} has not been scored.", next_step="run the score stage of it first."
        )
    matured = labels.scored_and_mature(case, at, lake)[-case.monitor.window :]
    waiting = dataset.mature_labels(case, matured, lake)
    scores, truth = labels.scores(case, lake, scored), labels.with_labels(case, lake, matured)
    seen = Window(
        case=case,
        partition=at.key,
        champion=champion,
        profile=_profile(case, lake, champion),
        features=dataset.frame(case, lake, scored),
        scores=scores[scores["model"] == champion],
        matured=truth[truth["model"] == champion],
        waiting=waiting,
        holdout=on_holdout(case, lake, champion),
        model=_model(case, lake, champion),
        examined=examined(case, lake, champion),
        earlier=_earlier(case, at, lake),
        known=labels.known(case, at, lake, champion, truth),
        labels=labels.share(truth, case.label.column),
        arrivals=arrival.arrivals(case, at, lake, champion, lake.partitions(score.table(case))),
    )
    return watch.measure(seen)


def _profile(case: UseCase, lake: Lake, champion: str) -> reference.Profile:
    try:
        return reference.from_bytes(lake.get(profile_key(case, champion)))
    except FileNotFoundError as gone:
        raise ModelRejected(
            f"Model {champion[:12]} of {case.name} has no monitoring reference.",
            next_step="train a new model, or roll back to one that has.",
        ) from gone


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
    return _measured(case, keys, lake, least=waits + estimation_record.KEPT)


def _measured(case: UseCase, keys: Sequence[str], lake: Lake, *, least: int = 0) -> list[table.Measurement]:
    rows = lake.read(monitor_table(case), keys[-max(least, 4 * case.monitor.of) :]) if keys else None
    return [] if rows is None else sorted(table.from_arrow(rows), key=lambda m: m.partition)


def _history(case: UseCase, now: Partition, lake: Lake) -> list[watch.Alarm | None]:
    """Alarm per measured partition up to `now`, enough of them to see when a long incident opened."""
    seen = _measured(case, [key for key in lake.partitions(monitor_table(case)) if key <= now.key], lake)
    return [watch.alarm([*own]) for _, own in groupby(seen, key=lambda m: m.partition)]
