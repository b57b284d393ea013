"""What all DAGs of Updraft have in common."""

from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.partition import calendar
from updraft.spec.model import UseCase
from updraft_airflow.notifications.failure import FailureNotifier

LAKE = "updraft_lake"
REGISTRY = "updraft_mlflow"
TRAINING_POOL = "updraft_training"


def dag(case: UseCase, stage: str, doc: str | None) -> dict[str, Any]:
    """Arguments every DAG of a use case is built with."""
    dates = calendar(case)
    return {
        "dag_id": f"{case.name}__{stage}",
        "description": (doc or "").strip().splitlines()[0],
        "doc_md": f"{doc}\n\n**{case.name}**: {case.problem.goal}\n\nOwner: {case.owner.name}, {case.owner.email}",
        "tags": ["updraft", stage, case.name, *case.tags],
        "owner_links": {case.owner.name: f"mailto:{case.owner.email}"},
        # A tick works on the partition that begins next, so the first one falls into the partition before the first.
        "start_date": dates.step(dates.first, -1).start,
        "catchup": False,
        # Asset events are dropped while max_active_runs is reached, so leave room for more than one.
        "max_active_runs": 16,
        "dagrun_timeout": timedelta(days=2),
        "render_template_as_native_obj": False,
        "default_args": {**defaults(case.owner.name), "on_failure_callback": FailureNotifier(use_case=case.name)},
    }


def defaults(owner: str) -> dict[str, Any]:
    """Arguments every task starts from: an owner, retries that back off, and an end."""
    return {
        "owner": owner,
        "retries": 3,
        "retry_delay": timedelta(seconds=10),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(minutes=30),
    }


def fitting(case: UseCase) -> timedelta:
    """How long a task that trains may take: the spec's deadline, and what it takes to start and to say so after it."""
    return case.model.deadline + timedelta(minutes=5)


EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
