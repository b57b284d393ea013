"""Sources that say what has come: in an inbox, or in messages of S3."""

import json
from urllib.parse import quote_plus

from tests.conftest import SPEC
from tests.inbox import put

from updraft.spec.model import UseCase

DAY, NEXT = "2024-01-02", "2024-01-03"


def case_of(path="facts/{partition}.csv", *, queue="https://sqs.example.com/1/facts", every="day", **more):
    """The tiny use case, its facts in a bucket that tells of them; `queue=None` for files in the inbox."""
    facts = {**SPEC["sources"]["facts"], "path": path, **more}
    if queue:
        s3 = {"connection": "store", "bucket": "bucket", "notifications": {"queue": queue}}
        facts = {**facts, "type": "s3", "s3": s3}
    first = {"day": "2024-01-01", "hour": "2024-01-01T00", "week": "2024-W01"}[every]
    spec = {**SPEC, "sources": {"facts": facts}, "partitions": {"every": every, "timezone": "UTC", "first": first}}
    return UseCase.model_validate_json(json.dumps(spec), strict=True)


CASE = case_of()


def record(key=f"facts/{DAY}.csv", *, bucket="bucket", event="ObjectCreated:Put"):
    return {
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2024-01-02T00:00:00.000Z", "eventName": event,
        "s3": {"bucket": {"name": bucket, "arn": "x"}, "object": {"key": quote_plus(key), "eTag": "0", "size": 1}},
    }  # fmt: skip


def message(*records):
    return json.dumps({"Records": list(records)})


def keys(heard):
    return [arrival.partition for arrival in heard.arrivals]


def drop(root, name, text="id\n", *, age=60.0):
    return put(root / name, text, age=age)


FILES = case_of(queue=None)
