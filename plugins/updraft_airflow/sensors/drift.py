"""Wait until a use case's model drifts."""

from collections.abc import Sequence
from typing import Any, Literal

from updraft.spec import load
from updraft_airflow import partitions
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.sensors.state import StateSensor
from updraft_airflow.triggers.drift import DriftTrigger


class DriftSensor(StateSensor):
    """
    Wait until drift of a model is on record, at a partition or after it.

    With ``soft_fail=True`` whatever comes behind is skipped when there is none until the timeout.

    :param kinds: Kinds of alarm that count, such as ``performance``; all, when left out.
    :param evidence: ``incident``: one recorded since, or open still. ``alarm``: that of a single partition.
    """

    def __init__(
        self, *, kinds: Sequence[str] = (), evidence: Literal["incident", "alarm"] = "incident", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.kinds = list(kinds)
        self.evidence: Literal["incident", "alarm"] = evidence

    def trigger(self) -> DriftTrigger:
        """What looks; in the triggerer, or here."""
        with airflow_outcomes():
            [since] = partitions.span(load.load(self.use_case), self.partition)
        return DriftTrigger(partition=since, kinds=self.kinds, evidence=self.evidence, **self.which)
