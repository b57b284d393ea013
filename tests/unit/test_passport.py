"""One prediction, explained from score to bytes."""

import json
import shutil

import pytest
from tests import parcels
from tests.explained import AT, DAY, WHO, explain, gone, said

from updraft import ingest, score
from updraft.errors import PredictionMissing
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life.features import build
from updraft.partition import calendar
from updraft.passport import Desk
from updraft.passport.asked import entity

pytestmark = pytest.mark.slow  # lives a short life first


@pytest.fixture
def lake(lived, tmp_path):
    shutil.copytree(lived.uri, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


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
