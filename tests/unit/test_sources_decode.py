"""Decoding: types are read as declared, a bad row costs a row, a bad file costs the delivery."""

import gzip
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decoding import NOON, parquet, small, source

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode

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


@pytest.mark.slow
@settings(derandomize=True, max_examples=300, deadline=None)
@given(flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4), cut=st.floats(0, 1))
@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "gz"])
def test_damaged_files_are_read_or_refused_and_nothing_else(format_, flips, cut):
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
