import json

import pyarrow as pa
import pytest

from updraft import receipt, score
from updraft.partition import calendar

BY = {"who": "score__1", "code_version": "abc"}


def scores(*rows, role="champion"):
    return pa.table(
        {
            "id": [row[0] for row in rows], "score": [row[1] for row in rows], "role": [role] * len(rows),
            "model": ["m"] * len(rows), "partition": [row[2] for row in rows],
        }
    )  # fmt: skip


@pytest.fixture
def case(sql_case):
    return sql_case("SELECT id, happened_at AS event_time, amount, 'red' AS colour FROM facts")


FIRST = scores(("a", 0.1, "2024-01-02"), ("b", 0.2, "2024-01-02"))


def test_scores_find_their_receipt_whatever_their_order(case, lake):
    receipt.keep(case, lake, FIRST, **BY)
    (found,), changed = receipt.of(case, lake, FIRST.take([1, 0]))
    assert (found.partition, found.role, found.rows, found.model) == ("2024-01-02", "champion", 2, "m")
    assert (found.who, found.code_version, changed) == ("score__1", "abc", [])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(scores(("a", 0.1, "2024-01-02"), ("b", 0.3, "2024-01-02")), id="a score changed"),
        pytest.param(scores(("a", 0.1, "2024-01-02")), id="a row taken away"),
        pytest.param(FIRST.set_column(2, "role", pa.array(["challenger"] * 2)), id="another role"),
    ],
)
def test_changed_scores_find_none(case, lake, other):
    receipt.keep(case, lake, FIRST, **BY)
    assert receipt.of(case, lake, other) == ([], [])


def test_a_partition_and_a_role_have_a_receipt_each(case, lake):
    both = pa.concat_tables([FIRST, scores(("a", 0.4, "2024-01-02"), ("c", 0.1, "2024-01-03"), role="challenger")])
    receipt.keep(case, lake, both, **BY)
    assert len(lake.keys("receipts")) == 3


def test_a_receipt_that_was_changed_no_longer_fits_its_name(case, lake):
    receipt.keep(case, lake, FIRST, **BY)
    (place,) = lake.keys("receipts")
    lake.put(place, json.dumps({**json.loads(lake.get(place)), "who": "nobody"}).encode())
    assert receipt.of(case, lake, FIRST) == ([], [place])


def test_a_receipt_names_the_records_of_the_deliveries_within_sight(case, lake):
    for key in ("2023-12-01", "2024-01-01", "2024-01-02"):
        lake.create(f"deliveries/{case.name}/facts/{key}/{key}.json", key.encode())
    receipt.keep(case, lake, FIRST, **BY)
    (found,), _ = receipt.of(case, lake, FIRST)
    keys = receipt.window(case, "facts", calendar(case).at("2024-01-02"))
    assert set(found.deliveries["facts"]) == {f"{key}/{key}" for key in ("2024-01-01", "2024-01-02") if key in keys}


@pytest.mark.slow
def test_a_partition_scored_again_is_kept_and_has_no_second_receipt(observed):
    before = observed.lake.keys("receipts")
    assert len(before) == 3
    champion = score.pin(observed.case, observed.lake)
    score.partitions(observed.case, ["2024-01-18"], observed.lake, champion=champion, **BY)
    assert observed.lake.keys("receipts") == before
