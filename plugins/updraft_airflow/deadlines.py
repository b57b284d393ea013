"""Deadlines: a delivery that does not come is reported with its source, its partitions, and whom to ask."""

import asyncio
import logging
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.model import UseCase
from updraft_airflow import partitions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.hooks.source import connection

log = logging.getLogger(__name__)


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
    """Log what has not come; a run that is late for another reason has nothing to say here.

    :return: What was logged, or nothing.
    """
    said = await asyncio.to_thread(_said, use_case, source, context["dag_run"])
    if said:
        log.error("%s", said)
    return said


def _said(use_case: str, source: str, run: dict[str, Any]) -> str:
    from updraft import ingest

    case, asked = load.load(use_case), run.get("conf") or {}
    declared, inbox = case.sources[source], Settings.from_env().inbox
    first = run.get("partition_key") or asked.get("partition") or ""
    keys = partitions.span(case, first, asked.get("through") or "")
    missing = ingest.awaited(case, source, keys, LakeHook().get_conn(), inbox, connections=connection)
    if not missing:
        return ""
    where = inbox if declared.type == "files" else f"its {declared.type} source"
    return (
        f"{source} of {use_case} is overdue: nothing has come for {', '.join(missing[:10])} within "
        f"{declared.deadline}; looked in {where}. Owner: {case.owner.name}, {case.owner.email}."
    )
