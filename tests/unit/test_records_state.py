"""What the records of a ledger add up to: one champion or none, and what is open."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.records import Record, add_up


def record(sequence, kind, model=None, partition=None, at="2013-01-01T00:00:00+00:00", **facts):
    return Record(sequence, "", kind, at, partition, "w", "w", model, facts, "t")


def state_of(*steps):
    return add_up([record(n, *step) for n, step in enumerate(steps, start=1)], "")


@pytest.mark.parametrize(
    ("steps", "champion", "previous", "challenger"),
    [
        pytest.param([("gated", "a"), ("rejected", "a")], None, (), None, id="a rejected model is nothing"),
        pytest.param([("promoted", "a")], "a", (), None, id="the first champion"),
        pytest.param([("promoted", "a"), ("promoted", "b")], "b", ("a",), None, id="the one before is kept"),
        pytest.param([("promoted", m) for m in "aba"], "a", ("b",), None, id="no champion is its own predecessor"),
        pytest.param([("promoted", m) for m in "abcab"], "b", ("c", "a"), None, id="none is listed twice"),
        pytest.param([("promoted", m) for m in "abc"] + [("rolled_back", "b")], "b", ("a",), None, id="one back"),
        pytest.param([("promoted", m) for m in "abc"] + [("rolled_back", "a")], "a", (), None, id="b was skipped"),
        pytest.param([("promoted", "a"), ("rolled_back", "x")], "x", (), None, id="back to a stranger"),
        pytest.param([("promoted", m) for m in "ab"] + [("retired", "b")], None, ("a",), None, id="champion retired"),
        pytest.param([("promoted", m) for m in "ab"] + [("retired", "a")], "b", (), None, id="predecessor retired"),
        pytest.param([("promoted", "a"), ("challenger", "b")], "a", (), "b", id="a challenger"),
        pytest.param([("challenger", "b"), ("promoted", "b")], "b", (), None, id="the challenger won"),
        pytest.param([("challenger", "b"), ("rejected", "b")], None, (), None, id="the challenger lost"),
        pytest.param([("challenger", "b"), ("rejected", "c")], None, (), "b", id="another one lost"),
    ],
)
def test_records_add_up_to_who_is_champion(steps, champion, previous, challenger):
    state = state_of(*steps)
    assert (state.champion, state.previous, state.challenger) == (champion, previous, challenger)


def test_the_head_is_the_newest_record():
    state = state_of(
        ("trained", "a", "2013-01-01"), ("promoted", "a"), ("trained", "b", "2013-01-02"), ("rejected", "b")
    )
    assert state.head == 4


def test_an_incident_is_open_until_a_decision_closes_it_or_the_champion_changes():
    incidents = [record(1, "incident"), record(2, "incident"), record(3, "incident")]
    closing = record(4, "decided", closes=[1, 3])
    assert add_up(incidents, "").open_incidents == tuple(incidents)
    assert add_up([*incidents, closing], "").open_incidents == (incidents[1],)
    assert add_up([*incidents, record(4, "resolved", closes=[2])], "").open_incidents == (incidents[0], incidents[2])
    assert add_up([*incidents, record(4, "rolled_back", "a")], "").open_incidents == ()
    assert add_up([*incidents, record(4, "trained", "a")], "").open_incidents == tuple(incidents)


def test_order_is_the_sequence_whatever_the_clock_said():
    kinds = [("promoted", "a"), ("promoted", "b"), ("rolled_back", "a")]
    backwards = [record(n, *step, None, f"2013-01-0{9 - n}T00:00:00+00:00") for n, step in enumerate(kinds, start=1)]
    assert add_up(backwards, "").champion == state_of(*kinds).champion == "a"


KINDS = st.sampled_from(
    ["promoted", "rolled_back", "retired", "rejected", "challenger", "trained", "incident", "decided"]
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(KINDS, st.sampled_from("abcd")), max_size=12))
def test_there_is_one_champion_or_declaredly_none_and_it_is_never_its_own_predecessor(steps):
    state = state_of(*steps)
    crowned = {model for kind, model in steps if kind in ("promoted", "rolled_back")}
    assert state.champion is None or state.champion in crowned
    assert state.champion not in state.previous
    assert len(set(state.previous)) == len(state.previous)
    assert set(state.previous) <= crowned
