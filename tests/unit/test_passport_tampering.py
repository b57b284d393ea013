"""The layer that was tampered with is the one that a passport names."""

import json
import re
import shutil

import pyarrow as pa
import pytest
from tests import parcels
from tests.explained import AT, DAY, SOURCE, explain, gone, in_table, said

from updraft import features, ingest, score
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import train
from updraft.partition import calendar
from updraft.passport.check import Check, at_fault

pytestmark = pytest.mark.slow  # lives a short life first


@pytest.fixture
def lake(lived, tmp_path):
    shutil.copytree(lived.uri, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def in_object(prefix, change, ending=""):
    """Change the first object below a prefix."""

    def tamper(lake):
        place = next(found for found in lake.keys(prefix) if found.endswith(ending))
        lake.put(place, change(lake.get(place)))

    return tamper


def in_model(file):
    def tamper(lake):
        champion = Ledger(lake, "parcels").state().champion
        in_object(f"models/parcels/{champion}", flipped, file)(lake)

    return tamper


def in_evidence(lake):
    champion = Ledger(lake, "parcels").state().champion
    in_object("evidence/parcels", lambda content: content.replace(b'"PASS"', b'"FAIL"', 1), f"{champion}.json")(lake)


def flipped(content):
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def as_json(**changes):
    return lambda content: json.dumps({**json.loads(content), **changes}, sort_keys=True).encode()


LAYERS = [
    pytest.param(in_table("scores/parcels", "score", 0.5), "scores", "score is not what the model gives", id="score"),
    pytest.param(in_table("scores/parcels", "acted", None), "scores", "acted is not what", id="decision"),
    pytest.param(in_table("scores/parcels", "reasons", "[]"), "scores", "reasons is not what", id="reasons"),
    pytest.param(
        in_table("scores/parcels", "score", 0.5, who=f"{DAY}-001"), "scores", "were changed since", id="other score"
    ),
    pytest.param(
        in_table("features/parcels", "weight", 99.0), "features", "feature weight is not what", id="feature row"
    ),
    pytest.param(
        in_table("features/parcels", "weight", 99.0, who=f"{DAY}-001"), "features", "are not those that were scored",
        id="other feature row",
    ),
    pytest.param(in_table("raw/parcels/parcels", "weight", 99.0), "raw rows", "weight is not as delivered", id="raw"),
    pytest.param(
        in_table("raw/parcels/arrivals", "hours_late", 99.0, "2024-01-12"), "raw rows", "hours_late is not as",
        id="raw row of an aggregate",
    ),
    pytest.param(in_object(f"staging/{SOURCE}", flipped), "deliveries", "not those that landed", id="bytes"),
    pytest.param(gone(f"staging/{SOURCE}"), "deliveries", "staged bytes .* are gone", id="bytes gone"),
    pytest.param(
        in_object(f"deliveries/{SOURCE}", as_json(rows=61)), "deliveries", "is not about its bytes",
        id="rows of a record",
    ),
    pytest.param(
        in_object(f"deliveries/{SOURCE}", as_json(origin="x.csv")), "deliveries", "since the scoring",
        id="origin of a record",
    ),
    pytest.param(
        in_object(f"deliveries/{SOURCE}", lambda content: b"x"), "deliveries", "was changed", id="no record"
    ),
    pytest.param(gone(f"deliveries/{SOURCE}"), "deliveries", "is gone", id="record gone"),
    *(
        pytest.param(in_model(file), "model", f"{file} has digest", id=file)
        for file in ("linear.json", "encoder.json", "calibration.json", "golden.json", "manifest.json")
    ),
    pytest.param(
        in_object("ledger/parcels", as_json(why="because"), "00000002.json"), "ledger", "Record 2 .* was changed",
        id="ledger",
    ),
    pytest.param(in_evidence, "evidence", "is not the examination of record 2", id="evidence"),
    pytest.param(
        in_object(f"receipts/parcels/{DAY}", lambda content: content.replace(b"score__7", b"score__8")), "scores",
        "receipt .* was changed", id="receipt",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "layer", "what"), LAYERS)
def test_the_layer_that_was_tampered_with_is_named(parcels_case, lake, tamper, layer, what):
    tamper(lake)
    found = explain(parcels_case, lake)
    assert found.at_fault[0] == layer
    named = [check for check in found.checks if check.outcome == "broken" and check.layer == layer]
    assert [check for check in named if re.search(what, check.what)], named
    assert all(check.expected != check.found for check in named)


def test_a_raw_row_that_nobody_delivered_is_named(parcels_case, lake):
    rows = lake.read("raw/parcels/parcels", [DAY])
    added = rows.slice(0, 1).set_column(
        rows.schema.get_field_index("delivery"), rows.schema.field("delivery"), pa.array(["f" * 64])
    )
    lake.replace("raw/parcels/parcels", pa.concat_tables([rows, added]), [DAY])
    found = explain(parcels_case, lake)
    assert found.at_fault == ("raw rows",)
    assert any("delivery without a record" in what for _, what in said(found))


def test_a_raw_row_that_was_taken_away_is_named(parcels_case, lake):
    rows = lake.read("raw/parcels/arrivals", ["2024-01-12"])
    lake.replace("raw/parcels/arrivals", rows.slice(1), ["2024-01-12"])
    found = explain(parcels_case, lake)
    assert found.at_fault == ("raw rows",)
    assert any("not every row of arrivals 2024-01-12/" in what for _, what in said(found))


def test_layers_that_have_their_own_witness_are_at_fault_before_what_follows_from_them():
    follows = Check("scores", "broken", "", recomputed=True)
    assert at_fault((follows, Check("model", "holds", ""))) == ("scores",)
    assert at_fault((follows, Check("raw rows", "broken", ""))) == ("raw rows",)


SOURCES = parcels.SPEC["sources"]
DEPOTS = {
    "type": "files",
    "path": "depots/{partition}.csv",
    "key": ["depot"],
    "event_time": "opened_at",
    "known_at": {"delay": "0h"},
    "snapshot": True,
    "columns": {"depot": {"type": "string"}, "size": {"type": "number"}, "opened_at": {"type": "timestamp"}},
}
PERSONAL = {**SOURCES["parcels"]["columns"], "depot": {"type": "string", "personal": "hash"}}
WITH_DEPOTS = parcels.FEATURES.replace("ship_hour, depot_late", "ship_hour, depot_late * size AS depot_late").replace(
    "seen USING (depot)", "seen USING (depot) LEFT JOIN depots USING (depot)"
)


@pytest.mark.parametrize(
    ("sources", "sql", "table", "column"),
    [
        pytest.param(
            {**SOURCES, "depots": DEPOTS}, WITH_DEPOTS, "raw/parcels/depots", "size",
            id="a source that delivers its whole table",
        ),
        pytest.param(
            {**SOURCES, "parcels": {**SOURCES["parcels"], "columns": PERSONAL}}, parcels.FEATURES,
            "raw/parcels/parcels", "weight", id="personal data",
        ),
    ],
)  # fmt: skip
def test_other_kinds_of_sources_hold_and_their_tampering_is_named(tmp_path, monkeypatch, sources, sql, table, column):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))
    case, lake = parcels.write(tmp_path / "cases", sql, sources=sources), Lake(str(tmp_path / "lake"))
    keys, inbox = calendar(case).keys("2024-01-01", AT), tmp_path / "inbox"
    parcels.drop(case.model_copy(update={"sources": {n: case.sources[n] for n in SOURCES}}), inbox, keys)
    (inbox / "depots").mkdir()
    for number, key in enumerate(keys):  # a depot grows each day, one closes and opens again
        rows = [f"{depot},{size},2023-12-01T00:00:00Z" for depot, size in (("A", 1 + number), ("B", 2), ("C", 3))]
        (inbox / "depots" / f"{key}.csv").write_text(
            "\n".join(["depot,size,opened_at", *rows[: 2 + number % 2]]) + "\n"
        )
    for source in case.sources:
        ingest.stage(case, source, keys, lake, inbox)
    features.build(case, keys, lake)
    made = train.fit(case, calendar(case).at(AT), lake, code_version="test", who="test")
    score.partitions(case, [DAY], lake, champion=made.candidate)
    found = explain(case, lake)
    assert found.recomputes
    assert said(found) == {("ledger", "the ledger never made this model champion")}
    in_table(table, column, 99.0, "2024-01-16")(lake)
    assert explain(case, lake).at_fault[0] == "raw rows"
