"""Snapshots: whatever the order in which they come, the lake holds what each of them changed."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations

import pytest
from tests.snapshots import DAYS, RAW, drop, source, stored, take_in

from updraft import ingest
from updraft.asof import History
from updraft.errors import DeliveryBlocked, ValidationBroken
from updraft.ingest import Feed
from updraft.ingest.replay import discard, replay
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import digest
from updraft.spec.sources import Source

pytestmark = pytest.mark.slow


@pytest.fixture
def planes(make_case, tmp_path):
    """A use case with one source, whose deliveries hold the whole table."""

    def make(**contract):
        case = make_case(sources={"planes": source(**contract)})
        case._folder = tmp_path
        (tmp_path / "features.sql").write_text("SELECT id, seats FROM planes")
        return case

    return make


@pytest.mark.parametrize(
    ("snapshots", "changes"),
    [
        pytest.param([[(1, 5), (2, 6)]], ["+1=5 +2=6"], id="the first is all new"),
        pytest.param([[(1, 5)], [(1, 5)]], ["+1=5", ""], id="nothing changed"),
        pytest.param([[(1, 5)], [(2, 6), (1, 5)]], ["+1=5", "+2=6"], id="one new"),
        pytest.param([[(1, 5), (2, 6)], [(1, 5), (2, 7)]], ["+1=5 +2=6", "+2=7"], id="one changed"),
        pytest.param([[(1, 5), (2, 6)], [(2, 6)]], ["+1=5 +2=6", "-1"], id="one gone"),
        pytest.param([[(1, 5), (2, 6)], []], ["+1=5 +2=6", "-1 -2"], id="all gone"),
        pytest.param([[(1, 5)], [(2, 6)], [(1, 5)]], ["+1=5", "+2=6 -1", "+1=5 -2"], id="gone and made again"),
        pytest.param([[(1, 5)], [], [], [(1, 5)]], ["+1=5", "-1", "", "+1=5"], id="gone once"),
        pytest.param([[(1, None)], [(1, None)], [(1, 5)]], ["+1=None", "", "+1=5"], id="a missing value is a value"),
    ],
)
def test_a_snapshot_is_stored_as_what_it_changed(planes, lake, tmp_path, snapshots, changes):
    for day, rows in zip(DAYS, snapshots, strict=False):
        drop(tmp_path, day, rows)
        take_in(planes(), lake, tmp_path, day)
    assert stored(lake) == {day: said for day, said in zip(DAYS, changes, strict=False) if said}


def test_what_was_delivered_adds_up_with_what_changed(planes, lake, tmp_path):
    for day, rows in zip(DAYS, [[(1, 5), (2, 6), (3, 7)], [(1, 5), (3, 8), (4, 1000), (5, 9)]], strict=False):
        drop(tmp_path, day, rows)
    take_in(planes(), lake, tmp_path, DAYS[0])
    done = take_in(planes(), lake, tmp_path, DAYS[1])
    assert (done.rows, done.gone, done.unchanged, done.quarantined) == (3, 1, 1, 1)
    assert done.rows - done.gone + done.unchanged + done.quarantined == 4
    assert {k: done.summary()[k] for k in ("rows", "gone", "unchanged")} == {"rows": 3, "gone": 1, "unchanged": 1}
    assert take_in(planes(), lake, tmp_path, DAYS[1]) == done


def test_a_row_that_is_gone_keeps_its_origin_apart_from_the_rows_delivered(planes, lake, tmp_path):
    for day, rows in zip(DAYS, [[(1, 5), (2, 6), (3, 7)], [(3, 7)]], strict=False):
        drop(tmp_path, day, rows)
    take_in(planes(), lake, tmp_path, *DAYS[:2])
    gone = [row for row in lake.read(RAW).to_pylist() if row["gone"]]
    known = calendar(planes()).at(DAYS[1]).end + timedelta(hours=1)
    assert [(row["id"], row["row"], row["partition"], row["known_at"]) for row in gone] == [
        (1, 2, DAYS[1], known), (2, 3, DAYS[1], known)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "changes"),
    [
        pytest.param((2, 1000), "-3", id="it broke a rule"),
        pytest.param((2, "many"), "-3", id="it could not be read"),
        pytest.param(("two", 6), None, id="its key could not be read, so it may be any of them"),
    ],
)
def test_a_row_in_quarantine_is_not_gone(planes, lake, tmp_path, bad, changes):
    for day, rows in zip(DAYS, [[(1, 5), (2, 6), (3, 7)], [(1, 5), bad], [(1, 5)]], strict=False):
        drop(tmp_path, day, rows)
        take_in(planes(), lake, tmp_path, day)
    assert stored(lake).get(DAYS[1]) == changes
    assert stored(lake)[DAYS[2]] == ("-2" if changes else "-2 -3")


def test_a_blocked_snapshot_changes_nothing(planes, lake, tmp_path):
    drop(tmp_path, DAYS[0], [(1, 5), (2, 6)])
    drop(tmp_path, DAYS[1], [])
    take_in(planes(), lake, tmp_path, DAYS[0])
    strict = planes(rows=[1, 100])
    with pytest.raises(DeliveryBlocked):
        take_in(strict, lake, tmp_path, DAYS[1])
    drop(tmp_path, DAYS[2], [(2, 6)])
    take_in(strict, lake, tmp_path, DAYS[2])
    assert stored(lake) == {DAYS[0]: "+1=5 +2=6", DAYS[2]: "-1"}


def test_a_snapshot_that_is_corrected_changes_what_the_next_one_changed(planes, lake, tmp_path):
    for day in DAYS[:3]:
        drop(tmp_path, day, [(1, 5)])
        take_in(planes(), lake, tmp_path, day)
    assert stored(lake) == {DAYS[0]: "+1=5"}
    drop(tmp_path, DAYS[1], [(2, 6)])
    take_in(planes(), lake, tmp_path, DAYS[1])
    assert stored(lake) == {DAYS[0]: "+1=5", DAYS[1]: "+2=6 -1", DAYS[2]: "+1=5 -2"}


def test_a_snapshot_behind_that_was_judged_by_other_terms_is_named(planes, lake, tmp_path):
    for day in DAYS[1:3]:
        drop(tmp_path, day, [(1, 5)])
        take_in(planes(), lake, tmp_path, day)
    drop(tmp_path, DAYS[0], [(1, 5)])
    with pytest.raises(ValidationBroken, match=f"planes for {DAYS[1]}.* was not validated against today's contract"):
        take_in(planes(tolerance=0.5), lake, tmp_path, DAYS[0])


SNAPSHOTS = {
    DAYS[0]: [(1, 5), (2, 6), (3, 7)],
    DAYS[1]: [(1, 5), (2, "many"), (4, 8)],  # the second is in quarantine, the third is gone
    DAYS[2]: [(1, 9), (3, 7), (4, 1000)],  # the third was made again
    DAYS[3]: [(3, 7), (5, 1)],
}
STATES = {
    DAYS[0]: {1: 5, 2: 6, 3: 7},
    DAYS[1]: {1: 5, 2: 6, 4: 8},
    DAYS[2]: {1: 9, 3: 7, 4: 8},
    DAYS[3]: {3: 7, 5: 1},
}


@pytest.mark.slow
def test_every_order_of_snapshots_ends_in_the_same_rows(planes, tmp_path):
    """By steps, as in `test_orders`: each way to a set of snapshots ends in one state, so all 24 orders of it do."""
    case = planes()
    for day, rows in SNAPSHOTS.items():
        drop(tmp_path, day, rows)
    reached = {frozenset(): Lake(str(tmp_path / "none"))}
    for wanted in (frozenset(days) for size in range(1, 5) for days in combinations(DAYS, size)):
        for last in sorted(wanted):
            before = reached[wanted - {last}].uri
            lake = Lake(str(tmp_path / f"{len(wanted)}-{min(wanted)}-{max(wanted)}-{last}-{len(reached)}"))
            if len(wanted) > 1:
                shutil.copytree(before, lake.uri)
            take_in(case, lake, tmp_path, last)
            known = reached.setdefault(wanted, lake)
            assert digest(lake.read(RAW)) == digest(known.read(RAW)), f"{last} after {sorted(wanted - {last})}"
    together = Lake(str(tmp_path / "together"))
    take_in(case, together, tmp_path, *DAYS)
    assert digest(reached[frozenset(DAYS)].read(RAW)) == digest(together.read(RAW))


def test_at_every_moment_the_newest_snapshot_is_what_is_seen(planes, lake, tmp_path):
    case, dates = planes(), calendar(planes())
    for day, rows in SNAPSHOTS.items():
        drop(tmp_path, day, rows)
    for day in (DAYS[2], DAYS[0], DAYS[3], DAYS[1]):
        take_in(case, lake, tmp_path, day)
    end = dates.at(DAYS[-1]).end + timedelta(days=1)
    with History(lake, case, "features", first=dates.first, latest=end) as known:
        for day, state in STATES.items():
            moment = dates.at(day).end + timedelta(hours=1)
            before = STATES.get(dates.step(dates.at(day), -1).key, {})
            for at, seen in ((moment, state), (moment - timedelta(microseconds=1), before)):
                rows = known.ask(dates.containing(at), at).to_pylist()
                assert {row["id"]: row["seats"] for row in rows} == seen, at


@pytest.mark.slow
def test_snapshots_published_at_once_end_in_the_same_rows(planes, lake, tmp_path):
    case, alone = planes(), Lake(str(tmp_path / "alone"))
    for day, rows in SNAPSHOTS.items():
        drop(tmp_path, day, rows)
    take_in(case, alone, tmp_path, *DAYS)
    for day in DAYS:
        ingest.land(case, "planes", [day], lake, tmp_path)
        ingest.validate(case, "planes", [day], lake)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda day: ingest.publish(case, "planes", [day], lake), DAYS[::-1]))
    assert digest(lake.read(RAW)) == digest(alone.read(RAW))
    assert Feed(case, "planes", lake).published() == set(DAYS)


@dataclass(frozen=True)
class Overtaken(Lake):
    """A lake in which something else happens just before the first write of raw rows."""

    meanwhile: list = field(default_factory=list)

    def update(self, table, partitions, change):
        if table == RAW and self.meanwhile:
            self.meanwhile.pop()()
        return super().update(table, partitions, change)


def test_a_snapshot_that_was_overtaken_by_an_earlier_one_is_compared_with_it(planes, lake, tmp_path):
    for day, rows in zip(DAYS, [[(1, 5)], [(2, 6)], [(1, 5)]], strict=False):
        drop(tmp_path, day, rows)
    take_in(planes(), lake, tmp_path, DAYS[0])
    overtaken = Overtaken(lake.uri, meanwhile=[lambda: take_in(planes(), lake, tmp_path, DAYS[1])])
    take_in(planes(), overtaken, tmp_path, DAYS[2])
    assert stored(lake) == {DAYS[0]: "+1=5", DAYS[1]: "+2=6 -1", DAYS[2]: "+1=5 -2"}


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        pytest.param(None, {DAYS[0]: "+1=5 +2=6 +3=7", DAYS[1]: "+1=6 -3", DAYS[2]: "-2"}, id="it is held"),
        pytest.param("discard", {DAYS[0]: "+1=5 +2=6 +3=7", DAYS[1]: "+1=6 -3", DAYS[2]: "-2"}, id="it never counts"),
        pytest.param("replay", {DAYS[0]: "+1=5 +2=6 +3=7", DAYS[1]: "+1=6 +2=1000 -3", DAYS[2]: "-2"}, id="it counts"),
    ],
)
def test_what_is_decided_about_a_held_row_of_a_snapshot_changes_what_it_changed(
    planes, lake, tmp_path, action, changes
):
    """A held row is there, whatever it says: its fact is gone only once a snapshot lacks it."""
    for day, rows in zip(DAYS, [[(1, 5), (2, 6), (3, 7)], [(1, 6), (2, 1000)], [(1, 6)]], strict=False):
        drop(tmp_path, day, rows)
        take_in(planes(), lake, tmp_path, day)
    case = planes()
    if action == "discard":
        done = discard(case, "planes", [DAYS[1]], lake, who="test", why="a slip of the pen")
        assert done.rows == 1
        assert discard(case, "planes", [DAYS[1]], lake, who="test", why="again").rows == 0
    if action == "replay":
        wide = source()
        wide["columns"]["seats"]["range"] = [1, 2000]
        case = case.model_copy(update={"sources": {"planes": Source.model_validate(wide)}})
        done = replay(case, "planes", DAYS[:3], lake, who="test")
        assert (done.partitions, done.held, done.still) == ((DAYS[1],), 0, {})
    assert stored(lake) == changes
    before = digest(lake.read(RAW))
    take_in(case, lake, tmp_path, *DAYS[:3])
    assert digest(lake.read(RAW)) == before, "the stage run again ends in the same rows"
