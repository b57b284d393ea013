"""Keys of a delivery that is read in many pieces: its repeated ones are found as if it were read at once."""

import numpy as np
import pytest

from updraft import contract
from updraft.sources.decode import decode
from updraft.spec.sources import Source

ROWS = 60_000  # several pieces


def source(*key):
    columns = {"id": {"type": "integer"}, "of": {"type": "string"}}
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "key": list(key),
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {**columns, "at": {"type": "timestamp"}, "n": {"type": "integer", "range": [0, 2**53]}},
            "contract": {"rows": [0, ROWS], "tolerance": 1},
        }
    )


def check(ids, key=("id",), of="x" * 100, n=1):
    declared = source(*key)
    lines = ["id,of,at,n", *(f"{one},{of},2013-04-01T00:00:00Z,{n}" for one in ids)]
    return contract.check("feed", declared, {"d": decode("\n".join(lines).encode(), declared)})["d"]


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [0, 1, 3000])
def test_every_row_but_the_first_with_its_key_is_bad(repeats):
    ids = np.arange(ROWS)
    draw = np.random.default_rng(repeats)
    ids[draw.choice(ROWS, repeats, replace=False)] = draw.integers(0, ROWS, repeats)
    first = {one: place for place, one in reversed([*enumerate(ids.tolist())])}
    found = check(ids.tolist())
    assert [bad.row - 1 for bad in found.bad] == [n for n, one in enumerate(ids.tolist()) if first[one] != n]
    assert {bad.rule for bad in found.bad} <= {"unique"}


@pytest.mark.parametrize(
    ("ids", "key", "bad"),
    [
        pytest.param([1, 2, 1], ("id",), [3], id="the second of two"),
        pytest.param([1, 2, 1], ("id", "of"), [3], id="of several columns"),
        pytest.param(["", 1, ""], ("id", "of"), [1, 3], id="a missing key is equal to none, and bad by itself"),
        pytest.param([], ("id",), [], id="no rows"),
    ],
)
def test_keys_are_compared_as_a_whole(ids, key, bad):
    assert [one.row for one in check(ids, key).bad if one.rule in ("unique", "not_null")] == bad


@pytest.mark.parametrize(("n", "bad"), [(2**53, 0), (2**53 + 1, 1), (-1, 1), (0, 0)])
def test_a_whole_number_is_compared_exactly_however_large(n, bad):
    assert len(check([1], n=n).bad) == bad
