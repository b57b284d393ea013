"""An alert, the connections it goes through, and a webhook that misbehaves as told."""

import time
from datetime import UTC, datetime

import pytest
from tests.plugins import tiny

# isort: split
from updraft.alert.alert import Finding, Series, alert, facts
from updraft.errors import AlertUndelivered

CANARY = "canary-secret"
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
SERIES = Series("score_psi", "scores", (("2024-01-19", 0.1), ("2024-01-20", 0.4)), 0.2)
FOUND = Finding("incident", "7", "the <b>scores</b> moved @channel", "2024-01-20", facts({"a": "<i>"}), SERIES)
TOLD = alert(tiny.CASE, FOUND, 1, NOW, "https://wiki.example/runbooks")
OVER = TOLD.over("calm", NOW)


def failing(notifier):
    with pytest.raises(AlertUndelivered) as caught:
        notifier.notify({})
    fault = caught.value
    while fault is not None:
        assert CANARY not in f"{fault!r} {fault}"
        fault = fault.__cause__
    return caught.value.what


class Hook:
    """Answers requests one after the other as told, then well; and keeps those it took."""

    def __init__(self, *answers):
        self.answers, self.got = list(answers), []

    def __call__(self, asked):
        body = asked.body
        how = self.answers.pop(0) if self.answers else 200
        if how == "reset":
            asked.drop()
        elif how == "slow":
            time.sleep(1)
        else:
            if how < 300:
                self.got.append((asked.path, dict(asked.headers), body))
            asked.say(b"", how, Location="http://127.0.0.1:1/elsewhere")


def slack(known, server):
    where = {"host": f"http://127.0.0.1:{server.port}/services", "password": f"T0/B0/{CANARY}"}
    return known("chat", conn_type="slackwebhook", **where, extra={"timeout": 0.3})


def pager(known, server, **more):
    extra = {"path": "/alerts", "headers": {"X-Team": "tiny"}, "timeout": 0.3}
    where = {"schema": "http", "host": "127.0.0.1", "port": server.port, "password": CANARY, "extra": extra}
    return known("pager", conn_type="http", **where | more)
