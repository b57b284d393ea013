"""The lake and the ledger on an object store: moto's S3 server, in a process of its own."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from zlib import crc32

import boto3
import pyarrow as pa
import pytest
from tests.s3_server import one_put_at_a_time
from tests.served import free_port, moto

from updraft.errors import LakeUnavailable, LedgerBroken, NameInvalid
from updraft.lake import Lake
from updraft.ledger import Ledger

pytestmark = pytest.mark.slow

KEYS = {"aws_access_key_id": "canary-id", "aws_secret_access_key": "canary-secret"}


@pytest.fixture(scope="module")
def endpoint():
    """Address of an S3 server that ends with this module, whatever its tests do."""
    with moto() as server:
        yield server.address


@pytest.fixture
def lake(endpoint, request):
    bucket = f"bucket-{crc32(request.node.name.encode())}"
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **KEYS).create_bucket(Bucket=bucket)
    return Lake(f"s3://{bucket}/some/lake", {**KEYS, "region": "us-east-1", "endpoint": endpoint, "allow_http": "true"})


def rows(partition, *values):
    return pa.table({"partition": [partition] * len(values), "v": list(values)})


# ---- objects ----------------------------------------------------------------------------------------------------


def test_an_object_is_created_once(lake):
    assert lake.create("models/a/model.txt", b"first")
    assert not lake.create("models/a/model.txt", b"second")
    assert lake.get("models/a/model.txt") == b"first"


def test_an_object_can_be_replaced_and_listed(lake):
    for key in ("models/b/1", "models/a/2", "models/a/1", "modelsx/1"):
        lake.put(key, b"x")
    lake.put("models/a/1", b"y")
    assert lake.get("models/a/1") == b"y"
    assert lake.keys("models") == ["models/a/1", "models/a/2", "models/b/1"]
    assert lake.keys("nothing") == []


def test_an_object_that_is_not_there_is_not_found(lake):
    with pytest.raises(FileNotFoundError):
        lake.get("models/none")


def test_a_key_cannot_leave_the_prefix(lake):
    with pytest.raises(NameInvalid):
        lake.put("../other/lake", b"x")


def test_of_many_creators_exactly_one_creates(lake):
    start = Barrier(8)

    def create(n):
        start.wait()
        return lake.create("once", str(n).encode())

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create, range(8)))
    assert created.count(True) == 1
    assert lake.get("once") == str(created.index(True)).encode()


def test_the_server_of_these_tests_lets_no_put_in_between_look_and_write():
    there, both = list[str](), Barrier(2)

    def create(environ, start):
        free = not there
        time.sleep(0.02)  # another thread comes in here if it can
        if free:
            there.append("x")
        return [b"created" if free else b"was there"]

    def ask(app):
        both.wait()
        return b"".join(app({"REQUEST_METHOD": "PUT"}, None))

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, [one_put_at_a_time(create)] * 2)) == [b"created", b"was there"]


# ---- tables -----------------------------------------------------------------------------------------------------


def test_a_table_is_replaced_partition_by_partition(lake):
    assert lake.read("raw/plan") is None
    lake.replace("raw/plan", rows("2013-04-01", 1, 2), ["2013-04-01"])
    lake.replace("raw/plan", rows("2013-04-02", 3), ["2013-04-02"])
    lake.replace("raw/plan", rows("2013-04-01", 9), ["2013-04-01"])
    assert lake.partitions("raw/plan") == ["2013-04-01", "2013-04-02"]
    assert lake.read("raw/plan", ["2013-04-01"]) == rows("2013-04-01", 9)
    assert lake.read("raw/plan", ["2013-04-02"], ["v"]) == rows("2013-04-02", 3).select(["v"])


def test_the_same_rows_again_commit_nothing(lake):
    versions = [lake.replace("raw/plan", rows("2013-04-01", 1, 2), ["2013-04-01"]) for _ in range(2)]
    assert versions == [1, 1]
    assert lake.version("raw/plan") == 1


def test_updates_at_once_lose_nothing(lake):
    lake.replace("raw/plan", rows("2013-04-01", 0), ["2013-04-01"])

    def add(n):
        return lake.update("raw/plan", ["2013-04-01"], lambda now: pa.concat_tables([now, rows("2013-04-01", n)]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(1, 5)))
    found = lake.read("raw/plan")
    assert found is not None
    assert sorted(found["v"].to_pylist()) == [0, 1, 2, 3, 4]


# ---- the ledger -------------------------------------------------------------------------------------------------


def test_a_ledger_keeps_its_chain(lake):
    ledger = Ledger(lake, "flights")
    ledger.append("gated", why="PASS", who="train", model="m1", facts={"auc": 0.7})
    ledger.append("promoted", why="PASS", who="train", model="m1")
    assert ledger.verify() == 2
    assert ledger.state().champion == "m1"
    lake.put("ledger/flights/00000002.json", lake.get("ledger/flights/00000002.json").replace(b"m1", b"m2"))
    with pytest.raises(LedgerBroken, match="Record 2"):
        ledger.state()


def counted(lake, monkeypatch):
    """Keys that are read from now on."""
    read, get = list[str](), Lake.get
    monkeypatch.setattr(Lake, "get", lambda self, key: (read.append(key.rpartition("/")[2]), get(self, key))[1])
    return read


def test_a_record_that_was_read_is_read_again_only_when_it_changed_or_is_verified(lake, monkeypatch):
    ledger = Ledger(lake, "flights")
    for n in range(3):
        ledger.append("trained", why="weekly", who="train", model=f"m{n}")
    ledger.state()
    read = counted(lake, monkeypatch)
    assert ledger.state() == Ledger(lake, "flights").state()
    assert read == ["head", "head"]
    assert (ledger.verify(), sorted(read[2:])) == (3, ["00000001.json", "00000002.json", "00000003.json", "head"])
    sound = lake.get("ledger/flights/00000002.json")
    lake.put("ledger/flights/00000002.json", sound.replace(b"m1", b"m7"))
    for broken in (ledger.state, ledger.verify, lambda: ledger.append("trained", why="w", who="w")):
        with pytest.raises(LedgerBroken, match="Record 2"):
            broken()
    lake.put("ledger/flights/00000002.json", sound)
    assert ledger.state().head == 3


def test_what_verifies_a_ledger_believes_no_memory(lake, monkeypatch):
    ledger, key = Ledger(lake, "flights"), "ledger/flights/00000001.json"
    for n in range(2):
        ledger.append("trained", why="weekly", who="train", model=f"m{n}")
    ledger.state()
    seen = lake.tags("ledger/flights")
    lake.put(key, lake.get(key).replace(b"m0", b"m9"))
    monkeypatch.setattr(Lake, "tags", lambda self, prefix: seen)  # a store that lies about what changed
    assert ledger.state().records[0].model == "m0"
    with pytest.raises(LedgerBroken, match="Record 1"):
        ledger.verify()
    assert [fault.what for fault in ledger.faults()] == ["Record 1 of the ledger was changed."]


def test_racing_writers_of_a_ledger_lose_nothing(lake):
    ledger, start = Ledger(lake, "flights"), Barrier(8)

    def write(n):
        start.wait()
        return ledger.append("decided", why=f"w{n}", who="w").sequence

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == list(range(1, 9))
    assert {r.why for r in ledger.records()} == {f"w{n}" for n in range(8)}
    assert ledger.verify() == 8


# ---- faults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(lambda lake: lake.get("a"), id="get"),
        pytest.param(lambda lake: lake.put("a", b""), id="put"),
        pytest.param(lambda lake: lake.create("a", b""), id="create"),
        pytest.param(lambda lake: lake.keys("a"), id="keys"),
        pytest.param(lambda lake: lake.read("raw/plan"), id="read"),
        pytest.param(lambda lake: lake.replace("raw/plan", rows("2013-04-01", 1), ["2013-04-01"]), id="replace"),
        pytest.param(lambda lake: Ledger(lake, "flights").state(), id="ledger"),
    ],
)
def test_a_bucket_that_is_not_there_is_a_typed_failure_without_secrets(endpoint, question):
    options = {**KEYS, "region": "us-east-1", "endpoint": endpoint, "allow_http": "true"}
    with pytest.raises((LakeUnavailable, FileNotFoundError)) as failure:
        question(Lake("s3://no-such-bucket/lake", options))
    assert "canary-secret" not in str(failure.value)


def test_a_store_that_is_down_is_a_transient_failure():
    options = {**KEYS, "region": "us-east-1", "endpoint": f"http://127.0.0.1:{free_port()}", "allow_http": "true"}
    with pytest.raises(LakeUnavailable) as failure:
        Lake("s3://bucket/lake", options).get("a")
    assert "canary-secret" not in str(failure.value)


def test_options_are_not_shown(lake):
    assert "canary" not in repr(lake)
