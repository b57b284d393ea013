"""Personal data that can be told wherever it turns up: the lines of a source, and who looks for them."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tests.fuzz.case import AT, use_case
from tests.inbox import put

DAY = "2013-04-01"
COLUMNS = {
    "id": {"type": "string", "personal": "hash"},
    "at": {"type": "timestamp"},
    "tax": {"type": "integer", "personal": "hash", "nullable": True},
    "name": {"type": "string", "personal": "mask", "nullable": True},
    "born": {"type": "timestamp", "personal": "drop", "nullable": True},
    "x": {"type": "number", "nullable": True, "range": [0, 10]},
}
PLANTED = ("ann-canary", "77001177", "Canary Mustermann", "1901-02-03")
LINES = {
    "good": ["ann-canary", AT, "77001177", "Canary Mustermann", "1901-02-03T00:00:00Z", "1"],
    "other": ["bob", AT, "8", "Bob", "", "2"],
    "range": ["ann-canary-2", AT, "77001177", "Canary Mustermann", "1901-02-03T00:00:00Z", "99"],
    "type": ["ann-canary-3", AT, "77001177", "Canary Mustermann", "1901-02-03T00:00:00Z", "abc"],
    "personal type": ["ann-canary-4", AT, "77001177x", "Canary Mustermann", "1901-02-03T00:00:00Z", "1"],
    "twice": ["ann-canary", AT, "77001177", "Canary Mustermann", "1901-02-03T00:00:00Z", "1"],
    "ragged": ["ann-canary-5", "Canary Mustermann", "77001177"],
}


def case(form="csv", tolerance=0.9, **columns):
    contract = {"rows": [0, 100], "tolerance": tolerance}
    return use_case({"format": form, "columns": {**COLUMNS, **columns}, "contract": contract})


def body(form, words):
    lines = [LINES[word] for word in words if word != "headless"]
    names = [*COLUMNS, "extra"]
    if form == "csv":
        header = [] if words[0] == "headless" else [names]
        return "\n".join(",".join([*line, "z"]) for line in [*header, *lines]).replace("extra,z", "extra").encode()
    records = [dict(zip(names, line, strict=False)) for line in lines]
    if form == "jsonl":
        whole = [{**r, **_numbers(r)} for r in records]
        renamed = [{f"the {n}": v for n, v in r.items()} for r in whole] if words[0] == "headless" else whole
        return "\n".join(json.dumps(r) for r in renamed).encode() + b'\n{"id":"ann-canary"' * (words[0] != "headless")
    table = pa.table({name: [r.get(name) for r in records] for name in names[:-1]})
    if words[0] != "headless":  # a file with text in every column is refused, by its types
        table = pa.Table.from_pylist([{**r, **_numbers(r), "at": None, "born": None} for r in records], _PARQUET)
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


_STAMP = pa.timestamp("us", "UTC")
_PARQUET = pa.schema(
    {"id": pa.string(), "at": _STAMP, "tax": pa.int64(), "name": pa.string(), "born": _STAMP, "x": pa.float64()}
)


def _numbers(record):
    return {
        n: int(record[n]) if (record.get(n) or "").isdigit() else None
        for n in ("tax", "x")
        if n in record and record[n].isdigit() | (n == "x")
    } | ({"tax": None} if not (record.get("tax") or "0").isdigit() else {})


def deliver(tmp_path, data, ending="csv"):
    put(tmp_path / "inbox" / "in" / f"{DAY}.{ending}", data)
    return tmp_path / "inbox"


def spoken(error):
    """Everything a traceback would show."""
    found = []
    while error is not None:
        found.append(str(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(found)


def stored(lake):
    """Every byte of the lake, and every value of its Parquet files, as text."""
    for file in sorted(f for f in Path(lake.uri).rglob("*") if f.is_file()):
        data = file.read_bytes()
        yield file.name, data.decode("latin-1")
        if data.startswith(b"PAR1"):
            table = pq.read_table(pa.BufferReader(data))
            yield file.name, str(table.to_pylist()) + str(table.schema.metadata)
