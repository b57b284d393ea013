"""What the operators of all stages share: a use case, the partitions of the run, and the lake."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import Asset, BaseOperator, BaseXCom, Context
from airflow.sdk.bases.branch import BranchMixIn

from updraft import operation
from updraft.operation import Spent
from updraft.partition import Partition, calendar
from updraft.spec import load
from updraft.spec.model import UseCase
from updraft_airflow import conventions, lineage, partitions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.lineage import Lineage, Place
from updraft_airflow.meter import Meter, rows_of

if TYPE_CHECKING:
    from updraft.lake import Lake

WORK_SECONDS = "work_seconds"


class StageOperator(BaseOperator):
    """
    Work on the partitions of a run.

    :param use_case: Folder under ``include/use_cases``.
    :param partition: Partition key (templated).
    :param through: Last partition of a span, empty for a single one (templated).
    :param lake_conn_id: Airflow connection of the lake.
    """

    template_fields: Sequence[str] = ("use_case", "partition", "through")
    reads: ClassVar[Sequence[str]] = ()  # kinds of tables, for lineage
    writes: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        *,
        use_case: str,
        partition: str = partitions.PARTITION,
        through: str = partitions.THROUGH,
        lake_conn_id: str = conventions.LAKE,
        **kwargs: Any,
    ) -> None:
        # Airflow hands the result to this hook, and not to a method `post_execute`.
        super().__init__(post_execute=keep_what_it_took, **kwargs)
        self.use_case = use_case
        self.partition = partition
        self.through = through
        self.lake_conn_id = lake_conn_id

    def pre_execute(self, context: Any) -> None:
        """Start the clock of the task's own work."""
        self._meter = Meter()

    def done(self, context: Any, result: Any) -> None:
        """Keep what the task took in the lake, and its seconds beside the result: overhead is what comes on top."""
        used = self._meter.read()
        context["ti"].xcom_push(key=WORK_SECONDS, value=round(used.seconds, 4))
        if "partition" in self.template_fields and self.partition:
            stage = self.dag_id.rpartition("__")[2]
            attempt = f"{context['run_id']}-{context['ti'].try_number}"
            keys, task, rows = self.keys, f"{stage}.{self.task_id}", rows_of(result)
            spent = Spent(keys[-1], len(keys), task=task, run=attempt, rows=rows, **asdict(used))
            operation.keep(self.case, self.lake, spent)
        if lineage.wanted():
            read, written = self.moved(self.case, self.lake)
            self._lineage = Lineage(self.case.owner.name, read, written, rows_of(result))

    def moved(self, case: UseCase, lake: "Lake") -> tuple[tuple[Place, ...], tuple[Place, ...]]:
        """What the task read, and what it wrote."""
        return lineage.tables(case, lake, self.reads), lineage.tables(case, lake, self.writes)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Datasets of the task, for Airflow's OpenLineage provider; none of a task that did not end well."""
        told = getattr(self, "_lineage", None)
        return None if told is None else lineage.facets(told)

    # What a task asks again and again is found once: each time costs a look at Airflow's API, or the spec read anew.
    @cached_property
    def case(self) -> UseCase:
        """The use case as its spec says when the task begins."""
        return load.load(self.use_case)

    @cached_property
    def keys(self) -> list[str]:
        """Partition keys of the run."""
        return partitions.span(self.case, self.partition, self.through)

    @property
    def at(self) -> Partition:
        """The last partition of the run: the moment a decision stands at."""
        return calendar(self.case).at(self.keys[-1])

    @cached_property
    def lake(self) -> "Lake":
        """The lake."""
        return LakeHook(self.lake_conn_id).get_conn()


def keep_what_it_took(context: Any, result: Any) -> None:
    """Tell the task that it is done."""
    context["task"].done(context, result)


class ForkOperator(StageOperator, BranchMixIn):
    """Work on the partitions of a run, and say which of the tasks behind this one has anything to do."""

    def fork(self, context: Context, result: dict[str, Any], follow: str | None) -> dict[str, Any]:
        """Skip every task directly behind this one but `follow`.

        Skipping ends the task by an exception, so its result would be lost: it is kept first.
        """
        context["ti"].xcom_push(key=BaseXCom.XCOM_RETURN_KEY, value=result)
        self.done(context, result)
        self.do_branch(context, follow)
        return result


def announce(context: Context, asset: Asset, keys: Sequence[str]) -> None:
    """Wake the stages that wait for `asset`; a span is bulk work and wakes nobody."""
    if len(keys) == 1:
        context["outlet_events"][asset].add_partitions(list(keys))
