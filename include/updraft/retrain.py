"""Should we train again? A decision carries its reason and its numbers."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from updraft.monitor.incident import Incident
from updraft.spec.durations import render
from updraft.spec.retrain import Retrain

# What labels show to be worse, or a calibration that is off, a training mends step by step: the first candidate that is
# better after the world turned has learnt little of the new, as what came last is held out.
HEALED = ("performance", "estimated_performance", "calibration", "follow_up")


@dataclass(frozen=True)
class Stake:
    """What is lost while a champion does worse than on its holdout.

    :param per_row: Value per row on its holdout less that of the newest look at what came true; a training can at best
        win it back. Negative when the champion does better now.
    :param rows: Rows that will be scored until the next training could be.
    """

    per_row: float
    rows: int

    @property
    def total(self) -> float:
        """Value that is at stake."""
        return self.per_row * self.rows


@dataclass(frozen=True)
class ModelState:
    """What is known about a use case's model at one partition. All times are partitions' times, never the clock's.

    :param champion: Digest of the model whose scores count; `None` when there is none.
    :param partition: Key of the partition the decision stands at.
    :param as_of: Moment of that partition.
    :param last_trained_at: Moment the last training stood at, whoever asked for it and whatever came of it.
    :param trainings_in_period: Trainings that decisions asked for within `retrain.budget_period` before `as_of`.
    :param new_mature_partitions: Partitions whose labels came in since the last training (all, when there was none).
    :param data_incident: What is wrong with the data, if anything is.
    :param incident: What the monitor saw, if it lasts.
    :param champion_is_worse: Why a fresh champion did worse than the one before on the same rows, if it did.
    :param new_labels: Labelled rows of the new mature partitions.
    :param changed: What else a training would find changed since the last one: the spec, or the code.
    :param in_vain: Trainings that lasting incidents asked for and that brought no better model.
    :param since_risen: Trainings for nothing since the champion rose, whatever asked for them.
    :param stake: What is lost meanwhile; `None` when unknown.
    :param risen_on: What asked for the champion's training, if that was one of `HEALED`.
    :param harmless: How well the champion does since the incident began, if labels show that what drifted does no harm.
    """

    champion: str | None
    partition: str
    as_of: datetime
    last_trained_at: datetime | None
    trainings_in_period: int
    new_mature_partitions: int
    data_incident: str | None = None
    incident: Incident | None = None
    champion_is_worse: str | None = None
    new_labels: int = 0
    changed: str = ""
    in_vain: int = 0
    since_risen: int = 0
    stake: Stake | None = None
    risen_on: str = ""
    harmless: str = ""

    @property
    def numbers(self) -> dict[str, float | int | None]:
        """The numbers a decision rests on."""
        since = None if self.last_trained_at is None else (self.as_of - self.last_trained_at).total_seconds() / 86400
        return {
            "days_since_training": since,
            "trainings_in_period": self.trainings_in_period,
            "new_mature_partitions": self.new_mature_partitions,
            "new_labels": self.new_labels,
            "in_vain": self.in_vain,
            "since_risen": self.since_risen,
            "lost_per_row": None if self.stake is None else self.stake.per_row,
            "rows_at_stake": None if self.stake is None else self.stake.rows,
        }


@dataclass(frozen=True)
class Decision:
    """What to do about a model, and why.

    :param kind: The cause, and after a stroke what held it back: `performance/cooldown`. Equal for as long as nothing
        but numbers changes.
    :param numbers: What was known when it was made.
    """

    action: Literal["none", "retrain", "roll_back", "quarantine"]
    because: str
    kind: str = ""
    numbers: Mapping[str, float | int | None] = field(default_factory=dict, compare=False)


def decide(state: ModelState, limits: Retrain) -> Decision:
    """Weigh what the monitor saw against what retraining could mend; equal states give equal decisions.

    Bad data is never a reason to retrain: a model fitted to a broken feed is worse than an old one. A rollback comes
    before a training, because the older model is there now and has been proven. Labels that stopped arriving are no
    reason either: there is nothing new to learn from.
    """
    numbers = state.numbers
    if state.data_incident:
        why = f"{state.data_incident}; retraining would learn the fault"
        return Decision("quarantine", why, "broken_feed", numbers)
    if state.champion and state.champion_is_worse:
        return Decision("roll_back", state.champion_is_worse, "champion_is_worse", numbers)
    causes = [(kind, why, *_held_back(kind, state, limits)) for kind, why in _causes(state, limits)]
    free = next(((kind, why) for kind, why, held, _ in causes if not held), None)
    if free is not None:
        return Decision("retrain", free[1], free[0], numbers)
    for kind, why, held, because in causes[:1]:
        return Decision("none", f"{why}; but {because}", f"{kind}/{held}", numbers)
    return Decision("none", *_calm(state), numbers)


def _causes(state: ModelState, limits: Retrain) -> Iterator[tuple[str, str]]:
    """Why a training is wanted, the most pressing first."""
    if state.champion is None:
        yield "no_champion", "no champion yet"
        return
    about = state.incident if state.incident and state.incident.champion == state.champion else None
    if about and about.kind in HEALED:
        yield about.kind, about.reason
    # Held against its own poor holdout, a champion that is half healed never alarms. Before drift of what it is given:
    # a champion that rose on that would not be followed up.
    if state.risen_on and state.since_risen < limits.attempts:
        yield "follow_up", f"the champion rose on {state.risen_on}, and may learn more of what came since"
    if about and about.kind not in (*HEALED, "label_outage"):
        yield about.kind, about.reason
    last = state.last_trained_at
    if limits.every and last is not None and state.as_of - last >= limits.every:
        yield "schedule", f"last trained at {last:%Y-%m-%d %H:%M}, to be done every {render(limits.every)}"
    if limits.new_labels and state.new_labels >= limits.new_labels:
        yield "new_labels", f"{state.new_labels} new rows have mature labels, {limits.new_labels} are a reason to train"


def _calm(state: ModelState) -> tuple[str, str]:
    if state.incident and state.incident.champion != state.champion:
        about = state.incident.champion[:12]
        return f"the incident is about model {about}, which is not champion any more", "calm"
    if state.incident:
        return f"{state.incident.reason}; a training would find nothing new to learn from", "label_outage"
    return f"no incident at {state.partition}", "calm"


def _held_back(kind: str, state: ModelState, limits: Retrain) -> tuple[str, str]:
    """What holds a training back, in a word and with the reason; both empty when it may be."""
    held = {
        "harmless": _does_no_harm(kind, state),
        "cooldown": _cooling(kind, state, limits),
        "budget": _spent(state, limits),
        "nothing_new": _nothing_new(state),
    }
    if kind not in ("no_champion", "schedule", "new_labels"):
        held |= {"attempts": "" if kind == "follow_up" else _in_vain(state, limits), "worth": _not_worth(state, limits)}
    return next(((what, why) for what, why in held.items() if why), ("", ""))


def _does_no_harm(kind: str, state: ModelState) -> str:
    if not state.harmless or state.incident is None or kind != state.incident.kind:
        return ""
    return f"labels show no harm: {state.harmless}"


def _cooling(kind: str, state: ModelState, limits: Retrain) -> str:
    last = state.last_trained_at
    # While each training brings a better model, days are worth more than trainings.
    quiet = limits.cooldown / 2 if kind == "follow_up" and not state.since_risen else limits.cooldown
    if last is None or state.as_of - last >= quiet:
        return ""
    if state.as_of < last:
        return f"a training stood at {last:%Y-%m-%d %H:%M} already, later than {state.partition}"
    return f"last trained at {last:%Y-%m-%d %H:%M}, cooldown of {render(quiet)} until {last + quiet:%Y-%m-%d %H:%M}"


def _spent(state: ModelState, limits: Retrain) -> str:
    if state.trainings_in_period < limits.budget:
        return ""
    return f"{state.trainings_in_period} of {limits.budget} trainings within {render(limits.budget_period)} are spent"


def _nothing_new(state: ModelState) -> str:
    """The same rows, spec and code give the same model."""
    if state.new_mature_partitions > 0 or state.changed:
        return ""
    return "no partition has matured since the last training"


def _in_vain(state: ModelState, limits: Retrain) -> str:
    if state.in_vain < limits.attempts:
        return ""
    return f"{state.in_vain} trainings for it brought no better model, so another will not: a person has to look"


def _not_worth(state: ModelState, limits: Retrain) -> str:
    """Too little to win back. What is not known holds nothing back."""
    stake = state.stake
    if limits.cost is None or stake is None or not math.isfinite(stake.total) or stake.total >= limits.cost:
        return ""
    return (
        f"it loses {stake.per_row:.4g} per row, {max(stake.total, 0):.4g} over the {stake.rows} rows until the next "
        f"training could be, and a training costs {limits.cost:g}"
    )
