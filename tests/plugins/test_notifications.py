"""Telling over the wire: every notifier is one of Airflow's, and SNS hands it on; no secret in any word or log."""

import asyncio
import json

import boto3
import pytest
from tests.plugins import tiny
from tests.served import moto, serving

# isort: split
from airflow.sdk import BaseNotifier
from tests.plugins.notified import CANARY, NOW, TOLD, Hook, failing, pager

from updraft.alert import render
from updraft.alert.alert import Alert, Finding, alert
from updraft.errors import AlertUndelivered
from updraft.spec.alerts import Destination
from updraft_airflow.notifications.alert import AlertNotifier
from updraft_airflow.notifications.email import EmailNotifier
from updraft_airflow.notifications.slack import SlackNotifier
from updraft_airflow.notifications.sns import SnsNotifier
from updraft_airflow.notifications.webhook import WebhookNotifier
from updraft_airflow.tell import send

pytestmark = pytest.mark.usefixtures("no_secret_is_logged")


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
