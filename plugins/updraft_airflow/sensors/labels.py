"""Wait until the labels of partitions are complete."""

from collections.abc import Sequence
from typing import Any

from updraft.spec import load
from updraft_airflow import partitions
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.sensors.state import StateSensor
from updraft_airflow.triggers.labels import LabelMaturityTrigger


class LabelMaturitySensor(StateSensor):
    """
    Wait until everything has been delivered that the labels of partitions could rest on.

    :param through: Last partition of a span, empty for a single one (templated).
    """

    template_fields: Sequence[str] = (*StateSensor.template_fields, "through")

    def __init__(self, *, through: str = partitions.THROUGH, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.through = through

    def trigger(self) -> LabelMaturityTrigger:
        """What looks; in the triggerer, or here."""
        with airflow_outcomes():
            keys = partitions.span(load.load(self.use_case), self.partition, self.through)
        return LabelMaturityTrigger(partitions=keys, **self.which)
