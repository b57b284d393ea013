"""Sound files that were cut, flipped, spliced or repeated on their way: read rightly, or refused."""

# ruff: noqa: E501 - tables of hostile texts

import gzip
from collections.abc import Iterator
from random import Random

from tests.fuzz.case import ANY, AT, Case, csv, good
from tests.fuzz.packed import parquet, table

_LINES = csv(*map(good, range(40)))
_OBJECTS = b"".join(b'{"id":%d,"at":"%s","x":%d.5,"ok":true,"s":"a%d"}\n' % (n, AT.encode(), n, n) for n in range(40))
_TOKENS = (b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"{", b"}", b"[", b"\\", b"NaN", b"1e999", b"-", b"\x1e",
           b"\xed\xa0\x80", b"null", b"9" * 400, b"\xf0\x9f\x98\x80", b"PAR1", b"\x1f\x8b", b":", b"\x80" * 16, b"\x00\x00\x00\x80")  # fmt: skip


def sound() -> dict[str, tuple[bytes, str, str]]:
    """Bytes, format and ending of files that keep every rule."""
    rows = table(40, s=[f"s{n % 7}" for n in range(40)])
    return {
        "csv": (_LINES, "csv", "csv"),
        "jsonl": (_OBJECTS, "jsonl", "jsonl"),
        "csv.gz": (gzip.compress(_LINES, mtime=0), "csv", "csv.gz"),
        "jsonl.gz": (gzip.compress(_OBJECTS, mtime=0), "jsonl", "jsonl.gz"),
        "parquet plain": (parquet(rows, compression="none", use_dictionary=False), "parquet", "parquet"),
        "parquet snappy": (parquet(rows, compression="snappy"), "parquet", "parquet"),
        "parquet zstd": (parquet(rows, compression="zstd", row_group_size=9), "parquet", "parquet"),
        "parquet pages": (parquet(rows, data_page_version="2.0", data_page_size=64), "parquet", "parquet"),
    }


def cases(random: Random, count: int) -> Iterator[Case]:
    """`count` damaged files, of every format in turn."""
    files = list(sound().items())
    for n in range(count):
        name, (data, form, ending) = files[n % len(files)]
        damaged = _damage(data, random)
        yield Case(f"D13 D15 damaged {name}", lambda b=damaged: b, ANY, source={"format": form}, ending=ending)


def _damage(data: bytes, random: Random) -> bytes:
    for _ in range(random.choice((1, 1, 2, 4))):
        at, to = sorted(random.randrange(len(data) + 1) for _ in (0, 1))
        match random.randrange(7):
            case 0:
                data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + bytes([(data[at : at + 1] or b"\0")[0] ^ 1 << random.randrange(8)]) + data[at + 1 :]
            case 2:
                data = data[:at] + random.choice(_TOKENS) + data[at:]
            case 3:
                data = data[:at] + data[min(to, at + 50) :]
            case 4:
                data = data[:to] + data[at:to] + data[to:]
            case 5:
                data = data[:at] + random.choice(_TOKENS) + data[min(at + 8, len(data)) :]
            case _:
                data = data[:at] if random.random() < 0.3 else data[:-9][: at or 1] + data[at:]
        data = data or b"\0"
    return data
