"""Wait for labels in the triggerer."""

from typing import TYPE_CHECKING, Any, ClassVar

from updraft.spec import load
from updraft_airflow.triggers.state import StateTrigger

if TYPE_CHECKING:
    from updraft.life.awaited import Looked


class LabelMaturityTrigger(StateTrigger):
    """
    Fire once the labels of partitions are complete.

    :param partitions: Keys of the partitions.
    """

    arguments: ClassVar[tuple[str, ...]] = (*StateTrigger.arguments, "partitions")

    def __init__(self, *, partitions: list[str], **which: Any) -> None:
        super().__init__(**which)
        self.partitions = partitions

    def look(self) -> "Looked":
        """Look once."""
        from updraft.life import awaited

        return awaited.labels(load.load(self.use_case), self.lake, self.partitions)
