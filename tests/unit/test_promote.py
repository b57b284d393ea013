"""Promoting: the ledger decides on the newest examination, and MLflow's alias follows when it can."""

import json
import socket
from dataclasses import asdict, replace

import pytest
from tests.promoting import CASE, DAY, A, B, C, bare, crown, decide_and_promote, examined, kinds

from updraft.errors import LakeUnavailable, ModelRejected
from updraft.evidence import Verdict
from updraft.lake import Lake
from updraft.ledger import FACTS_LIMIT, Ledger
from updraft.promote import gate, promote
from updraft.registry import Registry

pytestmark = pytest.mark.slow  # talks to a real MLflow


@pytest.fixture
def down(monkeypatch):
    """An MLflow that does not answer."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Registry(f"http://127.0.0.1:{taken.getsockname()[1]}", "/nowhere")


def test_a_candidate_that_passed_becomes_champion_and_the_alias_follows(lake, registry):
    result = decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    assert (result.outcome, result.sequence, result.champion, result.alias) == ("promoted", 2, A, "follows")
    assert result.why == "PASS, all 2 gates on 3000 held-out rows"
    assert kinds(lake) == [("gated", "a"), ("promoted", "a")]
    assert registry.champion_alias("flights") == A
    gated, promoted, confirmed = Ledger(lake, "flights").records()
    assert bare(gated.facts) == examined().to_json()
    assert bare(promoted.facts) == {"gated": 1, "champion": None, "approval": None}
    assert (confirmed.kind, confirmed.model) == ("confirmed", A)
    assert registry.witnessed("flights") == (3, Ledger(lake, "flights").state().head_digest)
    assert len(json.dumps(asdict(result))) < 4096


@pytest.mark.parametrize("outcome", ["FAIL", "INSUFFICIENT"])
def test_a_candidate_that_did_not_pass_is_rejected_with_the_reason(lake, shared, outcome):
    crown(lake, A)
    result = decide_and_promote(lake, shared, CASE, B, examined(outcome, A, "worse on EWR"), **DAY)
    assert (result.outcome, result.champion) == ("rejected", A)
    assert result.why == f"{outcome}, champion: worse on EWR"
    assert kinds(lake)[1:] == [("gated", "b"), ("rejected", "b")]


def test_an_examination_without_verdicts_is_no_pass(lake, shared):
    nothing = replace(examined(), verdicts=(), outcome="INSUFFICIENT")
    assert decide_and_promote(lake, shared, CASE, A, nothing, **DAY).outcome == "rejected"


def test_a_pass_its_verdicts_do_not_bear_out_is_refused(lake, shared):
    forged = replace(examined("FAIL"), outcome="PASS")
    with pytest.raises(ValueError, match="do not add up"):
        decide_and_promote(lake, shared, CASE, A, forged, **DAY)
    assert kinds(lake) == []


def test_what_was_not_examined_at_this_partition_cannot_rise(lake, shared):
    gate(lake, CASE, A, examined(), partition="2013-03-31", who="train")
    with pytest.raises(ModelRejected, match="was not examined at 2013-04-01"):
        promote(lake, shared, CASE, A, **DAY)
    with pytest.raises(ModelRejected, match="was not examined"):
        promote(lake, shared, CASE, B, partition="2013-03-31", who="train")


def test_the_newest_examination_counts(lake, shared):
    gate(lake, CASE, A, examined(), **DAY)
    gate(lake, CASE, A, examined("FAIL"), **DAY)
    assert promote(lake, shared, CASE, A, **DAY).outcome == "rejected"


def test_a_long_examination_is_stored_beside_the_ledger(lake, shared):
    verdicts = tuple(Verdict(f"gate_{n}", "PASS", "x" * 200, {"value": n / 7}) for n in range(500))
    assert decide_and_promote(lake, shared, CASE, A, examined(verdicts=verdicts), **DAY).outcome == "promoted"
    facts = Ledger(lake, "flights").records()[0].facts
    assert len(json.dumps(facts)) < FACTS_LIMIT // 2
    assert len(json.loads(lake.get(facts["report"]))["verdicts"]) == 500


@pytest.mark.parametrize("digest", ["", "a" * 63, "../" + "a" * 61])
def test_a_digest_that_is_none_is_never_recorded(lake, shared, digest):
    with pytest.raises(ValueError, match="not the digest"):
        decide_and_promote(lake, shared, CASE, digest, examined(), **DAY)
    assert kinds(lake) == []


def test_without_mlflow_the_ledger_decides_and_the_alias_is_mended_later(lake, registry, down):
    result = decide_and_promote(lake, down, CASE, A, examined(), **DAY)
    assert (result.outcome, result.champion, result.alias) == ("promoted", A, "pending")
    assert registry.champion_alias("flights") is None
    assert registry.repair("flights", Ledger(lake, "flights").state())
    assert registry.champion_alias("flights") == A


def test_a_model_mlflow_never_saw_is_champion_all_the_same(lake, shared):
    result = decide_and_promote(lake, shared, CASE, C, examined(), **DAY)
    assert (result.champion, result.alias) == (C, "pending")


def test_a_lake_that_is_down_decides_nothing(shared, tmp_path):
    (tmp_path / "lake").write_bytes(b"a file, not a folder")
    with pytest.raises(LakeUnavailable):
        decide_and_promote(Lake(str(tmp_path / "lake")), shared, CASE, A, examined(), **DAY)
