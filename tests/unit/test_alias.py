"""MLflow's alias follows the ledger: found elsewhere it is put back, and the ledger says who moved it."""

import pytest
from tests.promoting import (
    CASE,
    DAY,
    A,
    B,
    C,
    all_kinds,
    by_hand,
    crown,
    decide_and_promote,
    examined,
    fine,
    opened,
    repair,
)

from updraft.errors import ModelRejected, NoChampion
from updraft.ledger import Ledger
from updraft.promote import retire, rollback

pytestmark = pytest.mark.slow  # talks to a real MLflow


@pytest.fixture
def world(seen, tmp_path):
    return opened(seen, tmp_path)


def test_what_follows_is_left_alone_and_nothing_is_recorded(world):
    lake, registry = world
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    assert repair(lake, registry) is None
    assert all_kinds(lake) == ["gated", "promoted", "confirmed"]


def test_an_alias_moved_by_hand_is_put_back_and_the_ledger_says_so(world):
    lake, registry = world
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    by_hand(registry, B)
    assert "stood at version 2 (bbbbbbbbbbbb): moved to aaaaaaaaaaaa, the ledger's champion" in repair(lake, registry)
    assert registry.champion_alias("flights") == A
    record = Ledger(lake, "flights").records()[-1]
    assert (record.kind, record.model, record.who) == ("repaired", A, "sweep")
    by_hand(registry, B)
    repair(lake, registry)
    assert all_kinds(lake).count("repaired") == 2, "each time it was moved"


def test_an_alias_that_never_followed_is_no_alias_moved_by_hand(world):
    lake, registry = world
    crown(lake, A)
    assert "was missing" in repair(lake, registry)
    assert all_kinds(lake) == ["promoted", "confirmed"]


def test_an_alias_without_any_champion_is_taken_away_and_recorded(world):
    lake, registry = world
    by_hand(registry, B)
    assert "removed, for the ledger has no champion" in repair(lake, registry)
    (record,) = Ledger(lake, "flights").records()
    assert (record.kind, record.model) == ("repaired", None)


def test_what_could_not_be_mended_is_told_and_not_recorded_as_mended(world):
    lake, registry = world
    crown(lake, "d" * 64)
    assert "not repaired, MLflow has no run" in repair(lake, registry)
    assert all_kinds(lake) == ["promoted"]


def test_mlflow_is_told_of_the_newest_record_whenever_it_shows_a_champion(world):
    lake, registry = world
    assert registry.witnessed("flights") is None
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    decide_and_promote(lake, registry, CASE, B, examined(against=A), **DAY)
    state = Ledger(lake, "flights").state()
    assert registry.witnessed("flights") == (state.head, state.head_digest)


def test_a_retired_model_is_neither_fallen_back_to_nor_promoted_again(world):
    lake, registry = world
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    decide_and_promote(lake, registry, CASE, B, examined(against=A), **DAY)
    first, again = (retire(lake, CASE, A, why="unlawful data", who="ana") for _ in range(2))
    assert first == again
    with pytest.raises(NoChampion):
        rollback(lake, registry, CASE, who="o", why="w", verify=fine)
    done = decide_and_promote(lake, registry, CASE, A, examined(against=B), partition="2013-05-01", who="train")
    assert (done.outcome, done.champion) == ("rejected", B)
    assert done.why.startswith("retired by record")


@pytest.mark.parametrize(("model", "why"), [(A, "is the champion"), (C, "is not known")])
def test_the_champion_and_a_stranger_are_not_retired(world, model, why):
    lake, _ = world
    crown(lake, A)
    with pytest.raises(ModelRejected, match=why):
        retire(lake, CASE, model, why="w", who="w")
