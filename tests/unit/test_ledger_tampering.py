"""What was changed in a ledger, or taken from it, is found and named; nothing is added to what is broken."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.errors import LedgerBroken
from updraft.ledger import Ledger
from updraft.records import canonical


@pytest.fixture
def five(lake):
    """A ledger of five records and its folder."""
    ledger = Ledger(lake, "flights")
    for n in range(1, 6):
        ledger.append("promoted", why=f"reason {n}", who="test", partition=f"2013-01-0{n}", model=f"m{n}")
    return ledger, Path(lake.uri) / "ledger/flights"


def path(folder: Path, sequence: int) -> Path:
    return folder / f"{sequence:08d}.json"


def edited(folder, sequence, **changes):
    found = json.loads(path(folder, sequence).read_bytes())
    path(folder, sequence).write_bytes(canonical({**found, **changes}))


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        pytest.param(lambda f: path(f, 1).unlink(), "Record 1 .* is missing", id="the first is gone"),
        pytest.param(lambda f: path(f, 3).unlink(), "Record 3 .* is missing", id="one in the middle is gone"),
        pytest.param(lambda f: path(f, 5).unlink(), "Record 5 .* is missing", id="the newest is gone"),
        pytest.param(lambda f: [path(f, n).unlink() for n in (3, 4, 5)], "Record 3 .* missing", id="the tail is gone"),
        pytest.param(lambda f: edited(f, 2, model="evil"), "Record 2 .* was changed", id="another model"),
        pytest.param(lambda f: edited(f, 5, model="evil"), "Record 5 .* was changed", id="another newest model"),
        pytest.param(lambda f: edited(f, 3, previous="0" * 64), "Record 3 .* was changed", id="another predecessor"),
        pytest.param(lambda f: edited(f, 1, previous="1" * 64), "Record 1 .* was changed", id="something before all"),
        pytest.param(lambda f: edited(f, 3, kind="crowned"), "Record 3 .* unknown kind", id="another kind"),
        pytest.param(lambda f: edited(f, 3, more=1), "Record 3 .* was changed", id="another field"),
        pytest.param(lambda f: path(f, 4).write_bytes(b"{"), "Record 4 .* was changed", id="cut short"),
        pytest.param(lambda f: path(f, 4).write_bytes(b"[" * 99_999), "Record 4 .* was changed", id="a deep nest"),
        pytest.param(
            lambda f: path(f, 4).write_bytes(path(f, 2).read_bytes()), "Record 4 .* copy of record 2", id="copy"
        ),
        pytest.param(
            lambda f: path(f, 6).write_bytes(path(f, 5).read_bytes()), "Record 6 .* copy of record 5", id="twice"
        ),
        pytest.param(lambda f: path(f, 99_999_999).write_bytes(b"{}"), "Record 6 .* is missing", id="a far number"),
        pytest.param(lambda f: (f / "head").write_bytes(b"{}"), "mark .* was changed", id="no mark"),
        pytest.param(lambda f: (f / "3.json").write_bytes(b"{}"), "holds '3.json'", id="a stranger"),
    ],
)
def test_what_was_changed_or_is_missing_is_named(five, harm, named):
    ledger, folder = five
    harm(folder)
    with pytest.raises(LedgerBroken, match=named):
        ledger.verify()


def test_nothing_is_added_to_a_broken_ledger(five):
    ledger, folder = five
    edited(folder, 2, why="nothing happened")
    with pytest.raises(LedgerBroken):
        ledger.append("promoted", why="w", who="w", model="m6")
    assert not path(folder, 6).exists()


def test_a_mark_that_lags_or_is_lost_is_no_damage(five):
    ledger, folder = five
    old = (folder / "head").read_bytes()
    ledger.append("decided", why="w", who="w")
    (folder / "head").write_bytes(old)
    assert ledger.verify() == 6
    (folder / "head").unlink()
    assert ledger.verify() == 6


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.integers(1, 5), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found_where_it_is(five, sequence, where, bit):
    ledger, folder = five
    sound = path(folder, sequence).read_bytes()
    harmed = bytearray(sound)
    harmed[int(where * len(sound))] ^= 1 << bit
    path(folder, sequence).write_bytes(bytes(harmed))
    try:
        with pytest.raises(LedgerBroken, match=f"Record {sequence} "):
            ledger.state()
    finally:
        path(folder, sequence).write_bytes(sound)
