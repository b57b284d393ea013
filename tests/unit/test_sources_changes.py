"""A delivery that changed its shape: every type against every other, and columns that come, go, move or are renamed."""

import io
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from updraft import contract
from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode
from updraft.spec.sources import Source

NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
VALUES = {"string": "abc", "integer": 7, "number": 1.5, "boolean": True, "timestamp": NOON}
# Rows: declared. Columns: delivered, in the order of VALUES. r: read, b: blocked as bad rows, x: refused as a whole.
MATRIX = {
    "csv": {
        "string": "rrrrr", "integer": "brbbb", "number": "brrbb", "boolean": "bbbrb", "timestamp": "bbbbr",
    },
    "jsonl": {
        "string": "rbbbr", "integer": "brbbb", "number": "brrbb", "boolean": "bbbrb", "timestamp": "bbbbr",
    },
    "parquet": {
        "string": "rxxxx", "integer": "xrbxx", "number": "xrrxx", "boolean": "xxxrx", "timestamp": "xxxxr",
    },
}  # fmt: skip
CELLS = [
    pytest.param(form, declared, delivered, what, id=f"{form}: {delivered} for {declared}")
    for form, rows in MATRIX.items()
    for declared, row in rows.items()
    for delivered, what in zip(VALUES, row, strict=True)
]


def source(form, value="string"):
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "format": form,
            "key": ["flight_id"],
            "event_time": "departure",
            "known_at": {"delay": "1h"},
            "columns": {
                "flight_id": {"type": "integer"},
                "departure": {"type": "timestamp"},
                "value": {"type": value, "nullable": True},
            },
            "contract": {"tolerance": 0.99},
        }
    )


def written(form, rows):
    """Rows in a format, columns in the order of the first row."""
    if form == "parquet":
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue()
    plain = [{k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()} for row in rows]
    if form == "jsonl":
        return "\n".join(map(json.dumps, plain)).encode()
    cells = [",".join(json.dumps(v) if isinstance(v, bool) else str(v) for v in row.values()) for row in plain]
    return "\n".join([",".join(rows[0]), *cells]).encode()


def rows(value="abc", count=3):
    return [{"flight_id": n, "departure": NOON, "value": value} for n in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize(("form", "declared", "delivered", "what"), CELLS)
def test_a_type_is_read_as_declared_or_the_difference_is_told(form, declared, delivered, what):
    of, data = source(form, declared), written(form, rows(VALUES[delivered]))
    if what == "x":
        with pytest.raises(DeliveryRefused, match=f"1 columns have another type than declared: value is .*{declared}"):
            decode(data, of)
        return
    found = decode(data, of)
    if what == "r":
        assert not found.bad
        return
    checked = contract.check("flights", of, {"d": found})["d"]
    assert checked.outcome == "blocked"
    assert checked.summary["bad"] == checked.summary["rows"]
    assert f"value is declared {declared}, but each of its 3 values " in checked.why


@pytest.mark.parametrize(
    ("declared", "delivered", "hint"),
    [
        ("integer", 1.5, "number"),
        ("integer", "abc", "string"),
        ("boolean", 7, "integer"),
        ("timestamp", "1.5", "number"),
        ("number", NOON, "timestamp"),
        ("integer", True, "boolean"),
    ],
)
def test_the_type_that_may_have_been_meant_is_told(declared, delivered, hint):
    (told,) = decode(written("csv", rows(delivered)), source("csv", declared)).retyped
    assert told.endswith(f"; did you mean `type: {hint}`?")


def test_no_value_is_told_with_the_difference():
    (told,) = decode(written("csv", rows("Alice")), source("csv", "integer")).retyped
    assert "Alice" not in told


@pytest.mark.parametrize("form", MATRIX)
def test_a_column_of_which_some_values_are_readable_has_not_changed_its_type(form):
    mixed = [*rows(1), *rows(None, 2)]
    assert decode(written(form, mixed), source(form, "integer")).retyped == ()


def renamed(**names):
    return [{names.get(name, name): value for name, value in row.items()} for row in rows()]


def without(*names):
    return [{name: value for name, value in row.items() if name not in names} for row in rows()]


@pytest.mark.parametrize("form", MATRIX)
@pytest.mark.parametrize(
    ("changed", "extra"),
    [
        pytest.param([{**row, "gate": "B7"} for row in rows()], ("gate",), id="added"),
        pytest.param([{"gate": "B7", **row} for row in rows()], ("gate",), id="added in front"),
        pytest.param([dict(reversed(row.items())) for row in rows()], (), id="reordered"),
        pytest.param([{"FLIGHT_ID": 9, **row} for row in rows()], ("FLIGHT_ID",), id="added in another case"),
    ],
)
def test_columns_added_or_moved_are_accepted_and_recorded(form, changed, extra):
    found = decode(written(form, changed), source(form))
    assert found.extra == extra
    assert found.rows.select(["flight_id", "value"]).to_pydict() == {"flight_id": [0, 1, 2], "value": ["abc"] * 3}


@pytest.mark.parametrize("form", MATRIX)
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param(without("departure"), "lacks 1 of 3 declared columns: departure", id="removed"),
        pytest.param(without("flight_id", "departure"), "lacks 2 of 3 declared columns: flight_id", id="two removed"),
        pytest.param(renamed(departure="departures"), "departure (did you mean 'departures'?)", id="renamed"),
        pytest.param(renamed(departure="zzz"), "departure (known: zzz)", id="renamed beyond recognition"),
        pytest.param(renamed(departure="Departure"), "there is 'Departure', which differs in case", id="case"),
        pytest.param(renamed(flight_id=" flight_id"), "there is ' flight_id', which differs in case", id="blank"),
        pytest.param(renamed(value="Value"), "there is 'Value', which differs in case", id="case of a nullable one"),
        pytest.param(renamed(value="values"), "value (did you mean 'values'?)", id="a nullable one renamed"),
    ],
)
def test_columns_removed_or_renamed_refuse_the_delivery_with_the_difference(form, changed, told):
    with pytest.raises(DeliveryRefused) as refused:
        decode(written(form, changed), source(form))
    assert told in str(refused.value)
    assert "order is free, spelling is exact" in str(refused.value)


def test_an_object_of_json_may_leave_out_a_nullable_column():
    assert decode(written("jsonl", without("value")), source("jsonl")).rows["value"].null_count == 3
    for form in ("csv", "parquet"):
        with pytest.raises(DeliveryRefused, match="lacks 1 of 3 declared columns: value"):
            decode(written(form, without("value")), source(form))
