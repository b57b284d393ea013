"""Wait for drift in the triggerer."""

from typing import TYPE_CHECKING, Any, ClassVar

from updraft.spec import load
from updraft_airflow.triggers.state import StateTrigger

if TYPE_CHECKING:
    from updraft.life.awaited import Evidence, Looked


class DriftTrigger(StateTrigger):
    """
    Fire once a use case's model drifts.

    :param partition: Key of the partition from which on it counts.
    :param kinds: Kinds of alarm that count; all, when empty.
    :param evidence: ``incident`` or ``alarm``.
    """

    arguments: ClassVar[tuple[str, ...]] = (*StateTrigger.arguments, "partition", "kinds", "evidence")

    def __init__(self, *, partition: str, kinds: list[str], evidence: "Evidence", **which: Any) -> None:
        super().__init__(**which)
        self.partition = partition
        self.kinds = kinds
        self.evidence: Evidence = evidence

    def look(self) -> "Looked":
        """Look once."""
        from updraft.life import awaited

        case = load.load(self.use_case)
        return awaited.drift(case, self.lake, kinds=self.kinds, since=self.partition, evidence=self.evidence)
