"""Promises about models can be broken: one champion that earned it, and predictions that name their origins."""

import json

import pytest
from tests import promises
from tests.breaking import DAY, TABLES, append, set_column, spoil

from updraft.ledger import Ledger
from updraft.life import train

pytestmark = pytest.mark.slow  # lives a short life first


def examined(world, model, outcome, against):
    return append(world, "gated", model=model, facts={"outcome": outcome, "champion": against})


def test_i4_is_silent_without_a_champion_and_after_a_fair_promotion(observed, champion, other):
    gated = examined(observed, other, "PASS", champion)
    append(observed, "promoted", model=other, facts={"gated": gated.sequence})
    for key in (train.evidence_key(observed.case, other), train.profile_key(observed.case, other)):
        observed.lake.put(key, b"{}")
    assert promises.there_is_one_champion(observed.lake, observed.case) == []
    append(observed, "rolled_back", model=champion)
    assert promises.there_is_one_champion(observed.lake, observed.case) == []
    append(observed, "retired", model=champion)
    assert promises.there_is_one_champion(observed.lake, observed.case) == []


@pytest.mark.parametrize(
    ("outcome", "against", "said"),
    [
        ("FAIL", "champion", "did not pass its gates: FAIL"),
        ("INSUFFICIENT", "champion", "did not pass its gates: INSUFFICIENT"),
        ("PASS", None, "was not compared with the champion it replaced"),
        (None, None, "was not examined"),
    ],
)
def test_i4_names_a_champion_that_did_not_earn_it(observed, champion, other, outcome, against, said):
    facts = {}
    if outcome:
        facts = {"gated": examined(observed, other, outcome, champion if against else None).sequence}
    record = append(observed, "promoted", model=other, facts=facts)
    found = promises.there_is_one_champion(observed.lake, observed.case)
    assert f"model {other[:12]}, promoted by record {record.sequence}, {said}" in found
    assert "the champion's examination is gone" in found
    assert "the champion's profile is gone" in found


def test_i4_names_a_rollback_to_what_never_was_champion(observed, other):
    append(observed, "rolled_back", model=other)
    assert any("was never champion" in why for why in promises.there_is_one_champion(observed.lake, observed.case))


def test_i4_names_a_champion_that_cannot_be_loaded(observed, champion):
    observed.lake.put(f"models/parcels/{champion}/encoder.json", b"{}")
    (found,) = promises.there_is_one_champion(observed.lake, observed.case)
    assert found.startswith("the champion cannot be loaded: ")


def test_i4_names_an_alias_that_stands_elsewhere(promoted):
    champion = Ledger(promoted.lake, "parcels").state().champion
    append(promoted, "retired", model=champion)
    (found,) = promises.there_is_one_champion(promoted.lake, promoted.case, promoted.registry)
    assert found == f"MLflow shows {champion[:12]} as champion, the ledger says None"


def test_i4_names_a_ledger_that_does_not_hold(observed):
    key = "ledger/parcels/00000002.json"
    record = json.loads(observed.lake.get(key)) | {"why": "because I say so"}
    observed.lake.put(key, json.dumps(record).encode())
    assert promises.there_is_one_champion(observed.lake, observed.case) == ["Record 2 of the ledger was changed."]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_column("model", None), "1 of 60 rows name no model"),
        (set_column("fingerprint", None), "1 of 60 rows name no fingerprint"),
        (set_column("data", ""), "1 of 60 rows name no data"),
        (set_column("role", None), "1 of 60 rows name no role"),
        (set_column("score", None), "1 of 60 rows are neither scored nor refused, or both"),
        (set_column("refused", "no"), "1 of 60 rows are neither scored nor refused, or both"),
        (set_column("model", "f" * 64), "the model named cannot be loaded"),
        (set_column("fingerprint", "f" * 64), "knows another definition than ffffffffffff"),
        (set_column("data", "f" * 64), "the rows named are not those of the features"),
    ],
)
def test_i5_names_a_prediction_without_origins(observed, change, said):
    spoil(observed.lake, TABLES["scores"], change)
    found = promises.every_prediction_names_its_origins(observed.lake, observed.case)
    assert any(said in why and why.endswith(f"in the scores of {DAY}") for why in found), found


def test_i5_names_scores_whose_features_were_changed_under_them(observed):
    spoil(observed.lake, TABLES["features"], set_column("weight", 99.0))
    (found,) = promises.every_prediction_names_its_origins(observed.lake, observed.case)
    assert found == f"the rows named are not those of the features in the scores of {DAY}"
