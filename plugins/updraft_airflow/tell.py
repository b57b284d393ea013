"""Telling, from wherever Airflow asks for it: a task, a callback of a task, a deadline in the triggerer."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from updraft.errors import PartitionInvalid
from updraft.settings import Settings
from updraft.spec import load
from updraft.spec.alerts import Destination
from updraft_airflow import conventions, partitions
from updraft_airflow.hooks.lake import LakeHook

if TYPE_CHECKING:
    from updraft.alert.alert import Alert, Finding
    from updraft.life.alerts import Told

log = logging.getLogger(__name__)


def tell(
    use_case: str, also: "Sequence[Finding]" = (), keys: Sequence[str] = (), *, lake_conn_id: str = conventions.LAKE
) -> "Told":
    """Tell everybody what there is to tell about a use case; log it, and what could not be sent.

    :param also: What the lake does not say.
    :param keys: Partitions of the run.
    """
    from updraft.alert.render import subject
    from updraft.life import alerts

    case, lake = load.load(use_case), LakeHook(lake_conn_id).get_conn()
    how: dict[str, Any] = {"now": datetime.now(UTC), "runbooks": Settings.from_env().runbooks}
    told = alerts.tell(case, lake, send, also=also, partitions=keys, **how)
    for one in (*told.opened, *told.resolved):
        log.warning("%s: %s Read %s, type: %s", subject(one), one.what, one.runbook, one.command)
    for fault in told.failed:
        log.error("%s", fault)
    return told


def send(somebody: Destination, alert: "Alert", attempt: int) -> None:
    """Send an alert to one destination.

    :raises AlertUndelivered: If it did not arrive.
    """
    _notifier(somebody.to)(connection=somebody.connection, alert=alert, attempt=attempt).notify({})


def partitions_of(use_case: str, key: str | None, conf: Mapping[str, Any] | None) -> list[str]:
    """Partitions of a run, none when it does not say or says what is none."""
    asked = conf or {}
    try:
        first, through = key or str(asked.get("partition") or ""), str(asked.get("through") or "")
        return partitions.span(load.load(use_case), first, "" if key else through)
    except PartitionInvalid:
        return []


def _notifier(to: str) -> Any:
    match to:
        case "email":
            from updraft_airflow.notifications.email import EmailNotifier

            return EmailNotifier
        case "slack":
            from updraft_airflow.notifications.slack import SlackNotifier

            return SlackNotifier
        case "sns":
            from updraft_airflow.notifications.sns import SnsNotifier

            return SnsNotifier
    from updraft_airflow.notifications.webhook import WebhookNotifier

    return WebhookNotifier
