"""CSV and JSON lines that are broken, ambiguous, enormous or in another encoding than agreed."""

# ruff: noqa: E501, RUF001, UP031 - tables of hostile texts

import codecs
import json
from collections.abc import Iterator

from tests.fuzz.case import ANY, AT, Case, accepted, csv, good, only, refused

IDS = (1, 2)
ROWS = csv(good(1), good(2))
EMPTY = (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"id,at,x,ok,s", b"id,at,x,ok,s\n", b"id,at,x,ok,s\r\n\r\n")


def cases() -> Iterator[Case]:
    """Every one of them; none depends on chance."""
    yield from _encodings()
    yield from _headers()
    yield from _rows()
    yield from _sizes()
    yield from _objects()


def _encodings() -> Iterator[Case]:
    text = csv(f"1,{AT},,,caf\u00e9").decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"):
        yield refused(f"D13 encoding {encoding}", text.encode(encoding), "NUL byte|not UTF-8")
    for encoding in ("latin-1", "cp1252", "cp437", "iso8859-15"):
        yield refused(f"D13 encoding {encoding}", text.encode(encoding), "not UTF-8")
    for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82", b"\x80", b"\xf0\x9f"):
        yield refused("D13 bytes", ROWS[:-1] + bad, "not UTF-8")
        yield refused("D13 bytes json", b'{"id":1,"at":"' + bad + b'"}', "not UTF-8", format="jsonl")
    for at in (0, 1, len(ROWS) // 2, len(ROWS)):
        yield refused("D13 NUL", ROWS[:at] + b"\0" + ROWS[at:], "NUL byte")
    yield accepted("D13 BOM", codecs.BOM_UTF8 + ROWS)
    yield refused("D13 two BOM", codecs.BOM_UTF8 * 2 + ROWS, "id")
    for magic in (
        b"PK\x03\x04",
        b"PAR1",
        b"\x1f\x8b\x08\0",
        b"\x28\xb5\x2f\xfd",
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"SQLite format 3\0",
    ):
        yield refused("D15 another format", magic + bytes(range(64)), "NUL|UTF-8|lacks|column")


def _headers() -> Iterator[Case]:
    names = ["id", "at", "x", "ok", "s"]
    for header, said in (
        ("ID,at,x,ok,s", "case or blanks"), ("id, at,x,ok,s", "case or blanks"), ("id,at,x,ok", "lacks 1"), ("id,at,y,ok,s", "lacks 1"),
        ("id;at;x;ok;s", "lacks 5"), ("id\tat\tx\tok\ts", "lacks 5"), ("id|at|x|ok|s", "lacks 5"), ("id,id,at,x,ok,s", "more than once"),
        ('"id,at,x,ok,s', "open quote"), ("іd,at,x,ok,s", "lacks 1"), ("id\u200b,at,x,ok,s", "lacks 1"), (good(1), "lacks 5"),
        ("\x1b[2J,at,x,ok,s", "lacks 1"), ("../../id,at,x,ok,s", "lacks 1"), ("<script>,at,x,ok,s", "lacks 1"), (",,,,", "lacks 5"),
        ("id,at,x,ok," + "s" * 70_000, "name of a column"), ("sep=,", "lacks 5"), ("# id,at,x,ok,s", "lacks 1"),
    ):  # fmt: skip
        yield refused("D7 D8 header", csv(good(1), header=header), said)
    for turn in range(5):
        order = names[turn:] + names[:turn]
        cells = dict(zip(names, good(1).split(","), strict=True))
        yield accepted("D8 order", csv(",".join(cells[name] for name in order), header=",".join(order)))
    for extra in (
        "e",
        "",
        " ",
        "é",
        'x"y',
        "../up",
        "known_at",
        "row",
        "partition",
        "=1+1",
        "\u202e",
        "z" * 500,
        "a\u0000b".replace("\0", ""),
    ):
        quoted = '"' + extra.replace('"', '""') + '"'
        yield accepted("D6 more columns", csv(f"{good(1)},z", header=f"id,at,x,ok,s,{quoted}"))
    yield accepted("D6 same stranger twice", csv(f"{good(1)},1,2", header="id,at,x,ok,s,e,e"))
    for columns in (2_001, 10_000, 1_000_000):
        yield refused("D15 columns", lambda n=columns: b"," * n + b"\n", "columns, the spec allows 2000|longer than")
    for text in EMPTY:
        yield accepted("D9 empty", text)
        yield Case("D9 empty, some demanded", lambda t=text: t, only("blocked"), source={"contract": {"rows": [1, 10]}})
    yield accepted("D9 empty json", b"", format="jsonl")
    yield accepted("D9 blank json", b"\n \n\t\n", format="jsonl")


def _rows() -> Iterator[Case]:
    for line in (
        "1",
        f"1,{AT}",
        f"{good(2)},",
        f"{good(2)},,,,,,",
        '"',
        '"a',
        'a"',
        '"a"b,c',
        ",,,,",
        "\x1e",
        "'",
        "#",
        "\\",
    ):
        yield Case("D13 ragged", lambda t=line: csv(good(1), t, good(3)), frozenset({"quarantined", "refused"}))
        yield Case(
            "D13 ragged last", lambda t=line: csv(good(1), good(2), t)[:-1], frozenset({"quarantined", "refused"})
        )
    for end in ("\n", "\r\n", "\r"):
        yield Case(
            f"D13 line ends {end!r}",
            lambda e=end: e.join(["id,at,x,ok,s", good(1), good(2)]).encode(),
            only("accepted"),
        )
    yield accepted("D13 blank lines", b"\n\n" + csv(good(1), "", "", good(2), ""))
    yield accepted("D13 quoted", csv(*(",".join(f'"{cell}"' for cell in good(n).split(",")) for n in IDS)))
    for bad in range(12):
        outcome = "accepted" if bad == 0 else "quarantined" if bad <= 5 else "blocked"
        lines = [good(n) if n > bad else f"q{n},{AT},,," for n in range(1, 11)]
        yield Case("D11 share of bad rows", lambda t=tuple(lines): csv(*t), only(outcome))
    yield Case(
        "D12 key twice",
        lambda: csv(good(1), good(1), good(2)),
        only("quarantined"),
        said="earlier row has the same key",
    )
    yield Case("D12 key always", lambda: csv(*[good(1)] * 9), only("blocked"))
    yield Case("D10 all null", lambda: csv(*(f"{n},{AT},,," for n in range(9))), only("accepted"))
    yield Case("D10 null where none may be", lambda: csv(*(f"{n},,,," for n in range(9))), only("blocked"))
    yield Case("D17 categories", lambda: csv(*(good(n) for n in range(60_000))), only("accepted"))
    yield Case("D18 rows", lambda: csv(*["q,,,,"] * 100_000), only("blocked"))


def _sizes() -> Iterator[Case]:
    for length in (65_536, 65_537, 1_000_000):
        cell = lambda n=length: csv(f"1,{AT},,," + "x" * n)  # noqa: E731
        yield (
            Case("D13 cell", cell, only("accepted"))
            if length <= 65_536
            else refused("D13 cell", cell, "the spec allows 65536")
        )
    yield refused("D15 a line of 200 MB", lambda: b"id,at,x,ok,s\n" + b"x" * 200_000_000, "line is longer")
    yield refused(
        "D15 quote that stays open", lambda: csv(f'1,{AT},,,"') + b"line\n" * 2_000_000, "rows of at most|quot"
    )
    yield refused("D15 multi-line cell", lambda: csv(f'1,{AT},,,"' + "line\n" * 20_000 + '"'), "bytes, the spec allows")
    yield refused(
        "D15 rows", lambda: b"id,at,x,ok,s\n" + b"1,,,,\n" * 2_000, "more than 1000 rows", caps={"rows": 1000}
    )
    yield refused(
        "D15 bytes", lambda: csv(*map(good, range(1000))), "bytes, the spec allows 1000", caps={"bytes": 1000}
    )
    yield refused("D15 decoded", lambda: csv(*map(good, range(1000))), "decode to more", caps={"decoded_bytes": 1000})
    yield Case("D15 newlines", lambda: b"id,at,x,ok,s\n" + b"\n" * 5_000_000, ANY)
    yield Case(
        "D15 short rows", lambda: b"id,at,x,ok,s\n" + b"1\n" * 200_000, only("refused"), said="100000 of its rows"
    )
    yield Case("D15 json newlines", lambda: b"\n" * 5_000_000, ANY, source={"format": "jsonl"})
    yield Case("D15 json empty objects", lambda: b"{}\n" * 500_000, ANY, source={"format": "jsonl"})


def _objects() -> Iterator[Case]:
    first = json.dumps({"id": 1, "at": AT, "x": 1.5, "ok": True, "s": "a"})
    lines = (
        "{", "}", "[]", "null", "1", '"text"', "{}", '{"id":1', "{'id':1}", '{"id":1,}', '{"id":1}{"id":2}', '// {"id":1}', '{"id":01}',
        '{"id":+1}', '{"id":.5}', '{"id":NaN}', '{"id":Infinity}', '{"id":-Infinity}', '{"id":"2"}', '{"id":true}', '{"id":null}', '{"id":[2]}',
        '{"id":2.5}', '{"id":1e400}', '{"id":9223372036854775808}', '{"id":2,"at":1364774400}', '{"id":2,"at":"1364774400"}', '{"id":2,"at":{}}',
        '{"id":2,"id":3,"at":"%s"}' % AT, '{"id":2,"at":"%s","s":"\\ud800"}' % AT, '{"id":2,"at":"%s","s":"\\u0000"}' % AT,
        '{"id":2,"at":"%s","x":1e999}' % AT, '{"id":2,"at":"%s","x":"1"}' % AT, '{"id":2,"at":"%s","ok":1}' % AT, '{"id":2,"at":"%s","s":1}' % AT,
        '{"id":2,"at":"%s","s":"\t"}' % AT, "\ufeff" + first, "[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000,
        '{"id":' + "9" * 5_000 + "}", '{"id":2,"at":"%s","x":%s}' % (AT, "1" * 100_000), '{"__proto__":{"id":2}}', '{"ID":2,"at":"%s"}' % AT,
    )  # fmt: skip
    for line in lines:
        body = f"{first}\n{line}\n".encode(errors="surrogatepass")
        yield Case("D13 object", lambda b=body: b, only("quarantined"), source={"format": "jsonl"})
    yield accepted("D13 nested stranger", f'{first[:-1]},"deep":{"[" * 200}{"]" * 200}}}'.encode(), format="jsonl")
    yield Case(
        "D13 surrogate in a name", lambda: f'{first[:-1]},"\\ud800":1}}'.encode(), ANY, source={"format": "jsonl"}
    )
    yield Case(
        "D13 exact float", lambda: b'{"id":1e0,"at":"%s"}' % AT.encode(), only("accepted"), source={"format": "jsonl"}
    )
    yield refused(
        "D15 many names", lambda: b"".join(b'{"id":1,"k%d":1}\n' % n for n in range(100_000)), "columns", format="jsonl"
    )
    yield refused("D7 none of it", b'{"a":1}\n', "lacks 2", format="jsonl")
    yield refused(
        "D15 json cell", json.dumps({"id": 1, "at": AT, "s": "x" * 70_000}).encode(), "70000 bytes", format="jsonl"
    )
    yield Case(
        "D7 a pretty document", lambda: json.dumps([{"id": 1}], indent=1).encode(), ANY, source={"format": "jsonl"}
    )
