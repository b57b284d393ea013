"""Deliveries at the URL of an object store: against a small server that lists as Google, S3 and Azure do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests import served
from tests.bucket import Bucket

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, SourceClosed, SourceUnavailable, SpecInvalid
from updraft.sources import Connection, Found
from updraft.sources.reach.keyring import keys
from updraft.spec.sources import Source

pytestmark = pytest.mark.slow

DAY, NEXT = "2024-01-02", "2024-01-03"
BODY = bytes(range(250)) * 2_000
NAME = f"f/{DAY}.csv"
KEYS = {"login": "canary-id", "password": "canary-secret"}


def source(path="gs://bucket/f/{partition}.csv", *, caps=None, connection="store", complete="settled"):
    return Source.model_validate(
        {
            "type": "files",
            "path": path,
            "files": {"connection": connection, "complete": complete},
            "key": ["id"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
            "caps": caps or {},
        }
    )


def google(port, *, base=None):
    key = {"gcs_base_url": base or f"http://127.0.0.1:{port}", "disable_oauth": True, "client_email": "a@b.example"}
    extra = {"keyfile_dict": json.dumps({**key, "private_key": "canary-secret", "private_key_id": "1"})}
    return Connection("store", "google_cloud_platform", extra=extra)


def azure(port):
    return Connection("store", "wasb", f"http://127.0.0.1:{port}/account", login="account", password="Y2FuYXJ5")


def s3(port, **extra):
    said = {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "eu-central-1", **extra}
    return Connection("store", "aws", **KEYS, extra=said)


def find(declared, connection, *partitions):
    return sources.find(declared, partitions or [DAY], None, connections=lambda name: connection)


def fetch(declared, connection, origin=f"gs://bucket/{NAME}"):
    return sources.fetch(declared, Found(DAY, origin), None, connections=lambda name: connection).read()


@contextmanager
def holding(*names: str, **how) -> Iterator[tuple[Bucket, served.Server]]:
    """A bucket with objects in it, and its server."""
    bucket = Bucket("bucket", objects=dict.fromkeys(names, BODY), **how)
    with served.serving(bucket) as server:
        yield bucket, server


# ---- what is there ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "names", "there"),
    [
        pytest.param("f/{partition}.csv", [NAME], [NAME], id="its own name"),
        pytest.param("f/{partition}.csv", [f"{NAME}.gz", f"{NAME}.zst"], [f"{NAME}.gz", f"{NAME}.zst"], id="packed"),
        pytest.param("f/{partition}.csv", ["f/2024-01-03.csv", f"g/{DAY}.csv"], [], id="another day or folder"),
        pytest.param("{partition}.csv", [f"{DAY}.csv", NAME], [f"{DAY}.csv"], id="at the top"),
        pytest.param("f/{partition}/*.csv", [f"f/{DAY}/b.csv", f"f/{DAY}/a.csv", f"f/{DAY}/x/c.csv"],
                     [f"f/{DAY}/a.csv", f"f/{DAY}/b.csv"], id="several, by name"),
        pytest.param("f/{partition}/**/*.csv", [f"f/{DAY}/{n}.csv" for n in "abcde"],
                     [f"f/{DAY}/{n}.csv" for n in "abcde"], id="at any depth, over pages"),
        pytest.param("f/*{partition}*", [f"{NAME}.tmp", f"f/{DAY}.part", f"f/.{DAY}", "f/_SUCCESS"], [],
                     id="unfinished"),
        pytest.param("f/{partition} *.csv", [f"f/{DAY} 50%25 ü.csv"], [f"f/{DAY} 50%25 ü.csv"], id="any letters"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("scheme", "entered"), [("gs", google), ("s3", s3), ("az", azure), ("abfs", azure)])
def test_a_delivery_is_a_finished_object_whose_name_fits(scheme, entered, template, names, there):
    with holding(*names) as (_, server):
        declared, connection = source(f"{scheme}://bucket/{template}"), entered(server.port)
        found = find(declared, connection)
        assert [each.origin for each in found] == [f"{scheme}://bucket/{name}" for name in there]
        assert all(fetch(declared, connection, each.origin) == BODY for each in found)


def test_an_account_may_stand_in_the_url():
    root = "abfss://bucket@account.dfs.core.windows.net"
    declared = source(f"{root}/f/{{partition}}.csv")
    with holding(NAME) as (_, server):
        connection = Connection("store", "wasb", f"http://127.0.0.1:{server.port}/account", password="Y2FuYXJ5")
        (found,) = find(declared, connection)
        assert fetch(declared, connection, found.origin) == BODY
    assert found.origin == f"{root}/{NAME}"


def test_the_empty_object_that_stands_for_a_folder_is_no_delivery():
    with holding(f"f/{DAY}/a.csv") as (bucket, server):
        bucket.put(f"f/{DAY}/", b"")
        assert find(source("gs://bucket/f/{partition}*"), google(server.port)) == []
        bucket.put(f"f/{DAY}.csv", b"")
        found = find(source("gs://bucket/f/{partition}*"), google(server.port))
    assert [each.origin for each in found] == [f"gs://bucket/f/{DAY}.csv"]


def test_a_folder_in_which_many_partitions_lie_is_listed_once():
    days = [f"2024-01-0{day}" for day in range(1, 10)]
    with holding(f"f/{days[1]}.csv", f"f/{days[4]}.csv") as (_, server):
        found = find(source(), google(server.port), *reversed(days))
    assert [each.partition for each in found] == [days[4], days[1]]
    assert len(server.asked) == 1


def test_with_a_marker_objects_count_once_it_lies_beside_them():
    declared = source("gs://bucket/f/{partition}/**/*.csv", complete="marker")
    with holding(f"f/{DAY}/a.csv", f"f/{DAY}/x/b.csv") as (bucket, server):
        assert find(declared, google(server.port)) == []
        bucket.put(f"f/{DAY}/x/_SUCCESS", b"")
        assert [each.origin for each in find(declared, google(server.port))] == [f"gs://bucket/f/{DAY}/x/b.csv"]


def test_what_is_missing_is_what_a_sensor_waits_for():
    with holding(NAME) as (_, server):
        how = {"connections": lambda name: google(server.port)}
        assert sources.missing(source(), [DAY, NEXT], None, **how) == [NEXT]


@pytest.mark.parametrize("name", ["f//x.csv", "f/../x.csv", "f/a\tb.csv"])
def test_a_name_that_cannot_be_read_is_told_and_hides_nothing(name):
    with holding(NAME, name) as (_, server), pytest.raises(DeliveryRefused, match=r"rename or remove it") as refused:
        find(source(), google(server.port))
    assert "Encountered object with invalid path" in str(refused.value)
    assert "\t" not in str(refused.value)


def test_a_bucket_that_is_not_there_is_a_slip_in_the_spec():
    with holding() as (_, server), pytest.raises(SpecInvalid, match="There is no bucket 'gs://elsewhere'"):
        find(source("gs://elsewhere/{partition}.csv"), google(server.port))


def test_a_store_that_is_down_is_worth_another_try():
    with pytest.raises(SourceUnavailable, match="'store' did not answer") as failure:
        find(source(), google(served.free_port()))
    assert "canary" not in str(failure.value)


# ---- reads that go wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3_000_000, 17_000_001])
def test_an_object_comes_byte_for_byte(size):
    with holding() as (bucket, server):
        bucket.put(NAME, (BODY * 35)[:size])
        assert fetch(source(), google(server.port)) == bucket.objects[NAME]


def test_a_read_that_is_cut_goes_on_where_it_ended():
    with holding(NAME, cuts=3) as (bucket, server):
        assert fetch(source(), google(server.port)) == BODY
    assert len(bucket.ranges) == 4
    assert bucket.ranges[-1].startswith("bytes=")


def test_a_store_that_never_gets_anywhere_is_given_up():
    with holding(NAME, cut=0, cuts=1_000) as (_, server), pytest.raises(SourceUnavailable, match="'store'"):
        fetch(source(), google(server.port))


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed():
    with holding(NAME, cuts=2, replaced=True) as (_, server), pytest.raises(SourceUnavailable, match="broke off"):
        fetch(source(), google(server.port))


def test_an_object_larger_than_the_cap_is_refused_by_what_the_store_says_of_it():
    class Endless(Bucket):
        def _give(self, asked, name):
            asked.start(200, 1 << 40, ETag='"one"', Last_Modified="Tue, 02 Jan 2024 05:00:00 GMT")

    with (
        served.serving(Endless("bucket", objects={NAME: b""})) as server,
        pytest.raises(DeliveryRefused, match=rf"{1 << 40} bytes, the spec allows 10.*raise `caps.bytes`"),
    ):
        fetch(source(caps={"bytes": 10}), google(server.port))


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, SourceClosed), (401, SourceClosed), (403, SourceClosed), (404, DeliveryMissing), (500, SourceUnavailable)],
)
def test_what_a_store_answers_decides_whether_to_try_again(status, error):
    said = b"<Error><Message>canary-secret</Message></Error>"
    with served.serving(lambda asked: asked.say(said, status)) as server, pytest.raises(error) as failure:
        fetch(source(), google(server.port))
    assert "canary" not in f"{failure.value} {failure.value.__cause__!r}"
    assert failure.value.__suppress_context__


# ---- how to get in ----------------------------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch):
    """Keys of S3 that the environment holds, one of them short-lived."""
    for name, value in {"ACCESS_KEY_ID": "of-environment", "SECRET_ACCESS_KEY": "x", "SESSION_TOKEN": "short"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return monkeypatch


def entered(server):
    asked = server.asked[0].headers
    return asked["Authorization"].split("Credential=")[1].split("/")[0], asked["x-amz-security-token"]


def test_without_a_connection_the_environment_says_who_we_are(environment):
    with holding(NAME) as (_, server):
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        environment.setenv("AWS_ALLOW_HTTP", "true")
        declared = source("s3://bucket/f/{partition}.csv", connection=None)
        assert [each.origin for each in sources.find(declared, [DAY], None)] == [f"s3://bucket/{NAME}"]
    assert entered(server) == ("of-environment", "short")


def test_a_connection_is_not_mixed_with_keys_of_the_environment(environment):
    with holding(NAME) as (_, server):
        assert len(find(source("s3://bucket/f/{partition}.csv"), s3(server.port))) == 1
    assert entered(server) == ("canary-id", None)


def test_an_environment_that_is_not_let_in_is_named_and_not_quoted(environment):
    with served.serving(lambda asked: asked.say(status=403)) as server:
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        environment.setenv("AWS_ALLOW_HTTP", "true")
        with pytest.raises(SourceClosed, match=r"s3://bucket does not let in .*`files.connection`") as failure:
            sources.find(source("s3://bucket/{partition}", connection=None), [DAY], None)
    assert "of-environment" not in str(failure.value)


@pytest.mark.parametrize(
    ("scheme", "connection", "options", "address"),
    [
        pytest.param("s3", Connection("c", "aws", extra={"region_name": "eu-west-1"}), {"region": "eu-west-1"}, "",
                     id="S3 without keys: those of the environment"),
        pytest.param("gs", Connection("c", "google_cloud_platform", extra={"key_path": "/key.json"}),
                     {"service_account": "/key.json"}, "", id="Google by a key file"),
        pytest.param("gs", Connection("c", "google_cloud_platform", extra={"keyfile_dict": {"client_email": "a"}}),
                     {"service_account_key": '{"client_email": "a"}'}, "", id="Google by a key"),
        pytest.param("az", Connection("c", "wasb", login="acct", password="a2V5"),
                     {"account_name": "acct", "account_key": "a2V5"}, "", id="Azure by a key"),
        pytest.param("abfss", Connection("c", "wasb", "acct.blob.core.windows.net", login="acct",
                                         extra={"sas_token": "?sig=1"}),
                     {"account_name": "acct", "sas_key": "sig=1", "endpoint": "https://acct.blob.core.windows.net"},
                     "https://acct.blob.core.windows.net", id="Azure by a signature"),
    ],
)  # fmt: skip
def test_a_connection_is_read_as_airflow_s_provider_writes_it(scheme, connection, options, address):
    assert keys(scheme, connection) == (options, address)


def test_the_keys_of_an_aws_connection_come_with_their_own_token_only():
    found = keys("s3", s3(1, aws_session_token="own"))
    assert found.options["credential_provider"]()["token"] == "own"
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("connection", "why"),
    [
        pytest.param(Connection("c", "http"), "of type 'http', which does not open gs://", id="of another type"),
        pytest.param(Connection("c", "google_cloud_platform", extra={"impersonation_chain": "canary"}),
                     "enters by `impersonation_chain`", id="enters by what is not read"),
        pytest.param(Connection("c", "google_cloud_platform", extra={"keyfile_dict": "canary{"}),
                     "cannot be read", id="a key that is none"),
        pytest.param(Connection("c", "google_cloud_platform", extra={"key_path": "/no/such/canary"}),
                     "cannot be read", id="a key file that is none"),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_used_is_named(connection, why):
    with pytest.raises(SourceClosed, match=why) as failure:
        find(source(), connection)
    assert "canary" not in f"{failure.value} {failure.value.__cause__!r}"
