"""Read what lake and ledger say, decide one thing, and record it with its reason."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from updraft import features
from updraft.errors import WriteConflict
from updraft.lake import Lake
from updraft.ledger import Ledger, Record, State
from updraft.life.monitor import monitor_table, watch_partitions
from updraft.monitor import table
from updraft.monitor.watch import feed_fault
from updraft.partition import Calendar, Partition, calendar
from updraft.retrain import Decision, ModelState, decide
from updraft.spec.model import UseCase


@retry(
    retry=retry_if_exception_type(WriteConflict),
    wait=wait_random_exponential(multiplier=0.05, max=2),
    stop=stop_after_attempt(6),
    reraise=True,
)
def consider(case: UseCase, at: Partition, lake: Lake, *, who: str) -> dict[str, Any]:
    """Decide what to do about the model at the moment of `at`, and record the decision.

    Level-triggered: it reads the state and never the event that woke it, so a lost or doubled event changes nothing.
    Of two that decide at once, the second decides again, on what the first has recorded.

    :return: The decision, and the `champion` it is about.
    """
    ledger = Ledger(lake, case.name)
    state = ledger.state()
    seen = model_state(case, at, lake, state)
    decision = decide(seen, case.retrain)
    if not _recorded(state, at, decision):
        facts: dict[str, Any] = {"action": decision.action, "new_mature_partitions": seen.new_mature_partitions}
        if seen.incident is not None:
            facts["incident"] = seen.incident.identity
        about: dict[str, Any] = {"who": who, "partition": at.key, "model": state.champion, "facts": facts}
        ledger.append("decided", why=decision.because, expect=lambda now: _demand_same(state, now), **about)
    return {**asdict(decision), "champion": state.champion}


def model_state(case: UseCase, at: Partition, lake: Lake, state: State) -> ModelState:
    """What is known at the moment of `at`."""
    dates = calendar(case)
    asked = _moments(dates, state, lambda r: r.kind == "decided" and r.facts.get("action") == "retrain")
    # A training that was asked for counts as one even before it ends, or the next look would ask for another; but not
    # that of this very partition, or a retry would decide otherwise.
    others = [moment for moment in asked if moment != at.as_of]
    trained = max([*_moments(dates, state, lambda r: r.kind in ("trained", "refused")), *others], default=None)
    watched = watch_partitions(case, [at.key], lake) if state.champion else None
    return ModelState(
        champion=state.champion,
        partition=at.key,
        as_of=at.as_of,
        last_trained_at=trained,
        trainings_in_period=sum(at.as_of - case.retrain.budget_period < moment < at.as_of for moment in others),
        new_mature_partitions=_new_mature(case, dates, at, trained, lake),
        data_incident=None if watched is None else _feed_fault(case, at, lake),
        incident=None if watched is None else watched.incident,
        champion_is_worse=None if watched is None else watched.worse,
    )


def _feed_fault(case: UseCase, at: Partition, lake: Lake) -> str | None:
    measured = lake.read(monitor_table(case), [at.key])
    return None if measured is None else feed_fault(table.from_arrow(measured))


def _demand_same(decided_on: State, now: State) -> None:
    if now.head != decided_on.head:
        raise WriteConflict("The ledger has a newer record.", next_step="decide again, on what it says now.")


def _moments(dates: Calendar, state: State, wanted: Callable[[Record], bool]) -> list[datetime]:
    return [dates.at(r.partition).as_of for r in state.records if r.partition and wanted(r)]


def _new_mature(case: UseCase, dates: Calendar, at: Partition, trained: datetime | None, lake: Lake) -> int:
    last = dates.last_mature(at.as_of)
    before = dates.last_mature(trained) if trained is not None else None
    if last is None:
        return 0
    known = lake.partitions(features.table(case))
    return sum(key <= last.key and (before is None or key > before.key) for key in known)


def _recorded(state: State, at: Partition, decision: Decision) -> bool:
    """Whether this very decision stands there already: a retry must not record it, or ask for it, twice."""
    return any(
        (record.kind, record.partition, record.why, record.facts.get("action"))
        == ("decided", at.key, decision.because, decision.action)
        for record in state.records
    )
