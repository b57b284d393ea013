"""A webhook of one's own: all of an alert as JSON, signed."""

import hashlib
import hmac
import json
import time

from updraft.alert import render
from updraft.sources.reach.connection import Connection
from updraft_airflow.notifications.alert import AlertNotifier
from updraft_airflow.notifications.http import TIMEOUT, NotTaken, post


class WebhookNotifier(AlertNotifier):
    """
    Post JSON to the connection's host.

    Its password is the key of the signature; without one nothing is signed. ``Updraft-Signature: t=<seconds>,v1=<hex>``
    is the HMAC-SHA256 of the seconds, a full stop and the body. Its extra may hold `path`, `headers` and `timeout`.
    """

    def deliver(self, connection: Connection) -> None:
        """Sign it and post it."""
        content = json.dumps(render.document(self.alert)).encode()
        headers = {str(name): str(said) for name, said in dict(connection.extra.get("headers") or {}).items()}
        headers |= {"Updraft-Message-Id": self.alert.message_id, "Updraft-Attempt": str(self.attempt)}
        if connection.password:
            headers["Updraft-Signature"] = signature(connection.password, content, int(time.time()))
        try:
            post(_url(connection), content, headers, float(connection.extra.get("timeout") or TIMEOUT))
        except NotTaken as fault:
            raise self.undelivered(str(fault)) from fault


def signature(key: str, content: bytes, seconds: int) -> str:
    """What a receiver computes again to know that a message is ours, and is not an old one."""
    signed = hmac.new(key.encode(), f"{seconds}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def _url(connection: Connection) -> str:
    base = connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
    base = f"{base.rstrip('/')}:{connection.port}" if connection.port else base.rstrip("/")
    path = str(connection.extra.get("path") or "").lstrip("/")
    return f"{base}/{path}" if path else base
