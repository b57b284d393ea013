"""Use cases -> DAGs. A new folder is a new set of DAGs; a broken spec breaks only its own."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, BaseOperator, Context, get_parsing_context
from airflow.sdk.exceptions import AirflowFailException

from updraft.spec import load
from updraft.spec.load import Broken
from updraft.spec.model import UseCase
from updraft_airflow import conventions


class SpecBrokenOperator(BaseOperator):
    """
    Stand in for the stages of a use case whose spec cannot be read, and say why.

    :param error: What is wrong with the spec.
    """

    def __init__(self, *, error: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error = error

    def execute(self, context: Context) -> None:
        """Fail with the spec's error."""
        raise AirflowFailException(self.error)


def dags(stage: str, build: Callable[[UseCase], DAG], *, of: Callable[[UseCase], bool] | None = None) -> dict[str, DAG]:
    """DAGs of one stage by id, for `globals().update`.

    A task's process parses the file too, but needs only its own DAG.

    :param of: Which use cases have the stage: every one, when left out. A broken one says so in its other DAGs.
    """
    wanted = get_parsing_context().dag_id
    cases = [case for case in load.discover() if of is None or (not isinstance(case, Broken) and of(case))]
    found = {f"{_prefix(case.name)}__{stage}": case for case in cases}
    return {
        dag_id: _broken(case, dag_id, stage) if isinstance(case, Broken) else build(case)
        for dag_id, case in found.items()
        if wanted in (None, dag_id)
    }


def _prefix(folder: str) -> str:
    # A folder may be called anything. An id that Airflow refuses would take the DAGs of every other use case with it;
    # the dash keeps the substitute apart from them, since no use case that can be loaded has one in its name.
    return re.sub(r"[^A-Za-z0-9_.-]", "-", folder)[:200]


def _broken(case: Broken, dag_id: str, stage: str) -> DAG:
    with DAG(
        dag_id=dag_id,
        description="The spec of this use case is broken.",
        doc_md=f"```\n{case.error}\n```",
        schedule=None,
        start_date=conventions.EPOCH,
        tags=["updraft", stage, "broken"],
        default_args={"retries": 0, "execution_timeout": timedelta(minutes=1)},
    ) as dag:
        SpecBrokenOperator(task_id="read_spec", error=str(case.error))
    return dag
