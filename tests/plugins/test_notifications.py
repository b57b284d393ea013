"""Telling over the wire: a mail server, webhooks that misbehave, SNS; and no secret in any word or log."""

import asyncio
import base64
import json
import logging
import time
from datetime import UTC, datetime

import boto3
import pytest
from tests.plugins import tiny
from tests.plugins.mailbox import receiving
from tests.served import moto, serving

# isort: split
from airflow.sdk import BaseNotifier

from updraft.alert import render
from updraft.alert.alert import Alert, Finding, Series, alert, facts
from updraft.errors import AlertUndelivered
from updraft.spec.alerts import Destination
from updraft_airflow.notifications import http
from updraft_airflow.notifications.alert import AlertNotifier
from updraft_airflow.notifications.email import EmailNotifier
from updraft_airflow.notifications.slack import SlackNotifier
from updraft_airflow.notifications.sns import SnsNotifier
from updraft_airflow.notifications.webhook import WebhookNotifier, signature
from updraft_airflow.tell import send

CANARY = "canary-secret"
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
SERIES = Series("score_psi", "scores", (("2024-01-19", 0.1), ("2024-01-20", 0.4)), 0.2)
FOUND = Finding("incident", "7", "the <b>scores</b> moved @channel", "2024-01-20", facts({"a": "<i>"}), SERIES)
TOLD = alert(tiny.CASE, FOUND, 1, NOW, "https://wiki.example/runbooks")
OVER = TOLD.over("calm", NOW)


@pytest.fixture(autouse=True)
def _no_secret_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")  # Airflow leaves out what it says below a warning
    yield
    for record in caplog.get_records("call"):
        assert CANARY not in record.getMessage(), record.name


@pytest.fixture
def known(world, monkeypatch):
    """Make a connection known to Airflow."""

    def know(name, **said):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(said))
        return name

    return know


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(http.post.retry, "wait", lambda _: 0)


def failing(notifier):
    with pytest.raises(AlertUndelivered) as caught:
        notifier.notify({})
    fault = caught.value
    while fault is not None:
        assert CANARY not in f"{fault!r} {fault}"
        fault = fault.__cause__
    return caught.value.what


# ---- e-mail ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox():
    with receiving() as box:
        yield box


@pytest.fixture
def mail(mailbox, known):
    extra = {
        "disable_ssl": True,
        "disable_tls": True,
        "from_email": "updraft@example.com",
        "retry_limit": 0,
        "timeout": 5,
    }
    where = {"host": "127.0.0.1", "port": mailbox.port, "login": "updraft", "password": CANARY}
    return known("mail", conn_type="smtp", **where, extra=extra)


def test_a_mail_holds_text_html_and_the_chart(mailbox, mail):
    EmailNotifier(connection=mail, alert=TOLD).notify({})
    (got,) = mailbox.mails
    assert mailbox.logins == [("updraft", CANARY)]
    assert (got["To"], got["From"]) == ("tiny@example.com", "updraft@example.com")
    assert got["Subject"] == "[warning] tiny: An incident lasts (2024-01-20)"
    assert got["X-Updraft-Message-Id"] == TOLD.message_id
    kinds = [part.get_content_type() for part in got.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    assert "updraft status tiny" in got.get_body(("plain",)).get_content()
    page = got.get_body(("html",)).get_content()
    assert "the &lt;b&gt;scores&lt;/b&gt; moved" in page
    (picture,) = [part for part in got.walk() if part.get_content_type() == "image/png"]
    assert f"cid:{picture['Content-ID'].strip('<>')}" in page
    assert picture.get_content()[:4] == b"\x89PNG"


def test_the_mail_that_says_it_is_over_lies_below_the_one_that_opened_it(mailbox, mail):
    for told in (TOLD, OVER):
        EmailNotifier(connection=mail, alert=told).notify({})
    opened, over = mailbox.mails
    assert over["References"] == opened["Message-ID"]
    assert over["Message-ID"] != opened["Message-ID"]
    EmailNotifier(connection=mail, alert=TOLD, attempt=2).notify({})
    assert (mailbox.mails[2]["Message-ID"], mailbox.mails[2]["X-Updraft-Attempt"]) == (opened["Message-ID"], "2")


def test_a_mail_goes_where_the_connection_says(mailbox, known):
    extra = {"disable_ssl": True, "disable_tls": True, "to": "ops@example.com"}
    known("desk", conn_type="smtp", host="127.0.0.1", port=mailbox.port, extra=extra)
    EmailNotifier(connection="desk", alert=TOLD).notify({})
    assert (mailbox.mails[0]["To"], mailbox.logins) == ("ops@example.com", [])


def test_hostile_words_add_no_header_and_no_recipient(mailbox, mail):
    evil = alert(
        tiny.CASE, Finding("incident", "7", "x\r\nBcc: all@example.com", "a\r\nBcc: b@example.com"), 1, NOW, "r"
    )
    EmailNotifier(connection=mail, alert=evil).notify({})
    assert mailbox.recipients == ["TO:<tiny@example.com>"]
    assert mailbox.mails[0]["Bcc"] is None


@pytest.mark.parametrize(
    "answers", [{"AUTH": 535}, {"MAIL": 451}, {"RCPT": 550}, {"DATA": 554}, {"DATA": 0}, {"EHLO": 0}]
)
def test_a_mail_that_is_not_taken_is_not_delivered(mailbox, mail, answers):
    mailbox.answers = answers
    assert "did not arrive through the connection 'mail'" in failing(EmailNotifier(connection=mail, alert=TOLD))
    assert mailbox.mails == []


# ---- webhooks ----------------------------------------------------------------------------------------------------


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


# ---- SNS ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("fifo", [False, True])
def test_sns_hands_it_on_and_a_fifo_topic_only_once(known, fifo, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with moto() as server:
        keys = {"aws_access_key_id": "canary-id", "aws_secret_access_key": CANARY, "region_name": "us-east-1"}
        sns = boto3.client("sns", endpoint_url=server.address, **keys)
        sqs = boto3.client("sqs", endpoint_url=server.address, **keys)
        name, how = ("ops.fifo", {"FifoTopic": "true"}) if fifo else ("ops", {})
        topic = sns.create_topic(Name=name, Attributes=how)["TopicArn"]
        queue = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        extra = {"topic": topic, "endpoint_url": server.address, "region_name": "us-east-1"}
        known("topic", conn_type="aws", login="canary-id", password=CANARY, extra=extra)
        for attempt in (1, 2) if fifo else (1,):
            SnsNotifier(connection="topic", alert=TOLD, attempt=attempt).notify({})
        got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
        assert len(got) == 1
        said = json.loads(got[0]["Body"])
        assert said["Message"] == render.text(TOLD)
        assert said["Subject"] == render.subject(TOLD)
        assert said["MessageAttributes"]["message_id"]["Value"] == TOLD.message_id
        known("gone", conn_type="aws", login="canary-id", password=CANARY, extra={**extra, "topic": f"{topic}x"})
        assert "it answered" in failing(SnsNotifier(connection="gone", alert=TOLD))


def test_sns_without_a_topic_says_what_is_missing(known):
    known("topic", conn_type="aws", login="x", password=CANARY, extra={"region_name": "us-east-1"})
    assert "`topic`" in failing(SnsNotifier(connection="topic", alert=TOLD))


# ---- all of them -------------------------------------------------------------------------------------------------

NOTIFIERS = [EmailNotifier, SlackNotifier, SnsNotifier, WebhookNotifier]


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_a_notifier_is_one_of_airflow_s_and_renders_no_word_as_a_template(kind):
    assert issubclass(kind, BaseNotifier)
    assert issubclass(kind, AlertNotifier)
    assert tuple(kind.template_fields) == ()
    assert kind.__doc__


@pytest.mark.parametrize("kind", NOTIFIERS)
def test_a_connection_that_airflow_does_not_know_is_named(world, kind):
    assert "'nowhere'" in failing(kind(connection="nowhere", alert=TOLD))


def test_a_template_in_the_data_stays_text_on_its_way_through_airflow(known):
    evil = alert(tiny.CASE, Finding("incident", "7", "{{ 6 * 7 }} {{ conn.chat.password }}"), 1, NOW, "r")
    with serving(hook := Hook()) as server:
        notifier = WebhookNotifier(connection=pager(known, server), alert=evil)
        notifier({})
        asyncio.run(notifier.async_notify({}))
    assert [json.loads(body)["what"] for _, _, body in hook.got] == ["{{ 6 * 7 }} {{ conn.chat.password }}"] * 2


@pytest.mark.parametrize("to", ["email", "slack", "sns", "webhook"])
def test_each_way_a_spec_may_name_has_its_notifier(world, to):
    with pytest.raises(AlertUndelivered, match="'nowhere'"):
        send(Destination(to=to, connection="nowhere"), TOLD, 1)


def test_what_is_sent_is_an_alert():
    assert isinstance(TOLD, Alert)
