"""Caps: what is too large is refused before it is read whole, in every format."""

import gzip
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from tests.decoding import parquet, small, source

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode


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
def test_text_beyond_the_caps_is_refused(text, caps, why):
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
def test_gzip_is_inflated_under_the_caps_or_refused(data, why):
    tracemalloc.start()
    with pytest.raises(DeliveryRefused, match=why):
        decode(data, source(), compressed=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * len(data) + 16 * 2**20


def test_gzip_within_the_caps_is_read():
    text = b"id,at,x,ok,s\n" + b"1,2013-04-01T12:00:00Z,,,\n" * 5
    assert decode(gzip.compress(text), source(), compressed=True).count == 5


def test_parquet_that_unfolds_a_dictionary_is_refused_before_it_does():
    n = 100_000
    text = pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), ["x" * 4000])
    bomb = parquet(small(n, s=text), compression="zstd")
    usual = pa.default_memory_pool()
    counting = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counting)
    try:
        with pytest.raises(DeliveryRefused, match="decode to more than"):
            decode(bomb, source("parquet"))
    finally:
        pa.set_memory_pool(usual)
    assert len(bomb) < 10**6
    assert 0 < (counting.max_memory() or 0) < 100 * 2**20


@pytest.mark.parametrize(
    ("table", "caps", "why"),
    [
        (small(11), {"rows": 10}, "more than 10 rows"),
        (small(2, **{f"c{i}": [1, 2] for i in range(9)}), {"columns": 10}, "14 columns, the spec allows 10"),
        (small(1000), {"decoded_bytes": 1000}, "decode to more than 1000"),
    ],
)
def test_parquet_beyond_the_caps_is_refused_by_its_footer(table, caps, why):
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
def test_a_long_cell_or_name_is_refused_in_every_format(format_, data):
    with pytest.raises(DeliveryRefused, match="has 100 bytes, the spec allows 99"):
        decode(data, source(format_, caps={"cell_bytes": 99}))


def test_json_lines_that_are_none_are_counted():
    with pytest.raises(DeliveryRefused, match="More than 11 of its rows cannot be read"):
        decode(b"{\n" * 12, source("jsonl", caps={"bad_rows": 11}))


def test_names_of_json_keys_are_counted_while_they_grow():
    lines = b"".join(b'{"id":1,"at":"2013-04-01T12:00:00Z","k%d":1}\n' % n for n in range(300_000))
    tracemalloc.start()
    with pytest.raises(DeliveryRefused, match="columns, the spec allows 2000"):
        decode(lines, source("jsonl"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(lines)


def test_parquet_inside_gzip_is_refused():
    with pytest.raises(DeliveryRefused, match="inside gzip"):
        decode(gzip.compress(parquet(small())), source("parquet"), compressed=True)
