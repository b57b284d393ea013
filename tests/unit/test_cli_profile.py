"""`updraft profile`: what it proposes is a part of a spec, and the rows it was made from keep it."""

import gzip
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inbox import put
from typer.testing import CliRunner

from updraft import contract, ingest
from updraft.cli import profile
from updraft.cli.main import app
from updraft.contract import guess, proposal, yaml
from updraft.errors import DeliveryMissing, DeliveryRefused
from updraft.lake import Lake
from updraft.sources.decode import decode
from updraft.spec import document, load
from updraft.spec.sources import Source

DAYS = ["2013-04-01", "2013-04-02", "2013-04-03"]


def parsed(tmp_path, text):
    """The proposal as the spec's own reader reads it."""
    file = tmp_path / "proposed.yaml"
    file.write_text(text)
    read = document.read(file)
    assert read.problems == ()
    return read.values


def source(said, form="csv"):
    """The proposal as a source; what a person would add is made up."""
    rest = {"type": "files", "path": "{partition}", "format": form, "known_at": {"delay": "1h"}}
    return Source.model_validate_json(json.dumps({**rest, **said}), strict=True)


def proposed(tmp_path, data, name="rows.csv"):
    file = tmp_path / name
    file.write_bytes(data)
    return parsed(tmp_path, profile.of_file(file))


def csv_of(rows):
    return "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]).encode()


ROWS = [
    {
        "id": n, "at": f"2013-04-01T0{n % 9}:00:00Z", "delay": n - 17, "gate": f"B{n % 3}", "code": f"{n:03}",
        "iata": f"A{chr(65 + n)}Z", "flag": str(n % 2 == 0).lower(), "share": n / 7,
        "seen": "" if n % 8 == 0 else n % 5, "local": "2013-04-01 12:00",
    }
    for n in range(24)
]  # fmt: skip


def test_a_file_gives_types_ranges_sets_forms_and_a_key(tmp_path):
    said = proposed(tmp_path, csv_of(ROWS))
    assert said == {
        "key": ["id"],
        "event_time": "at",
        "columns": {
            "id": {"type": "integer"},
            "at": {"type": "timestamp"},
            "delay": {"type": "integer", "range": [-20, 6]},
            "gate": {"type": "string", "among": ["B0", "B1", "B2"]},
            "code": {"type": "string", "pattern": "[0-9]{3}"},
            "iata": {"type": "string", "pattern": "[A-Z]{3}"},
            "flag": {"type": "boolean"},
            "share": {"type": "number", "range": [0, 4]},
            "seen": {"type": "integer", "nullable": True, "missing": {"max": 0.19}, "range": [0, 4]},
            "local": {"type": "timestamp", "timezone": "UTC"},
        },
        "contract": {"rows": [10, 50]},
    }


def written(tmp_path, form):
    """The same rows in each format, and their name."""
    table = pa.table(
        {
            "id": pa.array(range(30), pa.int32()),
            "at": pa.array([datetime(2013, 4, 1, tzinfo=UTC)] * 30, pa.timestamp("ns", "UTC")),
            "x": pa.array([None if n % 3 else n / 4 for n in range(30)], pa.float32()),
            "carrier": pa.array(["AA", "UA", "no"] * 10).dictionary_encode(),
        }
    )
    if form == "parquet":
        pq.write_table(table.append_column("odd", pa.array([[1]] * 30)), tmp_path / "rows.parquet")
        return (tmp_path / "rows.parquet").read_bytes(), "rows.parquet"
    rows = [{**row, "at": row["at"].isoformat()} for row in table.cast(plain(table.schema)).to_pylist()]
    if form == "jsonl":
        return "\n".join(json.dumps({**row, "odd": {"a": 1}}) for row in rows).encode(), "rows.jsonl"
    text = csv_of([{**{k: "" if v is None else v for k, v in row.items()}, "Odd": 1} for row in rows])
    return gzip.compress(text), "rows.csv.gz"


def plain(schema):
    return pa.schema([pa.field(f.name, pa.string() if f.name == "carrier" else f.type) for f in schema])


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same_proposal_and_its_rows_keep_it(tmp_path, form):
    data, name = written(tmp_path, form)
    said = proposed(tmp_path, data, name)
    assert said["columns"] == {
        "id": {"type": "integer"},
        "at": {"type": "timestamp"},
        "x": {"type": "number", "nullable": True, "range": [0, 7]},
        "carrier": {"type": "string", "among": ["AA", "UA", "no"]},
    }
    of = source(said, form)
    found = contract.check("rows", of, {"d": decode(data, of, compressed=name.endswith(".gz"))})["d"]
    assert (found.outcome, found.summary["warned"]) == ("accepted", {})
    assert "odd" in profile.of_file(tmp_path / name).lower()


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6)
VALUES = {
    "string": st.one_of(st.sampled_from(["AA", "no", "null", "1", "a b", "ü", '"']), TEXTS),
    "integer": st.integers(-(2**62), 2**62),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "timestamp": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)),
}
TABLES = st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4).flatmap(
    lambda kinds: st.lists(st.tuples(*(st.none() | VALUES[kind] for kind in kinds)), min_size=1, max_size=30).map(
        lambda rows: [(n, datetime(2013, 4, 1, tzinfo=UTC), *row) for n, row in enumerate(rows)]
    )
)


@pytest.mark.slow
@settings(derandomize=True, max_examples=25, deadline=None)
@given(rows=TABLES)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_whatever_the_rows_are_they_keep_what_is_proposed_of_them(tmp_path_factory, form, rows):
    tmp_path = tmp_path_factory.mktemp("proposed")
    names = ["id", "at", *(f"c{n}" for n in range(len(rows[0]) - 2))]
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    if form == "parquet":
        pq.write_table(table, tmp_path / "rows.parquet")
    else:
        lines = [json.dumps(row, default=lambda t: t.isoformat()) for row in table.to_pylist()]
        (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    data = (tmp_path / f"rows.{form}").read_bytes()
    said = proposed(tmp_path, data, f"rows.{form}")
    of = source({**said, "contract": {**said["contract"], "tolerance": 0}}, form)
    found = contract.check("rows", of, {"d": decode(data, of)})["d"]
    assert found.outcome == "accepted", found.bad


SPEC = """
version: 1
name: late
owner: {name: team, email: team@example.com}
problem:
  goal: Warn of late flights.
  lead_time: 6h
  decision: Warn.
  value: {true_positive: 3, false_positive: -1, false_negative: 0}
partitions: {every: day, first: 2013-01-01}
entity: [id]
sources:
  flights:
    type: files
    path: flights/{partition}.csv
    known_at: {delay: 6h}
    key: [id]
    event_time: at
    columns: {id: {type: integer}, at: {type: timestamp}, delay: {type: integer, nullable: true}, gate: {type: string}}
label: {column: late, maturity: 1d}
features: {delay: {type: number}}
"""


def test_what_has_landed_keeps_what_is_proposed_of_it(tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(tmp_path / "cases"))
    monkeypatch.setenv("UPDRAFT_LAKE", str(tmp_path / "lake"))
    folder = tmp_path / "cases" / "late"
    folder.mkdir(parents=True)
    for name in ("features.sql", "label.sql", "README.md"):
        (folder / name).write_text("SELECT 1")
    (folder / "spec.yaml").write_text(SPEC)
    lake, inbox, case = Lake(str(tmp_path / "lake")), tmp_path / "inbox", load.load("late")
    for place, day in enumerate(DAYS):
        lines = [f"{n},{day}T05:00:00Z,{'' if n % (4 + place) == 0 else n},B{n % 3}" for n in range(20 + 9 * place)]
        put(inbox / "flights" / f"{day}.csv", "\n".join(["id,at,delay,gate", *lines]))
    with pytest.raises(DeliveryMissing, match="Nothing of flights has landed"):
        profile.of_source("late", "flights")
    ingest.stage(case, "flights", DAYS, lake, inbox)
    done = CliRunner().invoke(app, ["profile", "late", "flights"])
    assert done.exit_code == 0
    said = parsed(tmp_path, done.output)
    assert said["contract"] == {"rows": [10, 80]}
    assert said["columns"]["gate"] == {"type": "string", "among": ["B0", "B1", "B2"]}
    of = source(said)
    decoded = {day: decode((inbox / "flights" / f"{day}.csv").read_bytes(), of) for day in DAYS}
    assert {found.outcome for found in contract.check("flights", of, decoded).values()} == {"accepted"}


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("rows.xlsx", b"", "does not say its format"),
        ("rows.csv", b"", "no column that a spec can declare"),
        ("rows.csv", b"A B,C\n1,2\n", "no column that a spec can declare"),
        ("rows.parquet", b"PAR1", "not a sound Parquet file"),
        ("rows.jsonl", b"[1]\n", "no column that a spec can declare"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name, data, why):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DeliveryRefused, match=why):
        profile.of_file(tmp_path / name)
    with pytest.raises(DeliveryMissing, match="There is no file"):
        profile.of_file(tmp_path / "nothing.csv")


def test_without_a_key_or_a_time_none_is_proposed(tmp_path):
    said = proposed(tmp_path, b"a,b\n1,x\n1,x\n")
    assert set(said) == {"columns", "contract"}
    assert said["contract"] == {"rows": [1, 4], "unique": False}


def test_figures_are_rounded_outward_and_written_as_the_spec_reads_them():
    assert proposal.outward(1.7e308, proposal.ROUND_CEILING) is None
    assert proposal.outward(-0.5, proposal.ROUND_FLOOR) == -0.5
    for value in (1e300, 2.0**62, -1e-7, 0.1, None):
        assert document.plain(yaml.text({"x": value}, []).split(": ")[1].strip()) == value


def test_a_number_with_leading_zeros_is_a_name(tmp_path):
    columns, left_out = guess.columns(b"zip,row,n\n01234,1,2\n", "csv")
    assert {name: column.type for name, column in columns.items()} == {"zip": "string", "n": "integer"}
    assert left_out == ["row"]
