"""The queue, against moto's: a message stays until what it says was handed on."""

import boto3
import pytest
from tests import served
from tests.arriving import DAY, NEXT, case_of, keys, message, record

from updraft.arrivals.queue import Queue
from updraft.errors import SourceClosed, SourceUnavailable

KEYS = {"aws_access_key_id": "canary-id", "aws_secret_access_key": "canary-secret", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def moto():
    with served.moto() as running:
        yield running


@pytest.fixture
def sqs(moto):
    return boto3.client("sqs", endpoint_url=moto.address, **KEYS)


@pytest.fixture
def queue(sqs, request):
    """Address of an empty queue whose messages come again at once."""
    name = f"q{abs(hash(request.node.name)) % 10**9}"
    return sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]


def left(sqs, queue):
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


@pytest.mark.slow
def test_messages_stay_until_what_they_say_was_handed_on(sqs, queue):
    case = case_of(queue=queue)
    for body in (message(record(f"facts/{NEXT}.csv")), "junk", message(record()), message(record())):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    lost = Queue(case, "facts", sqs).hear()
    assert keys(lost) == [DAY, NEXT]
    listener = Queue(case, "facts", sqs)
    again = listener.hear()
    assert keys(again) == [DAY, NEXT]
    assert "not a notification of S3: the message: json_invalid" in again.dropped
    listener.done()
    assert left(sqs, queue) == 0
    assert listener.hear().arrivals == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "error"),
    [(403, SourceClosed), (400, SourceClosed), (503, SourceUnavailable), (None, SourceUnavailable)],
    ids=["not let in", "not there", "down", "cut off"],
)
def test_a_queue_that_does_not_answer_is_an_error_that_says_what_to_do(answer, error):
    from botocore.config import Config

    def refuse(asked):
        if answer is None:
            asked.drop()
        else:
            asked.say(b'{"__type": "Refused"}', answer)

    with served.serving(refuse) as server:
        address = f"http://127.0.0.1:{server.port}"
        client = boto3.client("sqs", endpoint_url=address, config=Config(retries={"total_max_attempts": 1}), **KEYS)
        with pytest.raises(error, match="notifications about facts of tiny") as raised:
            Queue(case_of(queue=f"{address}/1/facts"), "facts", client).hear()
    assert "canary" not in str(raised.value)
