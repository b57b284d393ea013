"""Decoding: types are read as declared, a bad row costs a row, a bad file costs the delivery."""

import gzip
import io
import json
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode
from updraft.spec.sources import Source

COLUMNS = {
    "id": {"type": "integer"},
    "at": {"type": "timestamp"},
    "x": {"type": "number", "nullable": True},
    "ok": {"type": "boolean", "nullable": True},
    "s": {"type": "string", "nullable": True},
}
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)


def source(format="csv", columns=COLUMNS, caps=None):  # noqa: A002
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "format": format,
            "key": ["id"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": columns,
            "caps": caps or {},
        }
    )


def single(type, **declared):  # noqa: A002
    """A source whose column `v` is looked at."""
    return source(columns={**COLUMNS, "v": {"type": type, "nullable": True, **declared}})


def value(text, declared):
    """What a field reads as, or why it cannot be read."""
    row = f'1,2013-04-01T12:00:00Z,,,,"{text}"' if text is not None else "1,2013-04-01T12:00:00Z,,,,"
    found = decode(f"id,at,x,ok,s,v\n{row}\n".encode(), declared)
    return found.bad[1] if found.bad else found.rows["v"].to_pylist()[0]


def parquet(table, **how):
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def small(n=2, **changes):
    return pa.table(
        {
            "id": pa.array(range(n), pa.int32()),
            "at": pa.array([NOON] * n, pa.timestamp("ns", "UTC")),
            "x": pa.array([0.5] * n, pa.float32()),
            "ok": [True] * n,
            "s": ["a"] * n,
            **changes,
        }
    )


class TestValues:
    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("7", 7), ("-7", -7), ("007", 7), ("5.0", 5), ("-0", 0), ("0", 0),
            ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63)), ("000000000000000000000012", 12),
        ],
    )  # fmt: skip
    def test_an_integer_is_read(self, text, read):
        assert value(text, single("integer")) == read

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("9223372036854775808", "exceeds 64 bits"), ("-9223372036854775809", "exceeds 64 bits"),
            ("1" * 400, "exceeds 64 bits"), ("5.5", "is not an integer"), ("1e3", "is not an integer"),
            ("0x1F", "is not an integer"), (" 5", "is not an integer"), ("NA", "is not an integer"),
            ("1_000", "is not an integer"), ("٣", "is not an integer"), ("-", "is not an integer"),
        ],
    )  # fmt: skip
    def test_what_is_no_integer_is_a_bad_row(self, text, why):
        assert value(text, single("integer")) == f"v: {text[:40]!r} {why}"

    @pytest.mark.parametrize(
        ("text", "read"), [("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("-1e3", -1000.0), ("1e308", 1e308), ("-0", -0.0)]
    )
    def test_a_number_is_read(self, text, read):
        assert value(text, single("number")) == read

    @pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "NaN", "1e999", "0x10", "1,5", " 1", "one"])
    def test_what_is_no_finite_number_is_a_bad_row(self, text):
        assert "is not a finite number" in value(text, single("number"))

    @pytest.mark.parametrize("text", [None, ""])
    @pytest.mark.parametrize("type_", ["integer", "number", "boolean", "timestamp", "string"])
    def test_an_empty_field_is_missing(self, type_, text):
        assert value(text, single(type_)) is None

    @pytest.mark.parametrize(("text", "read"), [("true", True), ("False", False), ("1", True), ("0", False)])
    def test_a_boolean_is_read(self, text, read):
        assert value(text, single("boolean")) is read

    def test_yes_is_no_boolean(self):
        assert value("yes", single("boolean")) == "v: 'yes' is not true or false"

    @pytest.mark.parametrize(
        ("text", "utc"),
        [
            ("2013-04-01T12:00:00Z", "2013-04-01T12:00:00"), ("2013-04-01 12:00:00+00:00", "2013-04-01T12:00:00"),
            ("2013-04-01T12:00+0200", "2013-04-01T10:00:00"), ("2013-04-01T12:00:00.5-05", "2013-04-01T17:00:00.5"),
            ("2012-02-29T00:00:00Z", "2012-02-29T00:00:00"), ("2000-02-29T00:00Z", "2000-02-29T00:00:00"),
            ("9999-12-31T00:00:00Z", "9999-12-31T00:00:00"),
        ],
    )  # fmt: skip
    def test_a_moment_with_a_zone_is_read_as_utc(self, text, utc):
        assert value(text, single("timestamp")) == datetime.fromisoformat(utc).replace(tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        ["2013-02-29T00:00:00Z", "1900-02-29T00:00Z", "2013-04-31T00:00Z", "2013-13-01T00:00Z", "2013-04-01T24:00Z",
         "2013-04-01T00:60Z", "2013-04-01T00:00:60Z", "1364774400", "1364774400000", "01.04.2013", "2013-4-1T00:00Z",
         "2013-04-01T00:00:00.1234567Z", "0001-01-01T00:00Z", "2013-04-01T12:00:00 America/New_York"],
    )  # fmt: skip
    def test_what_is_no_moment_is_a_bad_row(self, text):
        assert "is not an ISO 8601 timestamp" in value(text, single("timestamp"))

    def test_a_moment_that_leaves_the_years_in_utc_is_a_bad_row(self):
        assert "outside the years" in value("9999-12-31T23:00:00-05:00", single("timestamp"))

    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("2013-07-01 12:00:00", datetime(2013, 7, 1, 16, tzinfo=UTC)),
            ("2013-01-01", datetime(2013, 1, 1, 5, tzinfo=UTC)),
            ("2013-07-01T12:00:00Z", datetime(2013, 7, 1, 12, tzinfo=UTC)),
            ("2013-11-03T01:30:00-05:00", datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
            ("2013-03-10 02:30", "v: '2013-03-10 02:30' does not exist in America/New_York: the clock skips it"),
            ("2013-11-03 01:30", "v: '2013-11-03 01:30' happens twice in America/New_York: write it with its offset"),
        ],
    )
    def test_a_moment_without_a_zone_is_read_in_the_declared_one(self, text, read):
        assert value(text, single("timestamp", timezone="America/New_York")) == read

    @pytest.mark.parametrize(
        ("text", "fold", "read"),
        [
            ("2013-11-03 01:30", "earlier", datetime(2013, 11, 3, 5, 30, tzinfo=UTC)),
            ("2013-11-03 01:30", "later", datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
            ("2013-11-03 00:59", "later", datetime(2013, 11, 3, 4, 59, tzinfo=UTC)),
            ("2013-11-03 02:00", "earlier", datetime(2013, 11, 3, 7, tzinfo=UTC)),
            ("2013-11-03T01:30:00-05:00", "earlier", datetime(2013, 11, 3, 6, 30, tzinfo=UTC)),
        ],
    )
    def test_an_hour_that_happens_twice_is_read_as_the_spec_says(self, text, fold, read):
        assert value(text, single("timestamp", timezone="America/New_York", fold=fold)) == read

    @pytest.mark.parametrize("fold", ["refuse", "earlier", "later"])
    def test_an_hour_that_never_happens_is_a_bad_row_whatever_the_spec_says_of_folds(self, fold):
        said = value("2013-03-10 02:30", single("timestamp", timezone="America/New_York", fold=fold))
        assert "the clock skips it" in said

    def test_a_moment_without_any_zone_is_a_bad_row(self):
        assert "names no zone" in value("2013-07-01 12:00:00", single("timestamp"))

    @pytest.mark.slow
    @settings(derandomize=True, max_examples=200, deadline=None)
    @given(number=st.integers(-(2**70), 2**70))
    @example(number=2**63)
    @example(number=-(2**63) - 1)
    def test_an_integer_is_read_exactly_or_not_at_all(self, number):
        read = value(str(number), single("integer"))
        assert read == number if -(2**63) <= number < 2**63 else "exceeds 64 bits" in read

    @settings(derandomize=True, max_examples=100, deadline=None)
    @given(number=st.floats(allow_nan=False, allow_infinity=False))
    def test_a_written_number_is_read_back_to_the_bit(self, number):
        assert value(repr(number), single("number")) == number


class TestCsv:
    def test_order_is_free_and_more_columns_are_recorded_but_not_kept(self):
        found = decode(b"s,extra,id,ok,at,x\nq,z,1,true,2013-04-01T12:00:00Z,2\n", source())
        assert found.rows.to_pylist() == [{"id": 1, "at": NOON, "x": 2.0, "ok": True, "s": "q", "row": 1}]
        assert found.extra == ("extra",)
        assert found.header == ("s", "extra", "id", "ok", "at", "x")

    @pytest.mark.parametrize(
        ("header", "hint"),
        [
            ("ID,at,x,ok,s", r"id \(there is 'ID', which differs in case or blanks\)"),
            ("id, at,x,ok,s", r"at \(there is ' at', which differs in case or blanks\)"),
            ("id,at,x,ok,string", r"lacks 1 of 5 declared columns: s"),
            ("id,at,x,okk,s", r"ok \(did you mean 'okk'\?\)"),
            ("id;at;x;ok;s", r"lacks 5 of 5"),
            ("id,id,at,x,ok,s", "appear more than once: id"),
            ('id,at,x,ok,"s', "open quote"),
        ],
    )
    def test_a_header_that_does_not_fit_refuses_the_delivery_with_a_hint(self, header, hint):
        with pytest.raises(DeliveryRefused, match=hint):
            decode(f"{header}\n".encode(), source())

    def test_a_byte_order_mark_line_ends_and_blank_lines_do_not_matter(self):
        text = "\ufeffid,at,x,ok,s\r\n1,2013-04-01T12:00:00Z,,,\r\n\r\n2,2013-04-01T12:00:00Z,,,"
        assert decode(text.encode(), source()).rows["row"].to_pylist() == [1, 2]

    def test_a_quoted_field_may_hold_commas_quotes_and_line_ends(self):
        text = 'id,at,x,ok,s\n1,2013-04-01T12:00:00Z,,,"a,""b""\nc"\n2,2013-04-01T12:00:00Z,,,d\n'
        assert decode(text.encode(), source()).rows["s"].to_pylist() == ['a,"b"\nc', "d"]

    def test_rows_keep_their_numbers_around_bad_ones(self):
        text = "id,at,x,ok,s\nq,2013-04-01T12:00:00Z,,,\n2,2013-04-01T12:00:00Z\n3,2013-04-01T12:00:00Z,,,\n4,,nan,,y\n"
        found = decode(text.encode(), source())
        assert found.rows["row"].to_pylist() == [3]
        assert found.bad == {
            1: "id: 'q' is not an integer",
            2: "has 2 fields, the header has 5",
            4: "x: 'nan' is not a finite number; a missing one is an empty field",
        }
        assert found.count == 4
        assert json.loads(found.original([4])[0]) == {"id": "4", "at": None, "x": "nan", "ok": None, "s": "y"}
        assert json.loads(found.original([2])[0]) == {"line": "2,2013-04-01T12:00:00Z"}

    def test_numbers_of_rows_hold_across_blocks(self):
        row = "1,2013-04-01T12:00:00Z,,," + "x" * 1000
        lines = [row if n % 500 else "broken" for n in range(1, 3001)]
        found = decode(("id,at,x,ok,s\n" + "\n".join(lines)).encode(), source())
        assert list(found.bad) == [500, 1000, 1500, 2000, 2500, 3000]
        assert found.rows["row"].to_pylist() == [n for n in range(1, 3001) if n % 500]

    @pytest.mark.parametrize("text", [b"", b"\n\n", b"\xef\xbb\xbf", b"id,at,x,ok,s", b"id,at,x,ok,s\n"])
    def test_an_empty_file_has_no_rows(self, text):
        found = decode(text, source())
        assert found.count == 0
        assert found.rows.schema.names == ["id", "at", "x", "ok", "s", "row"]

    @settings(derandomize=True, max_examples=60, deadline=None)
    @given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), max_size=5))
    def test_text_is_read_back_as_written(self, texts):
        rows = [f'{n},2013-04-01T12:00:00Z,,,"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(texts)]
        found = decode("\n".join(["id,at,x,ok,s", *rows]).encode(), source())
        assert found.rows["s"].to_pylist() == texts


class TestJsonLines:
    def test_objects_are_read_and_a_key_left_out_is_missing(self):
        first = b'{"id":1,"at":"2013-04-01T12:00:00Z","x":2,"zz":[1]}'
        second = b'{"ok":false,"s":"a","at":"2013-04-01T12:00:00Z","id":2.0}'
        found = decode(first + b"\n\n" + second, source("jsonl"))
        assert found.rows.to_pylist() == [
            {"id": 1, "at": NOON, "x": 2.0, "ok": None, "s": None, "row": 1},
            {"id": 2, "at": NOON, "x": None, "ok": False, "s": "a", "row": 2},
        ]
        assert found.extra == ("zz",)

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ('{"id":"1"}', "id: is text, declared integer"),
            ('{"id":true}', "id: is a boolean, declared integer"),
            ('{"id":1.5}', "id: is a number, declared integer"),
            ('{"id":99999999999999999999}', "id: does not fit the declared integer"),
            ('{"id":1,"x":NaN}', "is not JSON: NaN is not a JSON number"),
            ('{"id":1,"x":1e999}', "x: 'inf' is not a finite number"),
            ('{"id":1,"s":"\\ud800"}', "s: holds half of a surrogate pair"),
            ('{"id":1,"s":"\\u0000"}', "s: '\\x00' holds a NUL"),
            ('{"id":1,"s":{"a":1}}', "s: is an object, declared string"),
            ('{"id":1,"at":1364774400}', "at: is a number, declared timestamp"),
            ('{"id":1,"id":2}', "is not JSON: an object has a key twice"),
            ("[1]", "is not an object"),
            ("[" * 100_000, "is not JSON"),
            ('{"id":1' + "0" * 5000 + "}", "is not JSON"),
        ],
    )
    def test_a_line_that_does_not_fit_is_a_bad_row(self, line, why):
        found = decode(f'{line}\n{{"id":7,"at":"2013-04-01T12:00:00Z"}}'.encode(), source("jsonl"))
        assert found.bad[1].startswith(why)
        assert found.rows["id"].to_pylist() == [7]
        json.loads(found.original([1])[0], parse_constant=pytest.fail)

    def test_a_line_with_a_key_twice_is_kept_as_it_came(self):
        line = '{"id":1,"id":2,"at":"2013-04-01T12:00:00Z"}'
        found = decode(f'{line}\n{{"id":7,"at":"2013-04-01T12:00:00Z"}}'.encode(), source("jsonl"))
        assert json.loads(found.original([1])[0]) == {"line": line}

    def test_a_column_in_no_object_refuses_the_delivery(self):
        with pytest.raises(DeliveryRefused, match=r"at \(there is 'At'"):
            decode(b'{"id":1,"At":"2013-04-01T12:00:00Z"}', source("jsonl"))

    def test_a_nullable_column_may_be_left_out_but_not_renamed(self):
        text = '{"id":1,"at":"2013-04-01T12:00:00Z","weather":1%s}'
        columns = {**COLUMNS, "humidity": {"type": "number", "nullable": True}}
        assert decode((text % "").encode(), source("jsonl", columns)).count == 1
        with pytest.raises(DeliveryRefused, match="did you mean 'humidty'"):
            decode((text % ',"humidty":3').encode(), source("jsonl", columns))


class TestParquet:
    def test_types_are_widened_to_the_declared_ones(self):
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
    def test_another_type_refuses_the_delivery_with_the_difference(self, changes, difference):
        with pytest.raises(DeliveryRefused, match=difference):
            decode(parquet(small(**changes)), source("parquet"))

    def test_a_missing_column_refuses_the_delivery(self):
        with pytest.raises(DeliveryRefused, match="lacks 1 of 5 declared columns: x"):
            decode(parquet(small().drop(["x"])), source("parquet"))

    def test_values_that_do_not_fit_are_bad_rows(self):
        table = small(
            id=pa.array([2**63, 1], pa.uint64()), x=[1.0, float("nan")], s=["a\0", "b"], at=pa.array([NOON, None])
        )
        found = decode(parquet(table), source("parquet"))
        assert found.bad[1].startswith("id: '9223372036854775808' exceeds 64 bits; s: ")
        assert found.bad[2].startswith("x: 'nan' is not a finite number")
        json.loads(found.original([2])[0], parse_constant=pytest.fail)

    def test_local_times_are_read_in_the_declared_zone(self):
        table = small(at=pa.array([datetime(2013, 3, 10, 2, 30), datetime(2013, 3, 10, 12)], pa.timestamp("ms")))
        columns = {**COLUMNS, "at": {"type": "timestamp", "timezone": "America/New_York"}}
        found = decode(parquet(table), source("parquet", columns))
        assert found.rows["at"].to_pylist() == [datetime(2013, 3, 10, 16, tzinfo=UTC)]
        assert "the clock skips it" in found.bad[1]

    def test_a_column_without_any_value_has_the_declared_type(self):
        found = decode(parquet(small(x=pa.nulls(2), s=pa.nulls(2), ok=pa.nulls(2))), source("parquet"))
        assert found.rows.schema.field("x").type == pa.float64()
        assert found.rows["s"].null_count == found.rows["ok"].null_count == 2

    @pytest.mark.slow
    def test_what_the_library_quotes_from_a_damaged_file_is_shown_as_text(self):
        sound = parquet(small(), compression="none", use_dictionary=False)
        messages = set()
        for at in range(4, len(sound) - 8):
            try:
                decode(sound[:at] + b"\x0f" + sound[at + 1 :], source("parquet"))
            except DeliveryRefused as refused:
                messages.add(str(refused))
        assert any("\\x0f" in message for message in messages)
        assert all(message.isprintable() for message in messages)

    def test_no_rows_are_read_as_no_rows(self):
        assert decode(parquet(small(0)), source("parquet")).count == 0


class TestCaps:
    @pytest.mark.parametrize(
        ("text", "caps", "why"),
        [
            (b"id,at,x,ok,s\n" + b"1,,,,\n" * 12, {"rows": 10}, "more than 10 rows"),
            (b"id,at,x,ok,s\n" + b"1\n" * 12, {"bad_rows": 11}, "More than 11 of its rows cannot be read"),
            (b"id,at,x,ok,s\n" + b"q,,,,\n" * 12, {"bad_rows": 11}, "More than 11 of its rows cannot be read"),
            (b"id,at,x,ok,\x1b[2J\xe2\x80\xae\n", {}, r"known: \\x1b\[2J\\u202e"),
            (b"id,at,x,ok,s\n" + b"x" * 100, {"line_bytes": 99}, "longer than 99 bytes"),
            (b"id,at,x,ok,s\n" + b"1,,,,\n" * 20 + b"x" * 100 + b"\n1", {"line_bytes": 99}, "longer than 99 bytes"),
            (b"x" * 100_000_000, {}, "longer than 1048576 bytes"),
            (b"," * 1_000_000, {}, "1000001 columns, the spec allows 2000"),
            (b"id,at,x,ok,s\n1,,,,\n", {"decoded_bytes": 10}, "decode to more than 10"),
            (b'id,at,x,ok,s\n1,,,,"open\n2,,,,\n', {}, "quoted field is never closed"),
            (b'id,at,x,ok,s\n1,,,,"' + b"long\n" * 1_000_000 + b'"\n', {}, "rows of at most 1048576 bytes"),
            (b'id,at,x,ok,s\n1,,,,"' + b"x" * 100 + b'"\n', {"cell_bytes": 99}, "A value of s has 100 bytes"),
            (
                f"id,at,x,ok,s\n1,,,,{'ä' * 20}\n".encode(),
                {"cell_bytes": 30},
                "A value of s has 40 bytes",
            ),
            (b"id,at,x,ok,s\n1,,,," + b"x" * 70_000 + b"\n", {}, "70000 bytes, the spec allows 65536"),
            (b"id,at,x,ok,s," + b"n" * 70_000 + b"\n", {}, "name of a column has 70000 bytes"),
            (b"id,at,x,ok,s\n1,,,,\xff\n", {}, "not UTF-8: invalid start byte near byte 18"),
            (b"id,at,x,ok,s\n1,,,,\xed\xa0\x80\n", {}, "not UTF-8"),
            ("id,at,x,ok,s\n".encode("utf-16"), {}, "NUL byte at 3; it looks like UTF-16"),
            (b"id,at,x,ok,s\n1,,,,\0\n", {}, "NUL byte at 18"),
            (gzip.compress(b"id,at"), {}, "it looks like gzip, whose name must end in .gz"),
            (b"PK\x03\x04\0", {}, "it looks like a zip archive"),
        ],
        ids=lambda given: given if isinstance(given, str) else "-",
    )
    def test_text_beyond_the_caps_is_refused(self, text, caps, why):
        with pytest.raises(DeliveryRefused, match=why):
            decode(text, source(caps=caps))

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            pytest.param(gzip.compress(b"x\n" * 50_000_000, 1), "decode to more than", id="bomb"),
            pytest.param(gzip.compress(b"id") + gzip.compress(b"at"), "more than one member", id="two members"),
            pytest.param(gzip.compress(b"id") + b"junk", "more than one member", id="trailing bytes"),
            pytest.param(gzip.compress(b"id" * 99)[:-9], "cut off", id="cut"),
            pytest.param(gzip.compress(b"id" * 99)[:-8] + b"\0" * 8, "damaged", id="wrong checksum"),
            pytest.param(b"id,at", "damaged", id="no gzip"),
            pytest.param(b"", "cut off", id="empty"),
        ],
    )
    def test_gzip_is_inflated_under_the_caps_or_refused(self, data, why):
        tracemalloc.start()
        with pytest.raises(DeliveryRefused, match=why):
            decode(data, source(), compressed=True)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200 * len(data) + 16 * 2**20

    def test_gzip_within_the_caps_is_read(self):
        text = b"id,at,x,ok,s\n" + b"1,2013-04-01T12:00:00Z,,,\n" * 5
        assert decode(gzip.compress(text), source(), compressed=True).count == 5

    def test_parquet_that_unfolds_a_dictionary_is_refused_before_it_does(self):
        n = 100_000
        text = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), ["x" * 4000])
        bomb = parquet(small(n, s=text), compression="zstd")
        before = pa.total_allocated_bytes()
        pool = pa.default_memory_pool()
        with pytest.raises(DeliveryRefused, match="decode to more than"):
            decode(bomb, source("parquet"))
        assert len(bomb) < 10**6
        assert (pool.max_memory() or 0) - before < 100 * 2**20

    @pytest.mark.parametrize(
        ("table", "caps", "why"),
        [
            (small(11), {"rows": 10}, "more than 10 rows"),
            (small(2, **{f"c{i}": [1, 2] for i in range(9)}), {"columns": 10}, "14 columns, the spec allows 10"),
            (small(1000), {"decoded_bytes": 1000}, "decode to more than 1000"),
        ],
    )
    def test_parquet_beyond_the_caps_is_refused_by_its_footer(self, table, caps, why):
        with pytest.raises(DeliveryRefused, match=why):
            decode(parquet(table), source("parquet", caps=caps))

    @pytest.mark.parametrize(
        ("format_", "data"),
        [
            ("jsonl", b'{"id":1,"at":"2013-04-01T12:00:00Z","s":"' + b"x" * 100 + b'"}'),
            ("jsonl", b'{"id":1,"at":"2013-04-01T12:00:00Z","' + b"x" * 100 + b'":1}'),
            ("parquet", parquet(small(s=["a", "x" * 100]))),
            ("parquet", parquet(small(s=pa.array(["a", "x" * 100]).dictionary_encode()))),
            ("parquet", parquet(small(**{"x" * 100: [1, 2]}))),
        ],
    )
    def test_a_long_cell_or_name_is_refused_in_every_format(self, format_, data):
        with pytest.raises(DeliveryRefused, match="has 100 bytes, the spec allows 99"):
            decode(data, source(format_, caps={"cell_bytes": 99}))

    def test_json_lines_that_are_none_are_counted(self):
        with pytest.raises(DeliveryRefused, match="More than 11 of its rows cannot be read"):
            decode(b"{\n" * 12, source("jsonl", caps={"bad_rows": 11}))

    def test_names_of_json_keys_are_counted_while_they_grow(self):
        lines = b"".join(b'{"id":1,"at":"2013-04-01T12:00:00Z","k%d":1}\n' % n for n in range(300_000))
        tracemalloc.start()
        with pytest.raises(DeliveryRefused, match="columns, the spec allows 2000"):
            decode(lines, source("jsonl"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 * len(lines)

    def test_parquet_inside_gzip_is_refused(self):
        with pytest.raises(DeliveryRefused, match="inside gzip"):
            decode(gzip.compress(parquet(small())), source("parquet"), compressed=True)

    @pytest.mark.slow
    @settings(derandomize=True, max_examples=300, deadline=None)
    @given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4), cut=st.floats(0, 1))
    @pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "gz"])
    def test_damaged_files_are_read_or_refused_and_nothing_else(self, format_, flips, cut):
        damaged = bytearray(SOUND[format_])
        for where, byte in flips:
            damaged[int(where * (len(damaged) - 1))] = byte
        if cut < 0.2:
            del damaged[int(cut * 5 * len(damaged)) :]
        try:
            found = decode(bytes(damaged), source(format_.replace("gz", "csv")), compressed=format_ == "gz")
        except DeliveryRefused:
            return
        for text in found.original(list(found.bad)):
            json.loads(text, parse_constant=pytest.fail)
        assert found.count == len(found.rows) + len(found.bad)


_CSV = b"id,at,x,ok,s\n" + b"".join(b'%d,2013-04-01T12:00:00Z,%d.5,true,"a%d"\n' % (n, n, n) for n in range(30))
SOUND = {
    "csv": _CSV,
    "gz": gzip.compress(_CSV),
    "jsonl": b"".join(b'{"id":%d,"at":"2013-04-01T12:00:00Z","x":1.5,"ok":true,"s":"a"}\n' % n for n in range(30)),
    "parquet": parquet(small(30), compression="zstd"),
}


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same_rows(format_):
    rows = [{"id": n, "at": "2013-04-01T12:00:00Z", "x": n / 4, "ok": n > 2, "s": f"s{n}"} for n in range(5)]
    written = {
        "csv": "\n".join(["id,at,x,ok,s", *(",".join(str(v) for v in row.values()) for row in rows)]).encode(),
        "jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "parquet": parquet(pa.Table.from_pylist([{**row, "at": NOON} for row in rows])),
    }
    found = decode(written[format_], source(format_))
    assert found.rows.to_pylist() == [{**row, "at": NOON, "row": n + 1} for n, row in enumerate(rows)]
    assert not found.bad
