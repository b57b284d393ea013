"""Amazon SNS: text for people, attributes for filters."""

import hashlib

from airflow.providers.amazon.aws.hooks.sns import SnsHook
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from updraft.alert import render
from updraft.sources.reach.connection import Connection
from updraft_airflow.notifications.alert import AlertNotifier


class SnsNotifier(AlertNotifier):
    """
    Publish to the topic whose ARN stands in the connection's extra as `topic`.

    The provider's own notifier is not used: it renders its message as a template, and ours may hold what data say.
    """

    def deliver(self, connection: Connection) -> None:
        """Publish it; a FIFO topic drops what it has had already."""
        told, topic = self.alert, str(connection.extra.get("topic") or "")
        if not topic:
            raise self.undelivered("its extra names no `topic`")
        said = {"kind": told.kind, "severity": told.severity, "event": told.event, "use_case": told.use_case}
        once = {
            "message_deduplication_id": hashlib.sha256(told.message_id.encode()).hexdigest(),
            "message_group_id": told.use_case,
        }
        try:
            SnsHook(aws_conn_id=self.connection).publish_to_target(  # type: ignore[no-untyped-call]
                topic,
                render.text(told),
                subject=render.subject(told).encode("ascii", "replace").decode(),
                message_attributes={**said, "message_id": told.message_id},
                **(once if topic.endswith(".fifo") else {}),
            )
        except ClientError as refused:
            raise self.undelivered(f"it answered {refused.response.get('Error', {}).get('Code')}") from refused
        except BotoCoreError as fault:
            raise self.undelivered(type(fault).__name__) from fault
