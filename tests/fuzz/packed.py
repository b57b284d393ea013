"""Gzip and Parquet: bombs, damage, claims that are not true, and every type against every declared one."""

# ruff: noqa: E501 - tables of hostile texts

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.fuzz.case import ANY, AT, Case, csv, good, only, refused

TEXT = csv(good(1), good(2))
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
PARQUET = {"format": "parquet"}


def cases() -> Iterator[Case]:
    """Every one of them; none depends on chance."""
    yield from _gzips()
    yield from _types()
    yield from _shapes()
    yield from _bombs()
    yield from _claims()


def table(rows: int = 2, **changes: Any) -> pa.Table:
    """Rows that keep every rule; a change replaces a column or adds one."""
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "at": pa.array([NOON] * rows, pa.timestamp("us", "UTC")),
            "x": pa.array([0.5] * rows, pa.float64()),
            "ok": pa.array([True] * rows),
            "s": pa.array(["a"] * rows),
            **changes,
        }
    )


def parquet(rows: pa.Table, **how: Any) -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(rows, sink, **how)
    return sink.getvalue()


def _gzips() -> Iterator[Case]:
    packed = gzip.compress(TEXT, mtime=0)
    gz = {"ending": "csv.gz"}
    yield Case("D15 gzip", lambda: packed, only("accepted"), ending="csv.gz")
    for mib in (16, 256):
        yield refused("D15 gzip bomb", lambda n=mib: _bomb(n), "decode to more|damaged|longer than", **gz)
    yield refused("D15 gzip bomb in one line", lambda: _bomb(256, b"x"), "decode to more", **gz)
    yield refused("D15 nested gzip", gzip.compress(packed, mtime=0), "gzip|NUL|UTF-8", **gz)
    yield refused("D15 nested bomb", lambda: gzip.compress(_bomb(128), mtime=0), "gzip|NUL|UTF-8", **gz)
    for cut in range(0, len(packed), 5):
        yield refused("D15 gzip cut", packed[:cut], "cut off|damaged", **gz)
    for at in range(0, len(packed), 4):
        flipped = packed[:at] + bytes([packed[at] ^ 0x55]) + packed[at + 1 :]
        yield Case("D15 gzip flipped", lambda b=flipped: b, frozenset({"accepted", "refused"}), ending="csv.gz")
    for tail in (packed, b"junk", b"\0" * 512, gzip.compress(b"", mtime=0), b"\x1f"):
        yield refused("D15 gzip members", packed + tail, "more than one member", **gz)
    for other in (TEXT, b"", zlib.compress(TEXT), b"PK\x03\x04" + packed, b"BZh91AY&SY", b"\xfd7zXZ\0"):
        yield refused("D15 no gzip", other, "damaged|cut off", **gz)
    named = bytes([*packed[:3], 8, *packed[4:10]]) + b"../../../etc/passwd\0" + packed[10:]
    yield Case("THREATS name inside gzip", lambda: named, only("accepted"), ending="csv.gz")
    yield refused(
        "D15 parquet in gzip", gzip.compress(parquet(table()), mtime=0), "inside gzip", ending="parquet.gz", **PARQUET
    )
    yield refused("D15 gzip called csv", packed, "gzip, whose name|UTF-8")


def _bomb(mib: int, unit: bytes = b"1,,,,\n") -> bytes:
    chunk = unit * ((1 << 20) // len(unit))
    engine, out = zlib.compressobj(9, wbits=31), io.BytesIO()
    out.write(engine.compress(b"id,at,x,ok,s\n"))
    for _ in range(mib):
        out.write(engine.compress(chunk))
    out.write(engine.flush())
    return out.getvalue()


_OFFERED: dict[str, Any] = {
    "int8": pa.array([1, 2], pa.int8()), "int64": pa.array([1, 2]), "uint64": pa.array([2**64 - 1, 2], pa.uint64()),
    "float16": pa.array(np.array([1, 2], np.float16)), "float": pa.array([1.5, 2.0], pa.float32()), "double": pa.array([1.0, 2.0]),
    "nan": pa.array([float("nan"), float("inf")]), "bool": pa.array([True, False]), "string": pa.array(["a", "b"]),
    "large_string": pa.array(["a", "b"], pa.large_string()), "string_view": pa.array(["a", "b"], pa.string_view()),
    "binary": pa.array([b"a", b"\xff"]), "fixed": pa.array([b"ab", b"cd"], pa.binary(2)), "null": pa.nulls(2),
    "date": pa.array([date(2013, 4, 1), date(1, 1, 1)]), "time": pa.array([time(1), time(2)]),
    "ts_s": pa.array([datetime(2013, 4, 1), None], pa.timestamp("s")), "ts_utc": pa.array([NOON, None], pa.timestamp("ms", "UTC")),
    "ts_zone": pa.array([NOON, None], pa.timestamp("us", "America/New_York")), "ts_ns": pa.array([2**63 - 1, -(2**63) + 1], pa.timestamp("ns", "UTC")),
    "ts_far": pa.array([2**62, -(2**62)], pa.int64()).cast(pa.timestamp("us", "UTC")), "duration": pa.array([timedelta(1), None]),
    "ts_zone_odd": pa.array([NOON, None], pa.timestamp("us", "+01:30")), "decimal": pa.array([Decimal("1.5"), None]),
    "list": pa.array([[1], [2]]), "struct": pa.array([{"a": 1}, {"a": 2}]), "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    "dictionary": pa.array(["a", "b"]).dictionary_encode(), "dictionary_int": pa.array([1, 2]).dictionary_encode(),
    "surrogate": pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(struct.pack("<3i", 0, 3, 4)), pa.py_buffer(b"\xed\xa0\x80b")]),
    "nul": pa.array(["a\0", "b"]),
}  # fmt: skip


def _types() -> Iterator[Case]:
    for declared in ("string", "integer", "number", "boolean", "timestamp"):
        for offered, values in _OFFERED.items():
            source = {**PARQUET, "v": {"type": declared, "nullable": True}}
            kind = f"D7 parquet {offered} for {declared}"
            yield Case(kind, lambda v=values: parquet(table(v=v)), ANY, source=source)


def _shapes() -> Iterator[Case]:
    for name, data in {
        "no rows": lambda: parquet(table(0)),
        "no row groups": lambda: _without_groups(),
        "row groups of one": lambda: parquet(table(500), row_group_size=1),
        "old pages": lambda: parquet(table(), version="1.0"),
        "new pages": lambda: parquet(table(), data_page_version="2.0"),
        "more columns": lambda: parquet(table(**{f"c{n}": [1, 2] for n in range(900)})),
        "strange stranger": lambda: parquet(table(deep=[[[[1]]], [[[2]]]], d=pa.array([Decimal(1), None]))),
        "repeated stranger": lambda: parquet(
            table().append_column("e", pa.array([1, 2])).append_column("e", pa.array([1, 2]))
        ),
    }.items():
        yield Case(f"D6 parquet {name}", data, only("accepted"), source=PARQUET)
    for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
        yield Case(
            f"D13 parquet {codec}", lambda c=codec: parquet(table(), compression=c), only("accepted"), source=PARQUET
        )
    yield refused(
        "D15 parquet columns", lambda: parquet(table(**{f"c{n}": [1, 2] for n in range(3000)})), "columns", **PARQUET
    )
    yield refused(
        "D12 parquet column twice",
        lambda: parquet(table().append_column("id", pa.array([1, 2]))),
        "more than once",
        **PARQUET,
    )
    yield refused("D7 parquet column gone", lambda: parquet(table().drop(["x"])), "lacks 1", **PARQUET)
    yield refused(
        "D8 parquet case",
        lambda: parquet(table().rename_columns(["ID", "at", "x", "ok", "s"])),
        "case or blanks",
        **PARQUET,
    )
    yield refused("D15 parquet name", lambda: parquet(table(**{"n" * 70_000: [1, 2]})), "name of a column", **PARQUET)


def _without_groups() -> bytes:
    sink = io.BytesIO()
    pq.ParquetWriter(sink, table().schema).close()
    return sink.getvalue()


def _bombs() -> Iterator[Case]:
    millions = 20_000_000
    nulls = lambda: parquet(_nulls(millions), compression="zstd")  # noqa: E731
    yield Case("D15 parquet of nulls", nulls, frozenset({"refused"}), source=PARQUET, said="decode to more|rows")
    for size, rows in ((4_000, 100_000), (60_000, 20_000), (1_000_000, 100)):
        text = lambda s=size, n=rows: pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), ["x" * s])  # noqa: E731
        yield refused(
            "D15 parquet dictionary",
            lambda t=text, n=rows: parquet(table(n, s=t()), compression="zstd"),
            "bytes|decode",
            **PARQUET,
        )
    page = lambda: parquet(table(3000, s=["x" * 60_000] * 3000), use_dictionary=False, compression="zstd")  # noqa: E731
    yield refused("D15 parquet page", page, "decode to more", **PARQUET)
    stranger = lambda: parquet(table(3000, e=["x" * 60_000] * 3000), use_dictionary=False, compression="zstd")  # noqa: E731
    yield Case("D15 parquet page of a stranger", stranger, ANY, source=PARQUET)
    deep = lambda: parquet(table(2, e=pa.array([_deep(90)] * 2)))  # noqa: E731
    yield Case("D15 parquet nested", deep, ANY, source=PARQUET)
    about = {b"ARROW:schema": b"x" * 5_000_000, b"pandas": b"{" * 1_000_000}
    yield Case("D15 parquet metadata", lambda: parquet(table().replace_schema_metadata(about)), ANY, source=PARQUET)


def _nulls(rows: int) -> pa.Table:
    whole = table(0)
    return pa.table([pa.nulls(rows, field.type) for field in whole.schema], schema=whole.schema)


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def _claims() -> Iterator[Case]:
    """Files whose last bytes say something else than the rest, and files of which a part is missing."""
    sound = parquet(table(50))
    for cut in (0, 1, 4, 8, 12, len(sound) // 2, len(sound) - 8, len(sound) - 4, len(sound) - 1):
        yield refused("D15 parquet cut", sound[:cut], "not a sound Parquet", **PARQUET)
    for length in (0, 1, 2**31 - 1, 2**32 - 1, len(sound), len(sound) - 8):
        yield refused(
            "D15 parquet footer length", sound[:-8] + struct.pack("<I", length) + b"PAR1", "not a sound", **PARQUET
        )
    yield refused("D15 parquet magic", b"PAR1" * 3, "not a sound", **PARQUET)
    yield refused("D15 parquet encrypted", sound[:-4] + b"PARE", "not a sound", **PARQUET)
    yield refused("D15 csv called parquet", TEXT, "not a sound", **PARQUET)
    footer = len(sound) - 8 - struct.unpack("<I", sound[-8:-4])[0]
    for at in range(footer, len(sound) - 8, 7):
        for byte in (0x00, 0x7F, 0xFF):
            claimed = sound[:at] + bytes([byte]) + sound[at + 1 :]
            yield Case("D15 parquet footer", lambda b=claimed: b, ANY, source=PARQUET)
    for at in range(4, footer, 41):
        damaged = sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :]
        yield Case("D15 parquet page", lambda b=damaged: b, ANY, source=PARQUET)
    yield Case(
        "D15 parquet header of csv",
        lambda: b"PAR1\n" + csv(f"1,{AT},,,"),
        only("refused"),
        said="lacks|column",
        source={},
    )
