"""What all notifiers share: an alert, and the connection that leads to whom it tells."""

import asyncio
from abc import abstractmethod

from airflow.sdk import BaseNotifier, Context

from updraft.alert.alert import Alert
from updraft.errors import AlertUndelivered, SourceClosed
from updraft.sources.reach.connection import Connection
from updraft_airflow.hooks.source import connection as look_up


class AlertNotifier(BaseNotifier):
    """
    Tell one destination of an alert.

    Nothing of it is templated: its words may come from data, and Jinja would run them.

    :param connection: Airflow connection that leads there.
    :param alert: What to tell.
    :param attempt: How often it was tried before, plus one.
    """

    def __init__(self, *, connection: str, alert: Alert, attempt: int = 1) -> None:
        super().__init__()
        self.connection = connection
        self.alert = alert
        self.attempt = attempt

    def notify(self, context: Context) -> None:
        """Send it.

        :raises AlertUndelivered: If it did not arrive, as far as one can tell.
        """
        try:
            found = look_up(self.connection)
        except SourceClosed as unknown:
            raise AlertUndelivered(unknown.what, next_step=unknown.next_step) from unknown
        self.deliver(found)

    async def async_notify(self, context: Context) -> None:
        """Send it from a triggerer."""
        await asyncio.to_thread(self.notify, context)

    @abstractmethod
    def deliver(self, connection: Connection) -> None:
        """Send it, or raise `AlertUndelivered`."""

    def undelivered(self, why: str) -> AlertUndelivered:
        """Error that names the connection and nothing that is secret."""
        return AlertUndelivered(
            f"{self.alert.message_id} did not arrive through the connection {self.connection!r}: {why}.",
            next_step="it is sent again by itself; check the connection in Airflow and what is behind it.",
        )
