from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pytest
from tests import parcels

from updraft import dataset, features
from updraft.asof import raw_schema, raw_table
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import digest

FEATURES, LABELS = "features/parcels", "labels/parcels"


@pytest.fixture
def dates(parcels_case):
    return calendar(parcels_case)


def days(first, last):
    return [f"2024-01-{day:02}" for day in range(first, last + 1)]


def partitions(data):
    return sorted(data.rows["partition"].unique())


@pytest.fixture(scope="module")
def mature_at_18(parcels_case, _delivered, tmp_path_factory):
    """The training set of the eighteenth, and the lake it came from; neither is changed by anybody."""
    import shutil

    lake = Lake(str(tmp_path_factory.mktemp("mature") / "lake"))
    shutil.copytree(_delivered.uri, lake.uri)
    return dataset.mature(parcels_case, lake, calendar(parcels_case).at("2024-01-18")), lake


# ---- what is mature ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "found"),
    [
        pytest.param("2024-01-18", days(1, 15), id="the label of the 15th was complete at midnight of the 17th"),
        pytest.param("2024-01-10", days(1, 7), id="what is delivered, but not mature, stays out"),
        pytest.param("2024-01-04", days(1, 1), id="the first one"),
        pytest.param("2024-01-03", [], id="none yet"),
        pytest.param("2024-01-20", days(2, 17), id="no more history than the spec asks for"),
    ],
)
def test_only_partitions_whose_labels_are_complete_are_trained_on(parcels_case, delivered, dates, at, found):
    assert partitions(dataset.mature(parcels_case, delivered, dates.at(at))) == found


def test_the_set_says_where_it_came_from(parcels_case, mature_at_18):
    data, lake = mature_at_18
    assert data.as_of == "2024-01-18"
    assert data.fingerprint == features.fingerprint(parcels_case)
    assert data.versions == {
        FEATURES: lake.version(FEATURES),
        LABELS: lake.version(LABELS),
        "raw/parcels/parcels": 1,
        "raw/parcels/arrivals": 1,
    }
    assert data.missing == ()


def test_rows_are_sorted_labelled_and_each_entity_is_there_once(parcels_case, mature_at_18):
    rows = mature_at_18[0].rows
    by = ["partition", "parcel"]
    assert rows[by].equals(rows[by].sort_values(by, ignore_index=True))
    assert not rows.duplicated(by).any()
    assert set(rows["late"]) == {0.0, 1.0}
    assert rows["late"].dtype == rows["weight"].dtype == "float64"
    assert set(parcels_case.features) < set(rows.columns)


def test_rows_whose_label_is_undefined_are_counted_and_left_out(mature_at_18):
    data, lake = mature_at_18
    stored = lake.read(LABELS).to_pandas()
    assert data.undefined == stored["late"].isna().sum() > 0
    assert len(data.rows) + data.undefined == 15 * parcels.PER_DAY


def test_a_feature_that_is_missing_is_no_reason_to_leave_a_row_out(mature_at_18):
    assert mature_at_18[0].rows["weight"].isna().any()


def test_the_same_moment_gives_the_same_set(parcels_case, delivered, dates):
    first, again = (dataset.mature(parcels_case, delivered, dates.at("2024-01-12")) for _ in range(2))
    assert first.rows.equals(again.rows)
    assert replace(first, rows=None) == replace(again, rows=None)


@pytest.mark.slow
def test_what_becomes_known_after_maturity_changes_no_label(parcels_case, delivered, dates):
    before = dataset.mature(parcels_case, delivered, dates.at("2024-01-10")).rows
    corrected = parcels.raw(parcels_case, "arrivals", days(3, 9)).to_pylist()
    later = dates.at("2024-01-22").start
    rows = [
        {**r, "hours_late": -r["hours_late"], "known_at": later, "partition": "2024-01-23", "delivery": "new", "row": n}
        for n, r in enumerate(corrected)
        if r["hours_late"]
    ]
    table = raw_table(parcels_case, "arrivals")
    delivered.replace(table, pa.Table.from_pylist(rows, raw_schema(parcels_case.sources["arrivals"])), ["2024-01-23"])
    features.build_labels(parcels_case, days(1, 7), delivered)
    assert dataset.mature(parcels_case, delivered, dates.at("2024-01-10")).rows.equals(before)


# ---- what is awaited ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_label_waits_for_every_delivery_that_could_still_change_it(parcels_case, lake, dates):
    parcels.deliver(parcels_case, lake, [key for key in days(1, 18) if key != "2024-01-12"])
    features.build(parcels_case, days(1, 18), lake)
    data = dataset.mature(parcels_case, lake, dates.at("2024-01-18"))
    assert data.missing == tuple(f"2024-01-{day:02}: waits for arrivals of 2024-01-12" for day in (9, 10, 11))
    assert partitions(data) == days(1, 8) + days(13, 15), "nothing shipped on the 12th, as far as is known"
    assert lake.partitions(LABELS) == days(1, 8) + days(13, 15)


@pytest.mark.slow
def test_a_delivery_that_comes_after_all_completes_its_labels(parcels_case, lake, dates):
    parcels.deliver(parcels_case, lake, days(1, 9))
    features.build(parcels_case, days(1, 8), lake)
    assert dataset.mature_labels(parcels_case, days(5, 8), lake) == {
        "2024-01-07": "waits for arrivals of 2024-01-10",
        "2024-01-08": "waits for arrivals of 2024-01-10, arrivals of 2024-01-11",
    }
    parcels.deliver(parcels_case, lake, days(10, 11))
    assert dataset.mature_labels(parcels_case, days(5, 8), lake) == {}
    assert lake.partitions(LABELS) == days(5, 8)


def test_a_delivery_without_rows_is_a_delivery(parcels_case, lake, dates):
    parcels.deliver(parcels_case, lake, days(1, 3))
    features.build(parcels_case, ["2024-01-01"], lake)
    assert list(dataset.mature_labels(parcels_case, ["2024-01-01"], lake)) == ["2024-01-01"]
    assert "2024-01-02" not in lake.partitions("raw/parcels/arrivals"), "nothing had arrived by then"
    Feed(parcels_case, "arrivals", lake).announce(["2024-01-04"])
    assert dataset.mature_labels(parcels_case, ["2024-01-01"], lake) == {}


def test_labels_that_stand_are_not_built_again(parcels_case, delivered):
    dataset.mature_labels(parcels_case, days(1, 5), delivered)
    version = delivered.version(LABELS)
    dataset.mature_labels(parcels_case, days(1, 5), delivered)
    assert delivered.version(LABELS) == version
    dataset.mature_labels(parcels_case, days(1, 6), delivered)
    assert delivered.version(LABELS) == version + 1


# ---- one definition ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_partitions_of_an_older_definition_are_built_again_first(parcels_case, delivered, dates, tmp_path):
    newer = parcels.write(tmp_path, parcels.FEATURES.replace("hour(ships_at)", "hour(ships_at) + 100"))
    features.build(newer, days(1, 4), delivered)
    done = digest(delivered.read(FEATURES, days(1, 4)))
    data = dataset.mature(newer, delivered, dates.at("2024-01-10"))
    assert set(data.rows["fingerprint"]) == {data.fingerprint} == {features.fingerprint(newer)}
    assert data.rows["ship_hour"].min() >= 100
    assert partitions(data) == days(1, 7)
    assert digest(delivered.read(FEATURES, days(1, 4))) == done
    untouched = set(delivered.read(FEATURES, days(8, 18))["fingerprint"].to_pylist())
    assert untouched == {features.fingerprint(parcels_case)}, "what the training does not read"


@pytest.mark.slow
def test_labels_of_an_older_definition_are_built_again_too(parcels_case, delivered, dates, tmp_path):
    first = dataset.mature(parcels_case, delivered, dates.at("2024-01-10"))
    turned = parcels.write(tmp_path, parcels.FEATURES, parcels.LABEL.replace("> 0", "<= 0"))
    second = dataset.mature(turned, delivered, dates.at("2024-01-10"))
    assert second.fingerprint == first.fingerprint
    assert (second.rows["late"] == 1 - first.rows["late"]).all()


# ---- joining -----------------------------------------------------------------------------------------------------


def test_no_entity_is_dropped_because_it_has_no_label(parcels_case, delivered):
    dataset.mature_labels(parcels_case, days(1, 2), delivered)
    labels = delivered.read(LABELS, ["2024-01-02"])
    delivered.replace(LABELS, labels.slice(10), ["2024-01-02"])
    rows = dataset.joined(parcels_case, delivered, days(1, 3))
    assert rows.groupby("partition").size().to_dict() == dict.fromkeys(days(1, 3), parcels.PER_DAY)
    missing = rows["late"].isna().groupby(rows["partition"]).sum()
    assert missing["2024-01-03"] == parcels.PER_DAY
    assert missing["2024-01-02"] >= 10


def test_a_label_of_nobody_adds_no_row(parcels_case, delivered):
    dataset.mature_labels(parcels_case, ["2024-01-01"], delivered)
    rows = delivered.read(FEATURES, ["2024-01-01"])
    delivered.replace(FEATURES, rows.slice(5), ["2024-01-01"])
    assert len(dataset.joined(parcels_case, delivered, ["2024-01-01"])) == parcels.PER_DAY - 5


def test_labels_that_stand_there_twice_are_no_training_set(parcels_case, delivered):
    dataset.mature_labels(parcels_case, ["2024-01-01"], delivered)
    rows = delivered.read(LABELS, ["2024-01-01"])
    delivered.replace(LABELS, pa.concat_tables([rows, rows.slice(0, 1)]), ["2024-01-01"])
    with pytest.raises(pd.errors.MergeError):
        dataset.joined(parcels_case, delivered, ["2024-01-01"])


def test_nothing_yet_is_an_empty_frame_with_all_columns(parcels_case, lake):
    assert list(dataset.frame(parcels_case, lake, ["2024-01-01"]).columns) == features.schema(parcels_case).names
    assert "late" in dataset.joined(parcels_case, lake, ["2024-01-01"])
