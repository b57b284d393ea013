"""Read what lake and ledger say, decide one thing, and record it with its reason."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from updraft import dataset, features, score
from updraft.errors import WriteConflict
from updraft.lake import Lake
from updraft.ledger import Ledger, Record, State
from updraft.life import labels
from updraft.life.incidents import broken_feed, lingering, unclosed
from updraft.life.measured import measurements
from updraft.life.monitor import Watched, settle, watch_partitions
from updraft.life.train import examined
from updraft.monitor.harmless import harmless
from updraft.monitor.table import Measurement
from updraft.partition import Calendar, Partition, calendar
from updraft.retrain import HEALED, Decision, ModelState, Stake, decide
from updraft.spec.load import digest as spec_digest
from updraft.spec.model import UseCase

REMINDED = 30  # partitions after which the same reason not to act is recorded again


@retry(
    retry=retry_if_exception_type(WriteConflict),
    wait=wait_random_exponential(multiplier=0.05, max=2),
    stop=stop_after_attempt(6),
    reraise=True,
)
def consider(
    case: UseCase, at: Partition, lake: Lake, *, who: str, reason: str = "", code_version: str = "unversioned"
) -> dict[str, Any]:
    """Decide what to do about the model at the moment of `at`, and record the decision.

    Level-triggered: it reads the state and never the event that woke it, so a lost or doubled event changes nothing.
    Of two that decide at once, the second decides again, on what the first has recorded.

    :param reason: What somebody outside said when they woke it; kept, and no ground for anything.
    :param code_version: Version of the code that would train.
    :return: The decision, and the `champion` it is about.
    """
    ledger = Ledger(lake, case.name)
    watched = _watched(case, at, lake, ledger.state())
    settle(case, at if watched is None else calendar(case).at(watched.partition), lake, who=who)
    state = ledger.state()
    seen = model_state(case, at, lake, state, watched=watched, code_version=code_version)
    decision = decide(seen, case.retrain)
    if not _recorded(calendar(case), state, at, decision):
        facts: dict[str, Any] = {"action": decision.action, "kind": decision.kind, "numbers": decision.numbers}
        if seen.incident is not None:
            facts["incident"] = seen.incident.identity
        if decision.kind.endswith("/attempts"):
            facts["asks"] = case.owner.name
        facts |= {"reason": reason[:500]} if reason else {}
        about: dict[str, Any] = {"who": who, "partition": at.key, "model": state.champion, "facts": facts}
        ledger.append("decided", why=decision.because, expect=lambda now: _demand_same(state, now), **about)
    return {**asdict(decision), "champion": state.champion}


def model_state(
    case: UseCase, at: Partition, lake: Lake, state: State,
    *, watched: Watched | None = None, code_version: str = "unversioned",
) -> ModelState:  # fmt: skip
    """What is known at the moment of `at`.

    :param watched: What was seen of the champion by then; without it the newest scored partition is looked at now.
    """
    watched = watched or _watched(case, at, lake, state)
    dates = calendar(case)
    asked = _moments(dates, state, lambda r: r.kind == "decided" and r.facts.get("action") == "retrain")
    # A training that was asked for counts as one even before it ends, or the next look would ask for another; but not
    # that of this very partition, or a retry would decide otherwise.
    others = [moment for moment in asked if moment != at.as_of]
    trained = max([*_moments(dates, state, lambda r: r.kind in ("trained", "refused")), *others], default=None)
    new, vain = _new_mature(case, dates, at, trained, lake), _in_vain(state, at)
    seen = [] if watched is None else measurements(case, [watched.partition], lake)
    return ModelState(
        champion=state.champion,
        partition=at.key,
        as_of=at.as_of,
        last_trained_at=trained,
        trainings_in_period=sum(at.as_of - case.retrain.budget_period < moment < at.as_of for moment in others),
        new_mature_partitions=len(new),
        data_incident=(broken_feed(case, at, lake) if watched is None else watched.data_incident)
        or _mended(case, at, lake),
        incident=None if watched is None else watched.incident or next(iter(watched.others), None),
        champion_is_worse=None if watched is None else watched.worse,
        new_labels=_labelled(case, new, lake),
        changed=_changed(case, state, code_version),
        in_vain=len(_for_lasting_incidents(state, vain)),
        since_risen=len(vain),
        stake=None if watched is None else _stake(case, lake, watched, seen),
        risen_on=_risen_on(state),
        harmless="" if watched is None else _harmless(case, lake, watched, seen),
    )


def _harmless(case: UseCase, lake: Lake, watched: Watched, seen: Sequence[Measurement]) -> str:
    """How well the champion does since the worst incident began; empty while labels do not show that it does well."""
    if watched.incident is None:
        return ""
    # A look remembers some partitions only; a long incident is older than that on record.
    since = {str(r.facts["identity"]): str(r.facts["opened"]) for r in unclosed(case, lake)}
    began = since.get(watched.incident.identity, watched.incident.opened)
    mature = labels.scored_and_mature(case, calendar(case).at(watched.partition), lake)[-case.monitor.window :]
    return harmless(watched.incident.kind, began, mature, seen)


def _mended(case: UseCase, at: Partition, lake: Lake) -> str | None:
    why = lingering(case, at, lake)
    return why and f"not long ago {why}; its rows are among those that came true last"


def _watched(case: UseCase, at: Partition, lake: Lake, state: State) -> Watched | None:
    """What is to be seen of the champion at the newest partition that is scored by then."""
    scored = [key for key in lake.partitions(score.table(case)) if key <= at.key]
    return watch_partitions(case, scored[-1:], lake) if state.champion and scored else None


def _demand_same(decided_on: State, now: State) -> None:
    if now.head != decided_on.head:
        raise WriteConflict("The ledger has a newer record.", next_step="decide again, on what it says now.")


def _moments(dates: Calendar, state: State, wanted: Callable[[Record], bool]) -> list[datetime]:
    return [dates.at(r.partition).as_of for r in state.records if r.partition and wanted(r)]


def _new_mature(case: UseCase, dates: Calendar, at: Partition, trained: datetime | None, lake: Lake) -> list[str]:
    """Partitions whose labels came in since the last training; those that are mature and still wait are not new."""
    last = dates.last_mature(at.as_of)
    before = dates.last_mature(trained) if trained is not None else None
    if last is None:
        return []
    known = lake.partitions(features.table(case))
    mature = [key for key in known if key <= last.key and (before is None or key > before.key)]
    missing = dataset.mature_labels(case, mature, lake)
    return [key for key in mature if key not in missing]


def _labelled(case: UseCase, keys: Sequence[str], lake: Lake) -> int:
    rows = lake.read(features.table(case, "label"), keys, [case.label.column]) if keys else None
    return 0 if rows is None else len(rows) - rows[case.label.column].null_count


def _changed(case: UseCase, state: State, code_version: str) -> str:
    """What a training today would have other than the last one, apart from rows."""
    last = next((r.facts for r in reversed(state.records) if r.kind in ("trained", "refused")), {})
    now = {"spec": spec_digest(case), "code": code_version}
    return " and ".join(f"the {name}" for name, value in now.items() if last.get(name) not in (None, value))


def _in_vain(state: State, at: Partition) -> list[Record]:
    """Decisions to train that came to nothing since the champion last changed."""
    asked = [r for r in state.records if r.kind == "decided" and r.facts.get("action") == "retrain"]
    rose = max((r.sequence for r in state.records if r.kind in ("challenger", "promoted", "rolled_back")), default=0)
    return [r for r in asked if r.partition != at.key and r.sequence > rose and _came_to_nothing(state, r)]


def _for_lasting_incidents(state: State, asked: Sequence[Record]) -> list[Record]:
    """Those of the decisions that an incident asked for which was not resolved since."""
    ended = {r.facts["identity"]: r.sequence for r in state.records if r.kind == "resolved"}
    by_incident = [r for r in asked if "incident" in r.facts and r.facts.get("kind") != "follow_up"]
    return [r for r in by_incident if r.sequence > ended.get(r.facts["incident"], 0)]


def _risen_on(state: State) -> str:
    """What asked for the training that the champion came from, if that is healed step by step."""
    stood = {r.partition for r in state.records if r.kind == "trained" and r.model == state.champion}
    asked = [r for r in state.records if r.kind == "decided" and r.facts.get("action") == "retrain"]
    kind = next((str(r.facts.get("kind")) for r in reversed(asked) if r.partition in stood), "")
    return kind if kind in HEALED else ""


def _came_to_nothing(state: State, asked: Record) -> bool:
    later = [r for r in state.records[asked.sequence :] if r.partition == asked.partition]
    same = any(r.kind == "trained" and r.model == state.champion for r in later)
    return same or any(r.kind in ("rejected", "refused") for r in later)


def _stake(case: UseCase, lake: Lake, watched: Watched, seen: Sequence[Measurement]) -> Stake | None:
    """What is lost per row against the champion's holdout, and the rows until the next training could be."""
    live = next((m.value for m in seen if (m.metric, m.subject) == ("value_per_row", "all")), math.nan)
    held = examined(case, lake, watched.champion)["metrics"].get("value", {}).get("value")
    rows = score.read(case, [watched.partition], lake)
    if held is None or rows is None or not math.isfinite(live):
        return None
    day = calendar(case).at(watched.partition)
    quiet = max(1, case.retrain.cooldown // (day.end - day.start))
    return Stake(per_row=held - live, rows=len(rows) * quiet)


def _recorded(dates: Calendar, state: State, at: Partition, decision: Decision) -> bool:
    """Whether this decision stands there already: a retry must not record it, or ask for it, twice.

    A reason to hold still is told once, and again when it has lasted for long, in whichever order partitions come.
    """
    own = [r for r in state.records if r.kind == "decided" and r.facts.get("action") == decision.action]
    if decision.action in ("none", "quarantine"):
        first, last = (dates.step(at, count).key for count in (1 - REMINDED, REMINDED - 1))
        about = (decision.kind, state.champion)
        return any((r.facts.get("kind"), r.model) == about and first <= str(r.partition) <= last for r in own)
    return any((r.partition, r.why) == (at.key, decision.because) for r in own)
