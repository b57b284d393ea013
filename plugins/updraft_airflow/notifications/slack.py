"""Slack, and what takes the same messages at a webhook."""

import json

from updraft.alert import render
from updraft.sources.reach.connection import Connection
from updraft_airflow.notifications.alert import AlertNotifier
from updraft_airflow.notifications.http import TIMEOUT, NotTaken, post


class SlackNotifier(AlertNotifier):
    """
    Post blocks to an incoming webhook.

    The connection is as the Slack provider has it: the host is the address without its secret part
    (``https://hooks.slack.com/services`` when empty), the password is that part.
    """

    def deliver(self, connection: Connection) -> None:
        """Post it."""
        base = connection.host or "https://hooks.slack.com/services"
        base = base if "://" in base else f"{connection.schema or 'https'}://{base}"
        base = f"{base.rstrip('/')}:{connection.port}" if connection.port else base.rstrip("/")
        url = f"{base}/{connection.password.lstrip('/')}"
        headers = {"Updraft-Message-Id": self.alert.message_id, "Updraft-Attempt": str(self.attempt)}
        content = json.dumps(render.slack(self.alert)).encode()
        try:
            post(url, content, headers, float(connection.extra.get("timeout") or TIMEOUT))
        except NotTaken as fault:
            raise self.undelivered(str(fault)) from fault
