"""Who is scored beside the champion, which rows they decide, and how long: read off the ledger's state and the spec."""

import subprocess
import sys
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from updraft.records import Record, add_up
from updraft.rollout import Rollout, routed, under_way, void
from updraft.spec.model import Rollout as Declared

SHADOW = {"shadow": {"partitions": 3}}
CANARY = {"canary": {"share": 0.2, "partitions": 3}}
PROBATION = {"probation": {"partitions": 4}}
TRIAL = [("promoted", "a"), ("challenger", "b", {"champion": "a"})]
RISE = [("promoted", "a"), ("promoted", "b", {"champion": "a"})]


@pytest.fixture
def case(make_case):
    return lambda declared: make_case().model_copy(update={"rollout": Declared.model_validate(declared)})


def state(*steps):
    day = "2024-01-{:02}".format
    return add_up(
        [
            Record(n, "", kind, "", day(n), "w", "w", model, facts[0] if facts else {}, "t")
            for n, (kind, model, *facts) in enumerate(steps, start=1)
        ],
        "",
    )


@pytest.mark.parametrize(
    ("declared", "steps", "expected"),
    [
        pytest.param(SHADOW, TRIAL, [Rollout("shadow", "b", "a", 2, "2024-01-02", 3)], id="a shadow"),
        pytest.param(CANARY, TRIAL, [Rollout("canary", "b", "a", 2, "2024-01-02", 3, 0.2)], id="a canary"),
        pytest.param({}, TRIAL, [], id="the spec asks for none any more"),
        pytest.param(SHADOW, [*TRIAL, ("rejected", "b")], [], id="the challenger lost"),
        pytest.param(SHADOW, [*TRIAL, ("promoted", "b")], [], id="the challenger won"),
        pytest.param(SHADOW, [*TRIAL, ("promoted", "c")], [], id="another champion"),
        pytest.param(SHADOW, [("promoted", "a")], [], id="no challenger"),
        pytest.param(PROBATION, [("promoted", "a")], [], id="the first champion has no one before"),
        pytest.param(PROBATION, RISE, [Rollout("probation", "b", "a", 2, "2024-01-02", 4)], id="a probation"),
        pytest.param({}, RISE, [], id="no probation asked for"),
        pytest.param(PROBATION, [*RISE, ("rolled_back", "a")], [], id="rolled back"),
        pytest.param(PROBATION, [*RISE, ("decided", "b", {"probation": 2})], [], id="stood its probation"),
        pytest.param(
            PROBATION,
            [*RISE, ("decided", "b", {"probation": 1})],
            [Rollout("probation", "b", "a", 2, "2024-01-02", 4)],
            id="an older probation was over",
        ),
        pytest.param(PROBATION, [*RISE, ("retired", "a")], [], id="the one before is retired"),
        pytest.param(
            SHADOW | PROBATION,
            [*RISE, ("challenger", "c", {"champion": "b"})],
            [Rollout("shadow", "c", "b", 3, "2024-01-03", 3), Rollout("probation", "b", "a", 2, "2024-01-02", 4)],
            id="both at once",
        ),
    ],
)
def test_what_is_compared_at_present(case, declared, steps, expected):
    assert under_way(case(declared), state(*steps)) == expected


def test_beside_the_champion_stands_the_challenger_or_the_one_before():
    assert Rollout("shadow", "new", "old", 1, None, 2).beside == "new"
    assert Rollout("probation", "new", "old", 1, None, 2).beside == "old"


@pytest.mark.parametrize(
    ("declared", "steps", "why"),
    [
        (SHADOW, TRIAL, ""),
        (SHADOW, [("promoted", "a")], ""),
        (SHADOW, [*TRIAL, ("promoted", "c")], "a, with which it was to be compared, is champion no more"),
        ({}, TRIAL, "the spec asks for no shadow and no canary any more"),
    ],
)
def test_a_challenger_that_cannot_be_compared_any_more_is_named_with_the_reason(case, declared, steps, why):
    assert void(case(declared), state(*steps)) == why


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param(SHADOW | CANARY, id="two ways at once"),
        pytest.param({"shadow": {"partitions": 1}}, id="one partition shows nothing"),
        pytest.param({"canary": {"share": 0, "partitions": 3}}, id="no share"),
        pytest.param({"canary": {"share": 0.6, "partitions": 3}}, id="more than half"),
    ],
)
def test_a_rollout_that_makes_no_sense_is_refused(declared):
    with pytest.raises(ValidationError):
        Declared.model_validate(declared)


# ---- the canary's share -----------------------------------------------------------------------------------------

ENTITIES = [(f"flight-{n}", n % 7) for n in range(20_000)]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
def test_the_share_is_kept_within_what_chance_allows(share):
    n, found = len(ENTITIES), sum(routed(ENTITIES, share=share, salt="m"))
    assert abs(found - n * share) < 4 * sqrt(n * share * (1 - share))


def test_other_canaries_meet_other_entities():
    first, second = (routed(ENTITIES, share=0.1, salt=salt) for salt in ("a", "b"))
    both = sum(x and y for x, y in zip(first, second, strict=True))
    assert both < 2 * 0.01 * len(ENTITIES), "a tenth of a tenth"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.text(max_size=5), st.integers()), max_size=20), st.floats(0.01, 0.5))
def test_an_entity_is_routed_alike_whatever_stands_beside_it(entities, share):
    alone = [routed([entity], share=share, salt="m")[0] for entity in entities]
    assert routed(entities, share=share, salt="m") == alone
    wider = routed(entities, share=min(0.5, share * 2), salt="m")
    assert all(w for w, a in zip(wider, alone, strict=True) if a), "a larger share takes nobody out"


def test_another_process_routes_alike():
    code = "from updraft.rollout import routed; print(routed([(f'f{n}', n) for n in range(64)], share=0.3, salt='m'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(routed([(f"f{n}", n) for n in range(64)], share=0.3, salt="m"))
