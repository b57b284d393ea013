"""Telling by webhooks that misbehave; no secret, and no address, in any word or log."""

import base64
import json
import time

import pytest
from tests.served import serving

# isort: split
from tests.plugins.notified import CANARY, TOLD, Hook, failing, pager, slack

from updraft.alert import render
from updraft_airflow.notifications import http
from updraft_airflow.notifications.slack import SlackNotifier
from updraft_airflow.notifications.webhook import WebhookNotifier, signature

pytestmark = pytest.mark.usefixtures("no_secret_is_logged")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(http.post.retry, "wait", lambda _: 0)


def test_a_chat_gets_blocks_at_an_address_that_is_never_shown(known):
    with serving(hook := Hook()) as server:
        SlackNotifier(connection=slack(known, server), alert=TOLD).notify({})
    ((path, headers, body),) = hook.got
    assert path == f"/services/T0/B0/{CANARY}"
    assert headers["Updraft-Message-Id"] == TOLD.message_id
    assert json.loads(body) == render.slack(TOLD)


def test_a_webhook_gets_everything_signed(known):
    with serving(hook := Hook()) as server:
        WebhookNotifier(connection=pager(known, server), alert=TOLD, attempt=3).notify({})
    ((path, headers, body),) = hook.got
    assert (path, headers["X-Team"], headers["Updraft-Attempt"]) == ("/alerts", "tiny", "3")
    seconds = int(headers["Updraft-Signature"].split(",")[0].removeprefix("t="))
    assert headers["Updraft-Signature"] == signature(CANARY, body, seconds)
    assert headers["Updraft-Signature"] != signature("another key", body, seconds)
    assert abs(seconds - time.time()) < 600
    said = json.loads(body)
    assert (said["kind"], said["event"], said["runbook"]) == ("incident", "opened", f"{TOLD.runbook}")
    assert base64.b64decode(said["chart_png"])[:4] == b"\x89PNG"
    assert CANARY.encode() not in body
    assert "Authorization" not in headers, "the key signs and is not sent"


def test_without_a_key_nothing_is_signed(known):
    with serving(hook := Hook()) as server:
        WebhookNotifier(connection=pager(known, server, password=""), alert=TOLD).notify({})
    assert "Updraft-Signature" not in hook.got[0][1]


@pytest.mark.parametrize("first", [[500], [429, 503], ["reset"], ["slow"], ["reset", "slow"]])
@pytest.mark.parametrize("make", [slack, pager])
def test_what_stumbles_is_asked_again_at_once(known, quick, make, first):
    kind = SlackNotifier if make is slack else WebhookNotifier
    with serving(hook := Hook(*first)) as server:
        kind(connection=make(known, server), alert=TOLD).notify({})
    assert len(hook.got) == 1


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        pytest.param([500] * 9, http.TRIES, id="down"),
        pytest.param(["reset"] * 9, http.TRIES, id="cut"),
        pytest.param(["slow"] * 9, http.TRIES, id="slow"),
        pytest.param([404], 1, id="no such place"),
        pytest.param([403], 1, id="not let in"),
        pytest.param([302], 1, id="sent elsewhere"),
    ],
)
@pytest.mark.parametrize("make", [slack, pager])
def test_what_does_not_take_it_is_given_up_for_now_in_words_without_its_address(known, quick, make, answers, asked):
    kind = SlackNotifier if make is slack else WebhookNotifier
    with serving(hook := Hook(*answers)) as server:
        assert "127.0.0.1" not in failing(kind(connection=make(known, server), alert=TOLD))
        assert len(server.asked) == asked
    assert hook.got == []


@pytest.mark.parametrize("host", ["", "http://[", "http://127.0.0.1:1", "ftp://127.0.0.1", "http://127.0.0.1:99999"])
def test_an_address_that_leads_nowhere_is_said_without_showing_it(known, quick, host):
    known("chat", conn_type="http", host=host, password=CANARY, extra={})
    if host:
        failing(SlackNotifier(connection="chat", alert=TOLD))
    known("pager", conn_type="http", host=host, password=CANARY, extra={})
    failing(WebhookNotifier(connection="pager", alert=TOLD))


def test_httpx_logs_as_ever_what_others_ask(known, caplog):
    import httpx

    with serving(Hook()) as server:
        httpx.post(f"http://127.0.0.1:{server.port}/other", content=b"x")
    assert "/other" in caplog.text
