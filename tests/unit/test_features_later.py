"""What is not known yet cannot matter: features and labels against whatever becomes known later."""

import random
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import flights

from updraft import features
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import digest

pytestmark = pytest.mark.slow

CASE = flights.case()
DATES = calendar(CASE)


@cache
def history():
    return flights.raw_rows(CASE)


def written(folder, which, day, rows):
    """Digest of a partition built from raw rows, and the bytes of every Parquet file that was written for it."""
    lake = Lake(folder)
    flights.write(CASE, lake, rows)
    (features.build if which == "features" else features.build_labels)(CASE, [day.key], lake)
    table = features.table(CASE, which)
    files = sorted((Path(folder) / table / f"partition={day.key}").glob("*.parquet"))
    assert len(files) == 1
    return digest(lake.read(table, [day.key])), pq.read_table(files[0], partitioning=None), files[0].read_bytes()


@cache
def as_it_was(which, day):
    with TemporaryDirectory() as folder:
        return written(folder, which, day, history())


def moment(which, day):
    return day.as_of if which == "features" else DATES.matures_at(day)


def rewritten(rows, after, draw):
    """Raw rows in which everything known after a moment was dropped, scrambled or made up; the rest as it was."""
    changed = {}
    for source, found in rows.items():
        before, later = [r for r in found if r["known_at"] <= after], [r for r in found if r["known_at"] > after]
        kept = [scrambled(source, r, draw) for r in later if draw.random() < 0.6]
        made = [made_up(source, draw.choice(found), after, draw) for _ in range(draw.randrange(1, 40))]
        changed[source] = draw.sample([*before, *kept, *made], len(before) + len(kept) + len(made))
    return changed


def scrambled(source, row, draw):
    """Another value in every column that is neither key nor stamp."""
    fixed = {*CASE.sources[source].key, "event_time", "known_at", "delivery", "row", "partition", "scheduled_departure"}
    values = {"origin": "EWR", "dest": "ZZZ", "carrier": "ZZ"}
    return {
        name: value if name in fixed or "_at" in name else values.get(name, draw.randrange(1, 2000))
        for name, value in row.items()
    }


def made_up(source, row, after, draw):
    """A new version of any row, or of a fact nobody heard of, known a microsecond or days after the moment."""
    known = after + draw.choice((timedelta(microseconds=1), timedelta(hours=draw.randrange(1, 200))))
    earliest = DATES.last_visible(after)  # a delivery that was open at the moment may bring it, and so may any later
    late = DATES.step(DATES.last_visible(known), draw.randrange(0, 3))
    stranger = {"flight_id": f"ZZ{draw.randrange(10**6)}"} if source != "weather" and draw.random() < 0.5 else {}
    origin = {"partition": draw.choice((earliest, late)).key, "delivery": f"new-{draw.random()}", "row": 1}
    return {**scrambled(source, row, draw), **stranger, **origin, "known_at": known}


@pytest.mark.parametrize("which", ["features", "label"])
@given(day=st.sampled_from(["2013-03-06", "2013-03-10", "2013-03-11", "2013-03-13"]), seed=st.integers(0, 10**6))
@settings(max_examples=8)
def test_whatever_becomes_known_later_leaves_every_bit_as_it_is(which, day, seed):
    """The promise of a bitemporal lake: a partition does not depend on anything known after its moment."""
    day = DATES.at(day)
    expected, rows, content = as_it_was(which, day)
    with TemporaryDirectory() as folder:
        changed = rewritten(history(), moment(which, day), random.Random(seed))
        found, found_rows, found_content = written(folder, which, day, changed)
    assert found_rows.equals(rows, check_metadata=True), "the rows as written, in their order"
    assert found == expected
    assert found_content == content


@pytest.mark.parametrize("which", ["features", "label"])
def test_whatever_was_known_in_time_does_matter(which, tmp_path):
    """Else the promise above would be kept by a query that reads nothing."""
    day = DATES.at("2013-03-11")
    limit = moment(which, day)
    for number, source in enumerate(["outcomes", *(["schedule", "weather"] if which == "features" else [])]):
        rows = {name: list(found) for name, found in history().items()}
        known = [
            r
            for r in rows[source]
            if r["known_at"] <= limit and (source != "weather" or r["known_at"] > limit - timedelta(hours=4))
        ]
        about = [r for r in known if source == "weather" or day.start - timedelta(days=2) <= r["event_time"] < day.end]
        rows[source] = [scrambled(source, r, random.Random(1)) if r in about else r for r in rows[source]]
        assert written(str(tmp_path / f"{number}"), which, day, rows)[0] != as_it_was(which, day)[0], source


def test_a_backfill_gives_what_would_have_been_computed_then(tmp_path):
    """Day by day, each built when its delivery came in, against all at once at the end, newest first."""
    then, later = Lake(str(tmp_path / "then")), Lake(str(tmp_path / "later"))
    keys = DATES.keys("2013-03-08", "2013-03-12")
    for key in keys:
        flights.write(CASE, then, {s: [r for r in rows if r["partition"] <= key] for s, rows in history().items()})
        features.build(CASE, [key], then)
    flights.write(CASE, later, history())
    features.build(CASE, keys[::-1], later)
    assert digest(then.read(features.table(CASE))) == digest(later.read(features.table(CASE)))


def test_labels_wait_for_the_corrections_that_come_before_they_mature(tmp_path):
    day = DATES.at("2013-03-07")
    lake = Lake(str(tmp_path))
    flights.write(CASE, lake, history())
    features.build_labels(CASE, [day.key], lake)
    labels = lake.read(features.table(CASE, "label"), [day.key]).to_pylist()
    newest = {}
    for r in sorted(history()["outcomes"], key=lambda r: r["known_at"]):
        if r["known_at"] <= DATES.matures_at(day) and day.start <= r["event_time"] < day.end:
            newest[r["flight_id"]] = r["arrival_delay"]
    late = {flight: None if delay is None else float(delay >= 15) for flight, delay in newest.items()}
    assert {r["flight_id"]: r["late"] for r in labels} == late
    assert {r["as_of"] for r in labels} == {DATES.matures_at(day)}
