"""Promises about rows can be broken: none is lost, none counts twice, none is half of something."""

import pyarrow as pa
import pytest
from tests import promises
from tests.breaking import DAY, TABLES, append, first_doubled, set_column, spoil, without_first

pytestmark = pytest.mark.slow  # lives a short life first


@pytest.mark.parametrize("table", ["raw", "features", "labels", "scores", "monitor"])
def test_i1_names_the_table_an_acknowledged_row_is_gone_from(observed, table):
    key = "2024-01-12" if table == "labels" else DAY
    before = promises.acknowledged(observed.lake, observed.case)
    spoil(observed.lake, TABLES[table], without_first, key)
    (found,) = promises.no_acknowledged_row_is_lost(observed.lake, observed.case, before)
    assert found.startswith(f"1 acknowledged rows of {TABLES[table]} are gone, such as ('{key}'")


def test_i1_names_decisions_that_are_gone_or_were_rewritten(observed, tmp_path):
    before = promises.acknowledged(observed.lake, observed.case)
    for file in (tmp_path / "lake" / "ledger" / "parcels").iterdir():
        if file.name in ("head", "00000003.json"):
            file.unlink()
    append(observed, "rejected", model="a" * 64)
    (found,) = promises.no_acknowledged_row_is_lost(observed.lake, observed.case, before)
    assert found == "the ledger no longer begins with the 3 acknowledged decisions"


def test_i1_counts_the_rows_of_every_published_delivery(ingested, parcels_case):
    spoil(ingested, "raw/parcels/parcels", lambda rows: rows.slice(2), "2024-01-02")
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.startswith("of 60 rows of parcels for 2024-01-02/")
    assert found.endswith("58 are published and 0 in quarantine")


def test_i1_counts_the_rows_in_quarantine(ingested, parcels_case):
    spoil(ingested, "quarantine/parcels/parcels", lambda rows: rows.slice(0, 0), "2024-01-01")
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.endswith("and 0 in quarantine")


def test_i1_misses_the_bytes_of_a_delivery(ingested, parcels_case, tmp_path):
    next((tmp_path / "ingested" / "staging" / "parcels" / "arrivals" / "2024-01-03").iterdir()).unlink()
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.startswith("the bytes of arrivals for 2024-01-03/")


def test_i1_misses_the_verdict_on_a_published_delivery(ingested, parcels_case, tmp_path):
    next((tmp_path / "ingested" / "verdicts" / "parcels" / "arrivals" / "2024-01-03").iterdir()).unlink()
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.endswith("was published without a verdict")


@pytest.mark.parametrize("table", ["raw", "features", "labels", "scores", "monitor"])
def test_i2_names_the_table_a_row_stands_in_twice(observed, table):
    key = "2024-01-12" if table == "labels" else DAY
    spoil(observed.lake, TABLES[table], first_doubled, key)
    (found,) = promises.no_row_counts_twice(observed.lake, observed.case)
    assert found.startswith(f"1 rows of {TABLES[table]} stand there more than once, such as ('{key}'")


def test_i2_names_what_was_decided_twice(observed, champion):
    for kind in ("promoted", "promoted", "decided", "decided"):
        append(observed, kind, model=champion, partition="2024-01-17")
    assert promises.no_row_counts_twice(observed.lake, observed.case) == [
        f"model {champion[:12]} was promoted 2 times at 2024-01-17",
        "the same was decided 2 times at 2024-01-17",
    ]


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("features", set_column("fingerprint", "x"), "features/parcels of 2024-01-18 is of 2 moments or definitions"),
        ("features", without_first, "the 60 scores of 2024-01-18 are not those of its 59 feature rows"),
        ("scores", without_first, "the 59 scores of 2024-01-18 are not those of its 60 feature rows"),
        ("scores", set_column("model", "x"), "the scores of 2024-01-18 are of more than one model"),
        ("scores", set_column("data", "x"), "the scores of 2024-01-18 are of more than one data"),
        (
            "monitor",
            lambda rows: rows.slice(0, 1),
            "the measurements of 2024-01-18 lack important_drift, score_distance/decision_rate, scored",
        ),
    ],
)
def test_i3_names_a_partition_that_is_half_of_one_thing(observed, table, change, said):
    spoil(observed.lake, TABLES[table], change)
    assert said in promises.no_reader_sees_half_a_version(observed.lake, observed.case)


@pytest.mark.parametrize("table", ["features", "labels"])
def test_i3_names_a_partition_computed_at_another_moment(observed, table):
    def an_hour_later(rows):
        place = rows.schema.get_field_index("as_of")
        return rows.set_column(place, rows.schema.field("as_of"), pa.compute.add(rows["as_of"], hour))

    hour = pa.scalar(3600 * 10**6, pa.duration("us"))
    spoil(observed.lake, TABLES[table], an_hour_later, "2024-01-12")
    (found,) = promises.no_reader_sees_half_a_version(observed.lake, observed.case)
    assert found.startswith(f"{TABLES[table]} of 2024-01-12 was computed as of")
