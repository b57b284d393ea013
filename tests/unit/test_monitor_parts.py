import pandas as pd
import pytest

from updraft.monitor import parts
from updraft.spec.slices import Slices

SLICES = Slices.model_validate(
    {"by": ["depot"], "cut": {"weight": 2}, "where": {"heavy_a": {"depot": {"among": ["A"]}}}, "min_rows": 10}
)


def frame(depots, weights=(1.0, 3.0)):
    return pd.DataFrame({"depot": list(depots), "weight": list(weights) * (len(depots) // 2)})


HELD = frame("A" * 20 + "B" * 18 + "CD")


def sized(rows, slices=None, own=("depot is A", "depot is B")):
    return {one.name: one.rows for one in parts.named(rows, slices or parts.frozen(HELD, SLICES), own)}


def test_parts_with_rows_enough_are_followed_by_themselves_and_the_others_together():
    assert sized(HELD, own=()) == {
        "depot is A": 20,
        "depot is B": 18,
        "depot is anything else": 2,
        "weight is 2 or more": 20,
        "weight is below 2": 20,
        "heavy_a": 20,
    }


@pytest.mark.parametrize(
    ("now", "found"),
    [
        pytest.param("A" * 4, {"depot is A": 4, "depot is B": 0}, id="a part that is gone is still named"),
        pytest.param(
            "A" * 2 + "E" * 30, {"depot is A": 2, "depot is B": 0, "depot is anything else": 30}, id="a new one is not"
        ),
    ],
)
def test_the_parts_are_those_of_the_holdout(now, found):
    assert {name: rows for name, rows in sized(frame(now)).items() if name.startswith("depot")} == found


def test_parts_of_equal_size_keep_the_edges_they_had():
    edges = parts.frozen(HELD, SLICES).cut
    assert edges == {"weight": (2.0,)}
    later = frame("AABB", [9.0, 11.0])
    assert sized(later, parts.with_edges(SLICES, edges), ["weight is 2 or more"])["weight is 2 or more"] == 4


def test_a_feature_nobody_followed_so_far_is_parted_by_what_is_there():
    assert "depot is B" in sized(HELD, own=("weight is below 2",))


def test_the_rest_is_there_once_even_where_it_was_followed_before():
    own = {"depot is A", "depot is anything else"}
    assert [name for name in sized(HELD, own=own) if name.startswith("depot")] == [
        "depot is A",
        "depot is anything else",
    ]
