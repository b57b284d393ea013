"""Rolling back goes to the newest earlier champion that loads, and never to what was left."""

import pytest
from tests.promoting import CASE, A, B, C, D, bare, crown, fine, refusing

from updraft.errors import LakeUnavailable, NoChampion, WriteConflict
from updraft.ledger import Ledger
from updraft.promote import rollback

pytestmark = pytest.mark.slow  # talks to a real MLflow


@pytest.mark.parametrize(
    ("broken", "champion", "skipped"),
    [
        pytest.param((), C, [], id="the one before"),
        pytest.param((C,), B, [C], id="the one before is broken"),
        pytest.param((C, B), A, [C, B], id="only the first is left"),
    ],
)
def test_a_rollback_goes_to_the_newest_earlier_champion_that_loads(lake, shared, broken, champion, skipped):
    crown(lake, A, B, C, D)
    result = rollback(lake, shared, CASE, who="ops", why="complaints", verify=refusing(*broken), partition="2013-04-01")
    assert (result.outcome, result.champion, result.sequence) == ("rolled_back", champion, 5)
    record = Ledger(lake, "flights").records()[4]
    assert (record.kind, record.partition) == ("rolled_back", "2013-04-01")
    assert bare(record.facts) == {"left": D, "skipped": dict.fromkeys(skipped, "model.txt was changed.")}
    assert record.why == "; ".join(["complaints", *(f"skipped {m[:12]}: model.txt was changed." for m in skipped)])


def test_rollbacks_go_further_back_and_never_to_what_was_left(lake, registry):
    crown(lake, C, B, A, D)
    back = [rollback(lake, registry, CASE, who="o", why="w", verify=fine) for _ in range(3)]
    assert [(r.champion, r.alias) for r in back] == [(A, "follows"), (B, "follows"), (C, "pending")]
    with pytest.raises(NoChampion, match="no earlier champion"):
        rollback(lake, registry, CASE, who="o", why="w", verify=fine)
    assert Ledger(lake, "flights").state().champion == C


def test_where_no_earlier_champion_loads_the_champion_stays_and_each_is_named(lake, shared):
    crown(lake, A, B, C)
    with pytest.raises(NoChampion, match=r"skipped bbbbbbbbbbbb: .*; skipped aaaaaaaaaaaa"):
        rollback(lake, shared, CASE, who="o", why="w", verify=refusing(A, B))
    assert Ledger(lake, "flights").state().champion == C


def test_without_any_champion_there_is_nothing_to_go_back_to(lake, shared):
    with pytest.raises(NoChampion):
        rollback(lake, shared, CASE, who="o", why="w", verify=fine)


def test_a_retried_rollback_does_not_go_further_back(lake, shared):
    crown(lake, A, B, C)
    results = [rollback(lake, shared, CASE, who="o", why="w", verify=fine, leave=C) for _ in range(2)]
    assert [(r.outcome, r.champion) for r in results] == [("rolled_back", B), ("kept", B)]


def test_a_rollback_that_finds_another_champion_gives_up(lake, shared):
    crown(lake, A, B)
    with pytest.raises(WriteConflict):
        rollback(lake, shared, CASE, who="o", why="w", verify=lambda _: crown(lake, C))
    assert Ledger(lake, "flights").state().champion == C


def test_a_fault_that_is_not_the_models_stops_the_rollback(lake, shared):
    crown(lake, A, B)

    def unreachable(digest):
        raise LakeUnavailable("slow", next_step="retry")

    with pytest.raises(LakeUnavailable):
        rollback(lake, shared, CASE, who="o", why="w", verify=unreachable)
    assert Ledger(lake, "flights").state().champion == B
