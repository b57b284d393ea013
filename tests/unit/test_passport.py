"""One prediction, explained from score to bytes; and the layer that was tampered with is the one that is named."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pytest
from tests import parcels
from tests.bench.passport_study import study
from typer.testing import CliRunner

from updraft import features, ingest, passport, score
from updraft.cli.explain import told
from updraft.cli.main import app
from updraft.errors import PredictionMissing
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import promotion, train
from updraft.life.features import build
from updraft.partition import calendar
from updraft.passport import Desk
from updraft.passport.asked import entity
from updraft.passport.check import Check, at_fault

pytestmark = pytest.mark.slow  # lives a short life first

AT, DAY = "2024-01-18", "2024-01-17"
WHO, SOURCE = f"{DAY}-007", f"parcels/parcels/{DAY}"


@pytest.fixture(scope="module")
def lived(parcels_case, tmp_path_factory):
    """A lake whose rows came as files, with a champion and two scored partitions."""
    folder, dates = tmp_path_factory.mktemp("lived"), calendar(parcels_case)
    lake, keys = Lake(str(folder / "lake")), dates.keys("2024-01-01", AT)
    parcels.drop(parcels_case, folder / "inbox", keys)
    for source in parcels_case.sources:
        ingest.stage(parcels_case, source, keys, lake, folder / "inbox")
    features.build(parcels_case, keys, lake)
    made = asdict(train.fit(parcels_case, dates.at(AT), lake, code_version="test", who="train__1"))
    found = promotion.examine(parcels_case, dates.at(AT), lake, made, who="train__1")
    facts = {"gated": found["gated"], "champion": None, "approval": {"by": "Ada", "decision": "approved"}}
    Ledger(lake, "parcels").append(
        "promoted", why="PASS", who="train__1", partition=AT, model=made["candidate"], facts=facts
    )
    by = {"who": "score__7", "code_version": "abc"}
    score.partitions(parcels_case, [DAY, AT], lake, champion=made["candidate"], **by)
    return lake


@pytest.fixture
def lake(lived, tmp_path):
    shutil.copytree(lived.uri, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def explain(case, lake, who=WHO, key=DAY):
    return passport.explain(case, lake, who, key)


def said(found, outcome="broken"):
    return {(check.layer, check.what) for check in found.checks if check.outcome == outcome}


# ---- what it tells ------------------------------------------------------------------------------------------------


def test_a_passport_tells_everything_behind_a_prediction(parcels_case, lived):
    found = explain(parcels_case, lived)
    assert (found.recomputes, found.at_fault) == (True, ())
    stored = [row for row in lived.read(score.table(parcels_case), [DAY]).to_pylist() if row["parcel"] == WHO]
    assert found.prediction["score"] == stored[0]["score"]
    assert found.prediction["threshold"] == 0.25
    assert 1 <= len(found.prediction["reasons"]) <= 3
    assert set(found.features) == set(parcels_case.features)
    assert found.features["depot"]["value"] in "ABC"
    assert found.model["windows"]["holdout"] == {"first": "2024-01-12", "last": "2024-01-15", "partitions": 4}
    assert (found.model["family"], found.model["code_version"]) == ("logistic", "test")
    assert found.decisions["approved_by"] == "Ada"
    assert {v["gate"]: v["outcome"] for v in found.decisions["gated"]["verdicts"]}["absolute"] == "PASS"
    assert (found.scored["who"], found.scored["code_version"]) == ("score__7", "abc")
    assert {check.outcome for check in found.checks} == {"holds"}
    assert json.loads(json.dumps(found.to_json())) == found.to_json()


def test_behind_it_are_the_rows_that_name_the_entity_and_the_deliveries_of_the_rest(parcels_case, lived):
    by = {source.source: source for source in explain(parcels_case, lived).behind}
    (row,) = by["parcels"].rows
    assert (row["parcel"], row["partition"]) == (WHO, DAY)
    assert (by["parcels"].first, by["parcels"].last) == ("2024-01-15", DAY)
    arrivals = by["arrivals"]
    assert (arrivals.matched, arrivals.of) == (("parcel",), 0), "it had not arrived"
    assert (arrivals.first, arrivals.last) == ("2024-01-09", DAY)
    assert [listed["partition"] for listed in arrivals.deliveries] == calendar(parcels_case).keys("2024-01-09", DAY)
    assert {listed["known"] for listed in arrivals.deliveries} == {parcels.PER_DAY}
    assert arrivals.deliveries[-1]["origin"] == f"arrivals/{DAY}.csv"


def test_every_prediction_of_a_short_life_comes_out_again_exactly(parcels_case, lived):
    for key in (DAY, AT):
        desk = Desk(parcels_case, lived, key)
        for who in lived.read(score.table(parcels_case), [key])["parcel"].to_pylist():
            found = desk.passport({"parcel": who})
            assert (found.recomputes, found.at_fault) == (True, ()), found.checks


def test_a_model_of_trees_comes_out_again_exactly_too(parcels_case, lake):
    (trained,) = [record for record in Ledger(lake, "parcels").records() if record.kind == "trained"]
    score.partitions(parcels_case, [DAY], lake, champion=trained.facts["baselines"]["lightgbm"], rescore=True)
    found = explain(parcels_case, lake)
    assert found.recomputes
    assert found.model["family"] == "lightgbm"
    assert said(found) == {("ledger", "the ledger never made this model champion")}


# ---- who is meant -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "text", "values"),
    [
        (["id"], "a,b", {"id": "a,b"}),
        (["id"], "id=a", {"id": "a"}),
        (["id"], "a=b", {"id": "a=b"}),
        (["id", "shop"], "a,b", {"id": "a", "shop": "b"}),
        (["id", "shop"], "shop=b,id=a", {"id": "a", "shop": "b"}),
    ],
)
def test_an_entity_is_named_by_its_values_or_by_column_and_value(case, names, text, values):
    assert entity(case.model_copy(update={"entity": tuple(names)}), text) == values


@pytest.mark.parametrize("text", ["a", "a,b,c", "id=a,id=b", "id=a,other=b,c"])
def test_what_names_no_entity_is_refused_with_the_way_to_write_it(case, text):
    with pytest.raises(PredictionMissing, match="does not name an entity") as refused:
        entity(case.model_copy(update={"entity": ("id", "shop")}), text)
    assert "id=…,shop=…" in refused.value.next_step


@pytest.mark.parametrize(
    ("who", "key", "why"),
    [("nobody", DAY, "60 scores, none of 'nobody'"), (WHO, "2024-01-10", "is scored in 2024-01-10")],
)
def test_a_prediction_that_was_not_made_is_said_to_be_missing(parcels_case, lived, who, key, why):
    with pytest.raises(PredictionMissing, match=why):
        explain(parcels_case, lived, who, key)


# ---- tampering ----------------------------------------------------------------------------------------------------


def in_table(table, column, value, key=DAY, who=WHO):
    """Change a value of the entity's row, or of the partition's first row."""

    def tamper(lake):
        rows = lake.read(table, [key])
        names = rows["parcel"].to_pylist() if "parcel" in rows.column_names else []
        place = names.index(who) if who in names else 0
        values = rows[column].to_pylist()
        values[place] = value
        at = rows.schema.get_field_index(column)
        new = pa.array(values, rows.schema.field(column).type)
        lake.replace(table, rows.set_column(at, rows.schema.field(column), new), [key])

    return tamper


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


def gone(prefix):
    def tamper(lake):
        for place in lake.keys(prefix):
            Path(lake.location(place)).unlink()

    return tamper


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


# ---- what can no longer be held against anything ------------------------------------------------------------------


def test_another_definition_since_leaves_the_rest_to_be_told(lived, tmp_path):
    changed = parcels.write(tmp_path, parcels.FEATURES.replace("hour(ships_at)", "1"))
    found = explain(changed, lived)
    assert (found.recomputes, found.at_fault) == (False, ())
    assert any(layer == "definition" for layer, _ in said(found, "unknown"))
    assert not found.definition["as_today"]


def test_scores_without_a_receipt_and_raw_rows_without_deliveries_are_unknown_not_wrong(observed):
    gone("receipts/parcels")(observed.lake)
    found = explain(observed.case, observed.lake)
    assert (found.recomputes, found.at_fault, found.scored) == (True, (), None)
    assert {layer for layer, _ in said(found, "unknown")} == {"deliveries", "scores"}


@pytest.mark.parametrize("policy", ["keep", "rebuild"])
def test_rows_that_came_late_on_record_are_told_and_not_taken_for_tampering(lake, tmp_path, policy):
    sources = parcels.SPEC["sources"]
    late = {**sources, "arrivals": {**sources["arrivals"], "late": policy}}
    case = parcels.write(tmp_path / "late", sources=late)
    inbox, text = tmp_path / "inbox", "parcel,depot,hours_late,ships_at,reported_at\n"
    rows = "".join(f"extra-{n},{'ABC'[n % 3]},5,2024-01-14T09:00:00Z,2024-01-16T06:00:00Z\n" for n in range(40))
    (inbox / "arrivals").mkdir(parents=True)
    (inbox / "arrivals" / f"{DAY}.csv").write_text(text + rows)
    ingest.stage(case, "arrivals", [DAY], lake, inbox)
    build(case, [DAY], lake)
    found = explain(case, lake)
    assert found.at_fault == ()
    about = {check.what for check in found.checks if check.layer == "features"}
    words = {
        "keep": "without the 1 deliveries on record as late for this partition",
        "rebuild": "since rows came late; those that were scored come out again",
    }
    assert found.recomputes
    assert any(words[policy] in what for what in about), about


def test_layers_that_have_their_own_witness_are_at_fault_before_what_follows_from_them():
    follows = Check("scores", "broken", "", recomputed=True)
    assert at_fault((follows, Check("model", "holds", ""))) == ("scores",)
    assert at_fault((follows, Check("raw rows", "broken", ""))) == ("raw rows",)


# ---- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(parcels_case, lake, tmp_path, monkeypatch):
    places = {"UPDRAFT_HOME": tmp_path, "UPDRAFT_USE_CASES": parcels_case.folder.parent, "UPDRAFT_LAKE": lake.uri}
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    return lambda *arguments: CliRunner().invoke(app, ["explain", "parcels", *arguments])


def test_long_lists_of_deliveries_are_cut_in_words_and_whole_in_json(parcels_case, lived):
    found = explain(parcels_case, lived)
    (line,) = [line for line in told(found) if "deliveries before" in line]
    assert line.strip() == "and 4 deliveries before; --json lists them all"
    assert len(found.to_json()["behind"][0]["deliveries"]) == 9


def test_the_command_tells_it_in_words_and_as_json(command):
    done = command(WHO, DAY)
    assert done.exit_code == 0, done.output
    for words in (f"parcel {WHO} in {DAY}", "Score 0.", "depot_late", "landed", "gate", "by Ada", "exactly."):
        assert words in done.output
    whole = json.loads(command(f"parcel={WHO}", DAY, "--json").output)
    assert (whole["recomputes"], whole["at_fault"]) == (True, [])


def test_the_command_fails_when_something_was_changed_and_names_it(command, lake):
    in_table("features/parcels", "weight", 99.0)(lake)
    done = command(WHO, DAY)
    assert done.exit_code == 1
    assert "CHANGED: features" in done.output
    assert "expected" in done.output


# ---- the study ----------------------------------------------------------------------------------------------------


def test_a_sample_of_all_predictions_comes_out_again_exactly(parcels_case, lived):
    found = study(parcels_case, lived, sample=50)
    assert (found.sampled, found.exact, found.wrong, dict(found.unknown)) == (50, 50, [], {})


def test_the_study_tells_what_does_not_come_out_again(parcels_case, lake):
    in_table("raw/parcels/parcels", "weight", 99.0)(lake)
    found = study(parcels_case, lake, sample=1000)
    assert found.sampled == 120
    assert found.exact < 120
    assert any("raw rows" in line for line in found.wrong)


# ---- other kinds of sources ---------------------------------------------------------------------------------------

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
