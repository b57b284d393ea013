"""What the ledger's witnesses remember when its tail and its mark were cut alike."""

import pytest
from tests.unit.conftest import TRAINED_AT

from updraft import score
from updraft.ledger import Ledger
from updraft.life import promotion
from updraft.life.audit import audit
from updraft.records import NOTHING, canonical
from updraft.registry import Registry

pytestmark = pytest.mark.slow


def cut(world, to):
    """Take away the newest records, and mark the one before as the newest, as an attacker would."""
    keys = [key for key in world.lake.keys("ledger/parcels") if not key.endswith("head")]
    for key in keys[to:]:
        world.lake._store.delete(key)
    world.lake.put("ledger/parcels/head", canonical({"sequence": 0, "sha256": NOTHING}))


def told(world):
    return audit(world.case, world.lake, world.registry)


def test_a_whole_ledger_is_found_whole(promoted):
    assert told(promoted) == (4, [], [])


def test_a_tail_that_was_cut_with_its_mark_is_told_by_mlflow(promoted):
    cut(promoted, 2)
    assert Ledger(promoted.lake, "parcels").faults() == [], "the chain itself holds"
    assert told(promoted)[1] == ["MLflow was told of record 4: records 3 to 4 are missing."]


def test_a_ledger_that_was_written_anew_is_told_by_mlflow(promoted):
    cut(promoted, 0)
    for n in range(4):
        Ledger(promoted.lake, "parcels").append("decided", why=f"forged {n}", who="mallory")
    assert told(promoted)[1] == ["Record 4 is not the one MLflow was told of: the ledger was written anew."]


def test_a_champion_that_scored_and_that_no_record_made_is_told_by_the_scores(promoted, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    champion = score.pin(promoted.case, promoted.lake)
    score.partitions(promoted.case, [TRAINED_AT], promoted.lake, champion=champion)
    cut(promoted, 2)
    count, found, unheard = audit(promoted.case, promoted.lake, Registry("http://127.0.0.1:9", "/nowhere"))
    assert count == 2
    assert found == [
        f"The scores of {TRAINED_AT} name {champion[:12]} as champion, which no record made it: "
        "records after 2 are missing."
    ]
    assert unheard[0].startswith("MLflow: ")


def test_damage_within_the_chain_is_named_first(promoted):
    promoted.lake.put("ledger/parcels/00000002.json", b"{}")
    count, found, _ = told(promoted)
    assert count == 0
    assert found[0].startswith("Record 2 of the ledger was changed. Next: restore the record")


def test_a_repair_at_the_level_of_the_stages_mends_and_records(promoted):
    promoted.registry._client.delete_registered_model_alias("parcels", "champion")
    assert "was missing" in promotion.repair(promoted.case, promoted.lake, promoted.registry, who="sweep")
    assert Ledger(promoted.lake, "parcels").records()[-1].kind == "repaired"
    assert told(promoted) == (5, [], [])
