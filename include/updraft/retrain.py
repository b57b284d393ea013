"""Should we train again? A decision carries its reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from updraft.monitor.incident import Incident
from updraft.spec.durations import render
from updraft.spec.retrain import Retrain


@dataclass(frozen=True)
class ModelState:
    """What is known about a use case's model at one partition. All times are partitions' times, never the clock's.

    :param champion: Digest of the model whose scores count; `None` when there is none.
    :param partition: Key of the partition the decision stands at.
    :param as_of: Moment of that partition.
    :param last_trained_at: Moment the last training stood at, whoever asked for it and whatever came of it.
    :param trainings_in_period: Trainings that decisions asked for within `retrain.budget_period` before `as_of`.
    :param new_mature_partitions: Partitions whose labels matured since the last training (all, when there was none).
    :param data_incident: What is wrong with the data, if anything is.
    :param incident: What the monitor saw, if it lasts.
    :param champion_is_worse: Why a fresh champion did worse than the one before on the same rows, if it did.
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


@dataclass(frozen=True)
class Decision:
    """What to do about a model, and why."""

    action: Literal["none", "retrain", "roll_back", "quarantine"]
    because: str


def decide(state: ModelState, limits: Retrain) -> Decision:
    """Weigh what the monitor saw against what retraining could mend.

    Bad data is never a reason to retrain: a model fitted to a broken feed is worse than an old one. A rollback comes
    before a training, because the older model is there now and has been proven.
    """
    if state.data_incident:
        return Decision("quarantine", f"{state.data_incident}; retraining would learn the fault")
    if state.champion and state.champion_is_worse:
        return Decision("roll_back", state.champion_is_worse)
    cause = _cause(state)
    if not cause:
        return Decision("none", _calm(state))
    held_back = _cooling(state, limits) or _spent(state, limits) or _nothing_new(state)
    return Decision("none", f"{cause}; but {held_back}") if held_back else Decision("retrain", cause)


def _cause(state: ModelState) -> str:
    """Why a training is wanted; empty when it is not."""
    if state.champion is None:
        return "no champion yet"
    if state.incident and state.incident.champion == state.champion:
        return state.incident.reason
    return ""


def _calm(state: ModelState) -> str:
    if state.incident:
        return f"the incident is about model {state.incident.champion[:12]}, which is not champion any more"
    return f"no incident at {state.partition}"


def _cooling(state: ModelState, limits: Retrain) -> str:
    last = state.last_trained_at
    if last is None or state.as_of - last >= limits.cooldown:
        return ""
    if state.as_of < last:
        return f"a training stood at {last:%Y-%m-%d %H:%M} already, later than {state.partition}"
    until = last + limits.cooldown
    return f"last trained at {last:%Y-%m-%d %H:%M}, cooldown of {render(limits.cooldown)} until {until:%Y-%m-%d %H:%M}"


def _spent(state: ModelState, limits: Retrain) -> str:
    if state.trainings_in_period < limits.budget:
        return ""
    return f"{state.trainings_in_period} of {limits.budget} trainings within {render(limits.budget_period)} are spent"


def _nothing_new(state: ModelState) -> str:
    return "" if state.new_mature_partitions > 0 else "no partition has matured since the last training"
