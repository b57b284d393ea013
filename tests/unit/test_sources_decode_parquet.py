"""Parquet: types are widened to the declared ones or the delivery is refused."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from tests.decoding import COLUMNS, NOON, parquet, small, source

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode


def test_types_are_widened_to_the_declared_ones():
    found = decode(parquet(small(extra=[[1], [2]])), source("parquet"))
    assert found.rows.to_pylist()[1] == {"id": 1, "at": NOON, "x": 0.5, "ok": True, "s": "a", "row": 2}
    assert found.extra == ("extra",)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"id": ["1", "2"]}, "id is string, declared integer"),
        ({"at": [1, 2]}, "at is int64, declared timestamp"),
        ({"s": [b"a", b"b"]}, "s is binary, declared string"),
        ({"x": [[1.0], [2.0]]}, "x is list<element: double>, declared number"),
        ({"x": pa.array([1, 2], pa.decimal128(5, 2))}, r"x is decimal128\(5, 2\), declared number"),
    ],
)
def test_another_type_refuses_the_delivery_with_the_difference(changes, difference):
    with pytest.raises(DeliveryRefused, match=difference):
        decode(parquet(small(**changes)), source("parquet"))


def test_a_missing_column_refuses_the_delivery():
    with pytest.raises(DeliveryRefused, match="lacks 1 of 5 declared columns: x"):
        decode(parquet(small().drop(["x"])), source("parquet"))


def test_values_that_do_not_fit_are_bad_rows():
    table = small(
        id=pa.array([2**63, 1], pa.uint64()), x=[1.0, float("nan")], s=["a\0", "b"], at=pa.array([NOON, None])
    )
    found = decode(parquet(table), source("parquet"))
    assert found.bad[1].startswith("id: '9223372036854775808' exceeds 64 bits; s: ")
    assert found.bad[2].startswith("x: 'nan' is not a finite number")
    json.loads(found.original([2])[0], parse_constant=pytest.fail)


def test_local_times_are_read_in_the_declared_zone():
    table = small(at=pa.array([datetime(2013, 3, 10, 2, 30), datetime(2013, 3, 10, 12)], pa.timestamp("ms")))
    columns = {**COLUMNS, "at": {"type": "timestamp", "timezone": "America/New_York"}}
    found = decode(parquet(table), source("parquet", columns))
    assert found.rows["at"].to_pylist() == [datetime(2013, 3, 10, 16, tzinfo=UTC)]
    assert "the clock skips it" in found.bad[1]


def test_a_column_without_any_value_has_the_declared_type():
    found = decode(parquet(small(x=pa.nulls(2), s=pa.nulls(2), ok=pa.nulls(2))), source("parquet"))
    assert found.rows.schema.field("x").type == pa.float64()
    assert found.rows["s"].null_count == found.rows["ok"].null_count == 2


@pytest.mark.slow
def test_what_the_library_quotes_from_a_damaged_file_is_shown_as_text():
    sound = parquet(small(), compression="none", use_dictionary=False)
    messages = set()
    for at in range(4, len(sound) - 8):
        try:
            decode(sound[:at] + b"\x0f" + sound[at + 1 :], source("parquet"))
        except DeliveryRefused as refused:
            messages.add(str(refused))
    assert any("\\x0f" in message for message in messages)
    assert all(message.isprintable() for message in messages)


def test_no_rows_are_read_as_no_rows():
    assert decode(parquet(small(0)), source("parquet")).count == 0
