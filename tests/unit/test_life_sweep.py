"""Holes in the sequence of partitions: which there are, and what keeps each from being filled."""

import shutil
from datetime import UTC, datetime

import pytest
from tests import parcels, served
from tests.bucket import Bucket

from updraft import features, ingest, score
from updraft.errors import DeliveryBlocked
from updraft.lake import Lake
from updraft.life import sweep
from updraft.partition import calendar
from updraft.sources import Connection
from updraft.spec.kinds import Files

pytestmark = pytest.mark.slow


def days(first, last):
    return [f"2024-01-{day:02}" for day in range(first, last + 1)]


def found(case, lake, inbox, through):
    holes = sweep.holes(case, lake, inbox, calendar(case).at(through))
    return [(hole.stage, hole.partition[-2:], hole.waits_for) for hole in holes]


@pytest.fixture
def half(parcels_case, tmp_path):
    """Four days with files of both sources; the second and third are not ingested, and the third lacks a file."""
    lake, inbox = Lake(str(tmp_path / "lake")), tmp_path / "inbox"
    parcels.drop(parcels_case, inbox, days(1, 4))
    (inbox / "parcels/2024-01-03.csv").unlink()
    for source in parcels_case.sources:
        ingest.stage(parcels_case, source, ["2024-01-01", "2024-01-04"], lake, inbox)
    ingest.stage(parcels_case, "arrivals", ["2024-01-03"], lake, inbox)
    features.build(parcels_case, ["2024-01-01"], lake)
    return lake, inbox


def test_nothing_that_was_never_begun_has_a_hole(parcels_case, lake, tmp_path):
    assert found(parcels_case, lake, tmp_path, "2024-02-01") == []


def test_a_hole_says_its_stage_and_what_keeps_it_open(parcels_case, half):
    assert found(parcels_case, *half, "2024-01-04") == [
        ("ingest", "02", ""),
        ("ingest", "03", "a delivery of parcels"),
        ("features", "02", "raw rows of arrivals, parcels"),
        ("features", "03", "raw rows of parcels"),
        ("features", "04", ""),
    ]


def test_a_delivery_in_a_bucket_fills_a_hole_with_the_connection_of_its_source(parcels_case, tmp_path):
    lake, inbox = Lake(str(tmp_path / "lake")), tmp_path / "inbox"
    parcels.drop(parcels_case, inbox, days(1, 3))
    at_url = {"path": f"gs://bucket/{parcels_case.sources['parcels'].path}", "files": Files(connection="deliveries")}
    moved = parcels_case.sources["parcels"].model_copy(update=at_url)
    case = parcels_case.model_copy(update={"sources": {**parcels_case.sources, "parcels": moved}})
    with served.serving(bucket := Bucket("bucket")) as server:
        key = {"gcs_base_url": f"http://127.0.0.1:{server.port}", "disable_oauth": True, "client_email": "a@b.example"}
        extra = {"keyfile_dict": {**key, "private_key": "", "private_key_id": "1"}}
        how = {"connections": lambda name: Connection(name, "google_cloud_platform", extra=extra)}
        for file in inbox.glob("parcels/*"):
            bucket.put(f"parcels/{file.name}", file.read_bytes())
        published = ingest.stage(case, "parcels", ["2024-01-01", "2024-01-03"], lake, inbox, **how)
        assert (published.deliveries, published.rows > 0) == (2, True)
        holes = sweep.holes(case, lake, inbox, calendar(case).at("2024-01-03"), **how)
        assert [(hole.partition, hole.waits_for) for hole in holes if hole.stage == "ingest"] == [("2024-01-02", "")]
        bucket.objects.pop("parcels/2024-01-02.csv")
        (hole, *_) = sweep.holes(case, lake, inbox, calendar(case).at("2024-01-03"), **how)
        assert hole.waits_for == "a delivery of parcels"


def test_what_is_not_due_yet_is_no_hole(parcels_case, half):
    assert found(parcels_case, *half, "2024-01-02") == [
        ("ingest", "02", ""),
        ("features", "02", "raw rows of arrivals, parcels"),
    ]


def test_a_hole_that_can_be_filled_is_none_once_it_was(parcels_case, half):
    lake, inbox = half
    for source in parcels_case.sources:
        ingest.stage(parcels_case, source, ["2024-01-02"], lake, inbox)
    features.build(parcels_case, ["2024-01-02"], lake)
    assert found(parcels_case, lake, inbox, "2024-01-02") == []


def test_scores_wait_for_their_features(observed, tmp_path):
    case, lake = observed.case, observed.lake
    features.build(case, ["2024-01-20"], lake)
    missing = [hole for hole in found(case, lake, tmp_path, "2024-01-20") if hole[0] == "score"]
    assert missing == [("score", "19", "its features"), ("score", "20", "")]
    score.partitions(case, ["2024-01-20"], lake, champion=score.pin(case, lake))
    assert ("score", "20", "") not in found(case, lake, tmp_path, "2024-01-20")


def test_without_a_champion_scores_wait_for_one(observed, tmp_path):
    shutil.rmtree(f"{observed.lake.uri}/ledger")
    features.build(observed.case, ["2024-01-19"], observed.lake)
    assert ("score", "19", "a champion") in found(observed.case, observed.lake, tmp_path, "2024-01-19")


@pytest.mark.parametrize(
    ("moment", "newest"),
    [
        pytest.param(datetime(2024, 1, 9, 17, 59, tzinfo=UTC), "2024-01-09", id="before the next one's moment"),
        pytest.param(datetime(2024, 1, 9, 18, tzinfo=UTC), "2024-01-10", id="at its moment"),
        pytest.param(datetime(2020, 1, 1, tzinfo=UTC), "2024-01-01", id="before there was anything"),
    ],
)
def test_a_partition_is_due_when_its_moment_has_passed(parcels_case, lake, moment, newest):
    assert sweep.newest_due(parcels_case, lake, moment).key == newest


def test_a_history_that_has_an_end_is_due_as_far_as_it_was_asked_for(tmp_path, half):
    ended = parcels.write(tmp_path, partitions={"last": "2024-12-31"})
    assert sweep.newest_due(ended, half[0], datetime(2026, 1, 1, tzinfo=UTC)).key == "2024-01-04"
    assert sweep.newest_due(ended, Lake(str(tmp_path / "empty")), datetime(2026, 1, 1, tzinfo=UTC)).key == "2024-01-01"


def test_holes_are_told_by_stage_and_reason(parcels_case, half):
    holes = sweep.holes(parcels_case, *half, calendar(parcels_case).at("2024-01-04"))
    assert sweep.told(holes)[:2] == [
        "ingest lacks 2024-01-02: can be filled now",
        "ingest lacks 2024-01-03: waits for a delivery of parcels",
    ]


def test_a_partition_without_a_row_is_a_hole_until_it_was_computed(parcels_case, half):
    lake, inbox = half
    ingest.stage(parcels_case, "arrivals", ["2024-01-02"], lake, inbox)
    nothing = inbox / "parcels/2024-01-02.csv"
    nothing.write_text(nothing.read_text().splitlines()[0] + "\n")
    with pytest.raises(DeliveryBlocked):  # it asks for a row
        ingest.stage(parcels_case, "parcels", ["2024-01-02"], lake, inbox)
    rows = {"sources": {"parcels": {**parcels.SPEC["sources"]["parcels"], "contract": {"rows": [0, 1000]}}}}
    case = parcels.write(inbox.parent / "lenient", **rows)
    ingest.stage(case, "parcels", ["2024-01-02"], lake, inbox)
    assert ("features", "02", "") in found(case, lake, inbox, "2024-01-02")
    assert features.build(case, ["2024-01-02"], lake).rows == 0
    assert found(case, lake, inbox, "2024-01-02") == []
