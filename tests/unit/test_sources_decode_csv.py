"""CSV: what is a header, a row and a field, and which row is which."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decoding import NOON, source

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode


def test_order_is_free_and_more_columns_are_recorded_but_not_kept():
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
def test_a_header_that_does_not_fit_refuses_the_delivery_with_a_hint(header, hint):
    with pytest.raises(DeliveryRefused, match=hint):
        decode(f"{header}\n".encode(), source())


def test_a_byte_order_mark_line_ends_and_blank_lines_do_not_matter():
    text = "\ufeffid,at,x,ok,s\r\n1,2013-04-01T12:00:00Z,,,\r\n\r\n2,2013-04-01T12:00:00Z,,,"
    assert decode(text.encode(), source()).rows["row"].to_pylist() == [1, 2]


def test_a_quoted_field_may_hold_commas_quotes_and_line_ends():
    text = 'id,at,x,ok,s\n1,2013-04-01T12:00:00Z,,,"a,""b""\nc"\n2,2013-04-01T12:00:00Z,,,d\n'
    assert decode(text.encode(), source()).rows["s"].to_pylist() == ['a,"b"\nc', "d"]


def test_rows_keep_their_numbers_around_bad_ones():
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


def test_numbers_of_rows_hold_across_blocks():
    row = "1,2013-04-01T12:00:00Z,,," + "x" * 1000
    lines = [row if n % 500 else "broken" for n in range(1, 3001)]
    found = decode(("id,at,x,ok,s\n" + "\n".join(lines)).encode(), source())
    assert list(found.bad) == [500, 1000, 1500, 2000, 2500, 3000]
    assert found.rows["row"].to_pylist() == [n for n in range(1, 3001) if n % 500]


@pytest.mark.parametrize("text", [b"", b"\n\n", b"\xef\xbb\xbf", b"id,at,x,ok,s", b"id,at,x,ok,s\n"])
def test_an_empty_file_has_no_rows(text):
    found = decode(text, source())
    assert found.count == 0
    assert found.rows.schema.names == ["id", "at", "x", "ok", "s", "row"]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), max_size=5))
def test_text_is_read_back_as_written(texts):
    rows = [f'{n},2013-04-01T12:00:00Z,,,"{text.replace(chr(34), chr(34) * 2)}"' for n, text in enumerate(texts)]
    found = decode("\n".join(["id,at,x,ok,s", *rows]).encode(), source())
    assert found.rows["s"].to_pylist() == texts
