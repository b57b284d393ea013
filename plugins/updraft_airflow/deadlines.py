"""Deadlines: a delivery, features or scores that are not there in time are told of, once.

Airflow drops the deadlines of a run that succeeds in time, so each stage brings those of what comes after it. A run
that was never started brings none: the sweep's task `tell` finds what is late then.
"""

import asyncio
import logging
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.durations import spoken
from updraft.spec.model import UseCase
from updraft_airflow import partitions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.hooks.source import connection
from updraft_airflow.moments import AsOf
from updraft_airflow.tell import tell

log = logging.getLogger(__name__)


def ingest(case: UseCase) -> list[DeadlineAlert] | None:
    """Those of the deliveries, and of all that is made of them."""
    return [*(deliveries(case) or ()), *(stage(case, "features") or ())] or None


def stage(case: UseCase, first: str) -> list[DeadlineAlert] | None:
    """Those of features and scores, from a stage on; none for a history that is run by hand."""
    within = {"features": case.deadlines.features, "scores": case.deadlines.scores or case.problem.lead_time}
    alerts = [
        DeadlineAlert(
            reference=AsOf.of(case, limit),
            interval=limit,
            callback=AsyncCallback(late, kwargs={"use_case": case.name}),
            name=f"{what} of {case.name}",
        )
        for what, limit in within.items()
        if limit and not case.partitions.last and (what == "scores" or first == "features")
    ]
    return alerts or None


async def late(use_case: str, context: dict[str, Any]) -> str:
    """Tell of what is late by now; a partition that is complete though its run is not has nothing to say.

    :return: Ids of the alerts that are new, as text: Airflow keeps it as text, and a list ends its triggerer.
    """
    told = await asyncio.to_thread(tell, use_case)
    return ", ".join(one.id for one in told.opened)


def deliveries(case: UseCase) -> list[DeadlineAlert] | None:
    """One alert per source that declares a deadline, counted from the start of the ingest run."""
    alerts = [
        DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=source.deadline,
            # In the triggerer, because not every executor takes callbacks.
            callback=AsyncCallback(overdue, kwargs={"use_case": case.name, "source": name}),
            name=f"delivery of {name}",
        )
        for name, source in case.sources.items()
        if source.deadline is not None
    ]
    return alerts or None


async def overdue(use_case: str, source: str, context: dict[str, Any]) -> str:
    """Log and tell what has not come; a run that is late for another reason has nothing to say here.

    :return: What was logged, or nothing.
    """
    return await asyncio.to_thread(_overdue, use_case, source, context["dag_run"])


def _overdue(use_case: str, source: str, run: dict[str, Any]) -> str:
    from updraft.alert.alert import Finding, facts

    missing, said = _said(use_case, source, run)
    if said:
        log.error("%s", said)
        about = {"source": source, "run": run.get("dag_run_id")}
        tell(
            use_case, [Finding("delivery_missing", f"{source}/{key}", said, key, facts(about)) for key in missing[:10]]
        )
    return said


def _said(use_case: str, source: str, run: dict[str, Any]) -> tuple[list[str], str]:
    from updraft import ingest

    case, asked = load.load(use_case), run.get("conf") or {}
    declared, inbox = case.sources[source], Settings.from_env().inbox
    first = run.get("partition_key") or asked.get("partition") or ""
    keys = partitions.span(case, first, asked.get("through") or "")
    missing = ingest.awaited(case, source, keys, LakeHook().get_conn(), inbox, connections=connection)
    if not missing or declared.deadline is None:
        return [], ""
    where = declared.looked_in or inbox
    return missing, (
        f"{source} of {use_case} is overdue: nothing has come for {', '.join(missing[:10])} within "
        f"{spoken(declared.deadline)}; looked in {where}. Owner: {case.owner.name}, {case.owner.email}."
    )
