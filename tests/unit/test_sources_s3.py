"""Objects: against moto's S3, and against a server that cuts, lies and replaces."""

import re
from zlib import crc32

import boto3
import pytest
from tests import served

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, SourceClosed, SourceUnavailable, SpecInvalid
from updraft.sources import Connection, Found
from updraft.spec.sources import Source

DAY, NEXT = "2024-01-02", "2024-01-03"
KEYS = {"login": "canary-id", "password": "canary-secret"}


def source(path="facts/{partition}.csv", *, caps=None, **settings):
    return Source.model_validate(
        {
            "type": "s3",
            "path": path,
            "s3": {"connection": "store", "bucket": "bucket", **settings},
            "key": ["id"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
            "caps": caps or {},
        }
    )


def connection(address):
    return Connection("store", "aws", **KEYS, extra={"endpoint_url": address, "region_name": "us-east-1"})


def find(declared, address, *keys):
    return sources.find(declared, keys, None, connections=lambda name: connection(address))


def fetch(declared, address, origin="s3://bucket/facts/2024-01-02.csv"):
    return sources.fetch(declared, Found(DAY, origin), None, connections=lambda name: connection(address)).read()


# ---- what is there ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store():
    with served.moto() as running:
        yield running


@pytest.fixture
def bucket(store, request):
    """A client, and the name of an empty bucket."""
    name = f"bucket-{crc32(request.node.name.encode())}"
    keys = {"aws_access_key_id": KEYS["login"], "aws_secret_access_key": KEYS["password"]}
    client = boto3.client("s3", endpoint_url=store.address, region_name="us-east-1", **keys)
    client.create_bucket(Bucket=name)
    return client, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "names", "there"),
    [
        pytest.param("f/{partition}.csv", ["f/2024-01-02.csv"], ["f/2024-01-02.csv"], id="its own name"),
        pytest.param("f/{partition}.csv", ["f/2024-01-02.csv.gz", "f/2024-01-02.csv.zst"],
                     ["f/2024-01-02.csv.gz", "f/2024-01-02.csv.zst"], id="compressed"),
        pytest.param("f/{partition}.csv", ["f/2024-01-03.csv", "g/2024-01-02.csv"], [], id="another day or folder"),
        pytest.param("f/{partition}/*.csv", ["f/2024-01-02/b.csv", "f/2024-01-02/a.csv", "f/2024-01-02/x/c.csv"],
                     ["f/2024-01-02/a.csv", "f/2024-01-02/b.csv"], id="several, by name"),
        pytest.param("f/{partition}/**/*.csv", ["f/2024-01-02/a.csv", "f/2024-01-02/x/c.csv"],
                     ["f/2024-01-02/a.csv", "f/2024-01-02/x/c.csv"], id="at any depth"),
        pytest.param("*/{partition}*", ["f/2024-01-02.csv.tmp", "f/2024-01-02.part", "f/.2024-01-02", "f/2024-01-02/"],
                     [], id="unfinished, hidden, a folder's own object"),
    ],
)  # fmt: skip
def test_a_delivery_is_a_finished_object_whose_name_fits(store, bucket, template, names, there):
    client, name = bucket
    for key in names:
        client.put_object(Bucket=name, Key=key, Body=b"x")
    found = find(source(template, bucket=name), store.address, DAY)
    assert [each.origin for each in found] == [f"s3://{name}/{key}" for key in there]


@pytest.mark.slow
def test_more_objects_than_a_page_holds_are_all_found(store, bucket):
    client, name = bucket
    for number in range(1005):
        client.put_object(Bucket=name, Key=f"f/{DAY}/{number:04}.csv", Body=b"")
    assert len(find(source("f/{partition}/*", bucket=name), store.address, DAY)) == 1005


@pytest.mark.slow
def test_with_a_marker_objects_count_once_it_lies_beside_them(store, bucket):
    client, name = bucket
    declared = source("f/{partition}/*.csv", bucket=name, complete="marker")
    client.put_object(Bucket=name, Key=f"f/{DAY}/a.csv", Body=b"x")
    assert find(declared, store.address, DAY) == []
    client.put_object(Bucket=name, Key=f"f/{DAY}/_SUCCESS", Body=b"")
    assert [found.origin for found in find(declared, store.address, DAY)] == [f"s3://{name}/f/{DAY}/a.csv"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_an_object_comes_byte_for_byte(store, bucket, size):
    client, name = bucket
    body = bytes(range(256)) * (size // 256) + b"\x1f" * (size % 256)
    client.put_object(Bucket=name, Key="f/x", Body=body)
    assert fetch(source(bucket=name), store.address, f"s3://{name}/f/x") == body


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_a_slip_in_the_spec(store):
    with pytest.raises(SpecInvalid, match="There is no bucket 'nowhere'"):
        find(source(bucket="nowhere"), store.address, DAY)


def test_a_store_that_is_down_is_worth_another_try():
    with pytest.raises(SourceUnavailable, match="'store' did not answer") as failure:
        find(source(), f"http://127.0.0.1:{served.free_port()}", DAY)
    assert "canary" not in str(failure.value)


def test_a_connection_without_keys_is_named(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bare = Connection("store", "aws", extra={"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"})
    with pytest.raises(SourceClosed, match="'store'"):
        sources.find(source(), [DAY], None, connections=lambda name: bare)


# ---- reads that go wrong ----------------------------------------------------------------------------------------

BODY = bytes(range(250)) * 2_000


class Objects:
    """A store with one object that answers ranges, and is cut after some bytes as often as told.

    :param cut: Bytes after which a read ends.
    :param times: How often that happens.
    :param replaced: From which request on the object is another one.
    """

    def __init__(self, cut=100_000, times=0, replaced=1_000):
        self.cut, self.times, self.replaced = cut, times, replaced
        self.ranges = []

    def __call__(self, asked):
        etag = '"one"' if asked.number < self.replaced else '"two"'
        if asked.handler.command == "HEAD":
            return asked.say(BODY, ETag=etag)
        if asked.headers["If-Match"] != etag:
            return asked.say(b"<Error><Code>PreconditionFailed</Code></Error>", 412)
        self.ranges.append(asked.headers["Range"])
        start = int(re.match(r"bytes=(\d+)-", asked.headers["Range"])[1])
        rest = BODY[start:]
        if len(self.ranges) <= self.times:
            asked.say(rest[: self.cut], 206, length=len(rest), ETag=etag)
            return asked.drop()
        return asked.say(rest, 206, ETag=etag)


def test_a_read_that_is_cut_goes_on_where_it_ended():
    objects = Objects(times=3)
    with served.serving(objects) as server:
        assert fetch(source(), f"http://127.0.0.1:{server.port}") == BODY
    starts = [int(asked.split("=")[1].split("-")[0]) for asked in objects.ranges]
    assert len(starts) == 4
    assert starts == sorted(starts)
    assert starts[-1] > 0


def test_a_store_that_never_gets_anywhere_is_given_up():
    with served.serving(Objects(cut=0, times=1_000)) as server, pytest.raises(SourceUnavailable, match="'store'"):
        fetch(source(), f"http://127.0.0.1:{server.port}")


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed():
    with served.serving(Objects(times=2, replaced=2)) as server, pytest.raises(DeliveryMissing, match="was replaced"):
        fetch(source(), f"http://127.0.0.1:{server.port}")


def test_an_object_larger_than_the_cap_is_not_read_at_all():
    objects = Objects()
    with served.serving(objects) as server, pytest.raises(DeliveryRefused, match=r"500000 bytes, the spec allows 10"):
        fetch(source(caps={"bytes": 10}), f"http://127.0.0.1:{server.port}")
    assert objects.ranges == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, SourceClosed),
        (403, SourceClosed),
        (404, DeliveryMissing),
        (500, SourceUnavailable),
        (503, SourceUnavailable),
    ],
)
def test_what_a_store_answers_decides_whether_to_try_again(status, error):
    with served.serving(lambda asked: asked.say(status=status)) as server, pytest.raises(error) as failure:
        fetch(source(), f"http://127.0.0.1:{server.port}")
    assert "canary-secret" not in str(failure.value)
