"""What is said about deliveries: names that the spec knows, whoever says it and however badly."""

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import served
from tests.conftest import SPEC

from updraft import ingest
from updraft.arrivals.arrival import MOST, Arrival, quoted, shown
from updraft.arrivals.inbox import Inbox
from updraft.arrivals.message import said
from updraft.arrivals.named import named
from updraft.arrivals.queue import Queue
from updraft.arrivals.ready import ready
from updraft.errors import SourceClosed, SourceUnavailable
from updraft.partition import calendar
from updraft.sources.reach import names
from updraft.spec.model import UseCase

DAY, NEXT = "2024-01-02", "2024-01-03"
KEYS = {"aws_access_key_id": "canary-id", "aws_secret_access_key": "canary-secret", "region_name": "us-east-1"}


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


# ---- a message --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "every", "key", "partitions"),
    [
        pytest.param("facts/{partition}.csv", "day", "facts/2024-01-02.csv", ["2024-01-02"], id="a day"),
        pytest.param("facts/{partition}.csv", "day", "facts/2024-01-02.csv.gz", ["2024-01-02"], id="packed"),
        pytest.param("{partition}/*.csv", "hour", "2024-01-02T05/a b+c.csv", ["2024-01-02T05"], id="an hour, odd name"),
        pytest.param("f/{partition}/**/*.csv", "week", "f/2024-W05/a/b/c.csv", ["2024-W05"], id="a week, folders"),
        pytest.param("{partition}/*.csv", "day", "2024-01-02/2024-01-03.csv", ["2024-01-02"], id="two dates, one fits"),
        pytest.param("{partition}/*.csv", "day", "2024-01-02/_SUCCESS", ["2024-01-02"], id="the marker beside it"),
        pytest.param("f/{partition}.csv", "day", "f/12024-01-02.csv", [], id="digits before"),
        pytest.param("f/{partition}.csv", "day", "f/2024-02-30.csv", [], id="no day"),
        pytest.param("f/{partition}.csv", "day", "f/2023-12-31.csv", [], id="before the first"),
        pytest.param("f/{partition}.csv", "day", "f/2024-01-02.csv.tmp", [], id="unfinished"),
        pytest.param("f/{partition}.csv", "day", "f/2024-01-02.csv\n", [], id="a line's end"),
        pytest.param("f/{partition}.csv", "day", "../f/2024-01-02.csv", [], id="a way out"),
        pytest.param("f/{partition}.csv", "day", "/f/2024-01-02.csv", [], id="an absolute path"),
        pytest.param("f/{partition}.csv", "day", "f/../f/2024-01-02.csv", [], id="a detour"),
        pytest.param("f/{partition}.csv", "day", "f/{partition}.csv", [], id="the template itself"),
        pytest.param("f/{partition}.csv", "day", "f/{{ ds }}.csv", [], id="a template of Airflow"),
        pytest.param("f/{partition}.csv", "day", "f/\uff12\uff10\uff12\uff14-01-02.csv", [], id="other digits"),
        pytest.param("f/{partition}.csv", "day", "f/2024-01-02.csv'; DROP TABLE x; --", [], id="SQL"),
        pytest.param("f/**/{partition}.csv", "day", "f/" + "a/" * 500 + "2024-01-02.csv", [], id="very deep"),
        pytest.param("f/*{partition}.csv", "day", "f/" + "2024-01-02" * 200 + ".csv", [], id="too long"),
    ],
)
def test_a_key_names_a_partition_only_as_the_spec_s_path_says(path, every, key, partitions):
    assert keys(said(message(record(key)), case_of(path, every=every), "facts")) == partitions


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param("", "not a notification of S3: the message: json_invalid", id="nothing"),
        pytest.param("{", "not a notification of S3: the message: json_invalid", id="cut off"),
        pytest.param("[" * 100_000, "not a notification of S3: the message: json_invalid", id="a deep one"),
        pytest.param("\ud800", "not a notification of S3: the message: json_invalid", id="no text"),
        pytest.param("[]", "not a notification of S3: the message: model_type", id="a list"),
        pytest.param(
            '{"Event": "s3:TestEvent"}', "not a notification of S3: Records: missing", id="a test of the queue"
        ),
        pytest.param('{"Records": []}', "not a notification of S3: Records: too_short", id="no record"),
        pytest.param(message(*[record()] * 101), "not a notification of S3: Records: too_long", id="a flood"),
        pytest.param(message({**record(), "eventName": 7}), "Records.0.eventName: string_type", id="another type"),
        pytest.param(message(record("k" * 4000)), "Records.0.s3.object.key: string_too_long", id="a long key"),
        pytest.param("x" * (2 * 1024 * 1024), "a message of 2097152 characters", id="too large"),
        pytest.param(message(record(event="ObjectRemoved:Delete")), "is no creation of an object", id="a removal"),
        pytest.param(message(record(bucket="other")), "'other' is not the bucket of facts", id="another bucket"),
        pytest.param(message(record()).replace("facts%2F", "%FF"), "is no key of an object", id="no UTF-8"),
        pytest.param(
            message(record("x\x1b[2J\nERROR " + "x" * 999)), r"'x\x1b[2J\nERROR xxx", id="writes into the log"
        ),
    ],
)
def test_what_names_no_delivery_is_dropped_with_a_reason_that_is_short_and_of_our_making(body, why):
    heard = said(body, CASE, "facts")
    assert heard.arrivals == ()
    assert [why in reason for reason in heard.dropped] == [True]
    assert len(heard.dropped[0]) < 200
    assert heard.dropped[0].isprintable()


def test_one_bad_record_does_not_take_the_others_with_it_and_a_doubled_one_counts_once():
    heard = said(message(record(), record("../x"), record(), record(f"facts/{NEXT}.csv")), CASE, "facts")
    assert heard.arrivals == (Arrival("tiny", "facts", DAY), Arrival("tiny", "facts", NEXT))
    assert heard.dropped == ("'../x' is no delivery of facts",)


@pytest.mark.slow
@given(st.text(max_size=200), st.sampled_from(["day", "hour", "week"]))
def test_whatever_the_key_a_partition_is_of_the_calendar_and_its_own_path_fits_the_key(junk, every):
    case = case_of("f/**/*{partition}*", every=every)
    example = {"day": DAY, "hour": f"{DAY}T05", "week": "2024-W07"}[every]
    dates = calendar(case)
    for key in (junk, f"f/{junk}{example}", f"f/{example}/{junk}", f"f/{example[:4]}{junk}{example[4:]}"):
        for partition in keys(said(message(record(key)), case, "facts")):
            assert dates.at(partition).key == partition
            assert partition in key
            assert any(names.fits(key, each) for each in names.patterns(case.sources["facts"], partition))


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=9) | st.integers(), st.lists) | st.binary(max_size=99))
def test_no_message_is_an_error(junk):
    body = junk.decode("latin-1") if isinstance(junk, bytes) else json.dumps({"Records": junk})
    heard = said(body, CASE, "facts")
    assert (heard.arrivals, len(heard.dropped)) == ((), 1)


def test_a_stranger_s_words_are_shown_short_and_ten_at_most():
    assert quoted("a\n" + "b" * 99) == r"'a\n" + "b" * 58 + "…'"
    assert shown([str(number) for number in range(12)]) == "12: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; …"


# ---- an event of Airflow, which anybody with its API may have sent ------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(None, "model_type", id="nothing"),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "facts"}]}, "0.partition': missing", id="no partition"
        ),
        pytest.param({"arrivals": [], "run": "rm"}, "'run': extra_forbidden", id="more than names"),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "../facts", "partition": DAY}]},
            "source': string_pattern_mismatch",
            id="a path",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "facts", "partition": DAY * 9}]},
            "string_too_long",
            id="a long partition",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "facts", "partition": "2024-1-2"}]},
            "'2024-1-2' is no partition of tiny",
            id="no partition of the calendar",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "other", "source": "facts", "partition": DAY}]},
            "facts of other is no source of tiny",
            id="another use case",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "loot", "partition": DAY}]},
            "loot of tiny is no source of tiny",
            id="an unknown source",
        ),
        pytest.param({"\n" * 99: 1, "arrivals": []}, r"'\n\n", id="writes into the log"),
    ],
)
def test_an_event_that_says_anything_else_is_dropped(payload, why):
    heard = named([payload], CASE)
    assert heard.arrivals == ()
    assert [why in reason for reason in heard.dropped] == [True]
    assert heard.dropped[0].isprintable()


def test_what_several_events_name_counts_once():
    told = [{"arrivals": [{"use_case": "tiny", "source": "facts", "partition": day}]} for day in (NEXT, DAY, NEXT)]
    assert keys(named(told, CASE)) == [DAY, NEXT]


# ---- the inbox --------------------------------------------------------------------------------------------------


@pytest.fixture
def inbox(tmp_path):
    root = tmp_path / "inbox"
    root.mkdir()
    return root


def drop(root, name, text="id\n", *, age=60.0):
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    then = time.time() - age
    os.utime(file, (then, then))
    return file


FILES = case_of(queue=None)


def listening(root, *landed, case=FILES):
    return Inbox(case, "facts", root, lambda: set(landed))


def test_a_file_is_named_once_and_again_when_it_is_another(inbox):
    listener = listening(inbox)
    assert keys(listener.hear()) == []
    drop(inbox, f"facts/{DAY}.csv")
    assert listener.hear().arrivals == (Arrival("tiny", "facts", DAY),)
    assert keys(listener.hear()) == []
    drop(inbox, f"facts/{DAY}.csv", "id\n1\n", age=50)
    assert keys(listener.hear()) == [DAY]


def test_after_a_new_start_what_has_landed_is_no_news_until_it_changes(inbox):
    for day in (DAY, NEXT):
        drop(inbox, f"facts/{day}.csv")
    listener = listening(inbox, DAY)
    assert keys(listener.hear()) == [NEXT]
    drop(inbox, f"facts/{DAY}.csv", "id\n1\n")
    assert keys(listener.hear()) == [DAY]


@pytest.mark.parametrize(
    ("complete", "whole", "marked"),
    [("settled", [NEXT], []), ("atomic", [DAY, NEXT], []), ("marker", [], [NEXT])],
    ids=["settled", "atomic", "marker"],
)
def test_a_file_counts_when_it_is_whole_as_the_spec_says(inbox, complete, whole, marked, monkeypatch):
    case = case_of("facts/{partition}/a.csv", queue=None, files={"complete": complete})
    written, done = drop(inbox, f"facts/{DAY}/a.csv", age=0), drop(inbox, f"facts/{NEXT}/a.csv")

    def grows(_):
        with written.open("a", encoding="utf-8") as file:
            file.write("more")

    monkeypatch.setattr(time, "sleep", grows)
    listener = listening(inbox, case=case)
    assert keys(listener.hear()) == whole
    (done.parent / "_SUCCESS").touch()
    assert keys(listener.hear()) == marked


@pytest.mark.parametrize("name", [f"facts/{DAY}.csv.part", f"facts/.{DAY}.csv", f"other/{DAY}.csv", "facts/x.csv"])
def test_what_is_no_delivery_is_not_named(inbox, name):
    drop(inbox, name)
    assert keys(listening(inbox).hear()) == []


def test_a_link_out_of_the_inbox_is_dropped_and_takes_nothing_with_it(inbox, tmp_path):
    drop(tmp_path, "secret.csv")
    drop(inbox, f"facts/{NEXT}.csv")
    (inbox / "facts" / f"{DAY}.csv").symlink_to(tmp_path / "secret.csv")
    heard = listening(inbox).hear()
    assert keys(heard) == [NEXT]
    assert [f"{DAY}.csv' leads out of the folder" in reason for reason in heard.dropped] == [True]


def test_a_flood_of_files_is_handed_on_little_by_little_and_none_is_forgotten(inbox):
    days = calendar(FILES).keys("2024-01-01", "2024-02-09")
    for day in days:
        drop(inbox, f"facts/{day}.csv")
    listener = listening(inbox)
    first, second, third = (keys(listener.hear()) for _ in range(3))
    assert (len(first), len(second), third) == (MOST, len(days) - MOST, [])
    assert sorted(first + second) == days


def test_an_inbox_that_is_not_there_yet_is_empty(tmp_path):
    assert listening(tmp_path / "inbox").hear().arrivals == ()


# ---- what is true of it -----------------------------------------------------------------------------------------

NOW = datetime(2024, 1, 2, 12, tzinfo=UTC)


def two(make_case):
    facts = SPEC["sources"]["facts"]
    return make_case(sources={"facts": facts, "more": {**facts, "path": "more/{partition}.csv"}})


def test_a_partition_is_ready_once_its_last_source_has_delivered(make_case, lake, inbox):
    case = two(make_case)
    drop(inbox, f"facts/{DAY}.csv")
    assert ready(case, [DAY], lake, inbox, NOW) == {DAY: "a delivery of more"}
    drop(inbox, f"more/{DAY}.csv")
    assert ready(case, [DAY], lake, inbox, NOW) == {DAY: ""}


def test_what_was_only_said_waits_and_starts_nothing(make_case, lake, inbox):
    assert ready(two(make_case), [DAY], lake, inbox, NOW) == {DAY: "a delivery of facts, more"}


@pytest.mark.slow
def test_a_correction_of_what_has_landed_is_ready_though_other_files_are_gone(make_case, lake, inbox):
    case = two(make_case)
    text = "id,amount,happened_at,reported_at\na,1,2024-01-02T00:00:00Z,2024-01-01T00:00:00Z\n"
    for source in case.sources:
        drop(inbox, f"{source}/{DAY}.csv", text)
        ingest.stage(case, source, [DAY], lake, inbox)
    shutil.rmtree(inbox / "more")
    assert ready(case, [DAY], lake, inbox, NOW) == {DAY: ""}


@pytest.mark.parametrize(
    ("moment", "newest"),
    [(NOW, NEXT), (NOW + timedelta(hours=6), "2024-01-04"), (NOW - timedelta(days=900), DAY)],
    ids=["before the next one's moment", "after it", "a clock that is off"],
)
def test_a_partition_whose_time_has_not_come_waits_whoever_delivers_it(lake, inbox, moment, newest):
    days = calendar(FILES).keys("2024-01-01", "2024-01-06")
    for day in days:
        drop(inbox, f"facts/{day}.csv")
    waits = ready(FILES, days, lake, inbox, moment)
    assert [day for day in days if not waits[day]] == [day for day in days if day <= newest]
    assert waits["2024-01-06"] == f"its time, {newest} is the newest yet"


def test_a_delivery_that_cannot_be_looked_at_keeps_nobody_else_waiting(lake, inbox, tmp_path):
    drop(tmp_path, "secret.csv")
    drop(inbox, f"facts/{NEXT}.csv")
    (inbox / "facts" / f"{DAY}.csv").symlink_to(tmp_path / "secret.csv")
    waits = ready(FILES, [DAY, NEXT], lake, inbox, NOW)
    assert (waits[DAY].startswith("a delivery that can be read: "), waits[NEXT]) == (True, "")


# ---- the queue, against moto's ----------------------------------------------------------------------------------


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
