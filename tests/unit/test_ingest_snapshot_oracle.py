"""What snapshots changed adds up to the snapshots, held against a brute-force oracle."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.snapshots import source

from updraft.asof import raw_schema
from updraft.ingest import Feed
from updraft.ingest.feed import Delivery
from updraft.ingest.snapshot import Snapshot, changes
from updraft.lake import Lake
from updraft.rows import digest

pytestmark = pytest.mark.slow


KEYS = st.sampled_from([1, 2, 3, 4])
DRAWN = st.tuples(
    st.dictionaries(KEYS, st.sampled_from([None, 5, 6]), max_size=4),  # what it holds
    st.lists(st.one_of(KEYS, st.just("?")), max_size=2),  # keys of rows in quarantine; `?` cannot be read
)


def snapshot_of(feed, day, content, bad):
    delivery = Delivery(day, f"d{day}", "", 0, len(content) + len(bad), (), (), f"{day}T00:00:00+00:00", 0)
    known, built = feed.calendar.at(day).end + timedelta(hours=1), datetime(2000, 1, 1, tzinfo=UTC)
    origin = {"built_at": built, "event_time": built, "known_at": known, "partition": day, "gone": False}
    rows = [
        {"id": key, "seats": seats, "delivery": delivery.delivery, "row": n, **origin}
        for n, (key, seats) in enumerate(content.items(), start=1)
    ]
    rejected = [(n, "type", "", json.dumps({"id": str(key)}), None) for n, key in enumerate(bad, start=len(rows) + 1)]
    return Snapshot(delivery, pa.Table.from_pylist(rows, raw_schema(feed.source)), rejected)


def states(drawn):
    """What is known after each snapshot, in the plainest Python."""
    state, found = {}, []
    for content, bad in drawn:
        spared = set(state) if "?" in bad else set(bad)
        state = {key: seats for key, seats in state.items() if key in spared} | content
        found.append(state)
    return found


def folded(parts):
    """What the changes add up to, snapshot after snapshot."""
    state, found = {}, []
    for rows in parts:
        for row in rows.to_pylist():
            assert (row["id"] in state) or not row["gone"], "only what was there can go"
            state.pop(row["id"], None)
            if not row["gone"]:
                state[row["id"]] = row["seats"]
        found.append(dict(state))
    return found


@pytest.mark.slow
@given(drawn=st.lists(DRAWN, min_size=2, max_size=6), late=st.integers(0, 5))
@settings(max_examples=25)
def test_changes_add_up_to_the_snapshots_and_a_late_one_touches_all_that_depends_on_it(make_case, drawn, late):
    feed = Feed(make_case(sources={"planes": source()}), "planes", Lake("/nowhere"))
    days = [f"2024-01-{n:02}" for n in range(1, len(drawn) + 1)]
    all_of_them = [snapshot_of(feed, day, *said) for day, said in zip(days, drawn, strict=True)]
    deliveries = [one.delivery for one in all_of_them]
    whole = changes(feed, None, all_of_them, deliveries)
    parts = [whole[delivery.identity] for delivery in deliveries]
    assert folded(parts) == states(drawn)

    late %= len(drawn)
    others = [one for one in all_of_them if one is not all_of_them[late]]
    stored = changes(feed, None, others, [one.delivery for one in others])
    before = pa.concat_tables([raw_schema(feed.source).empty_table(), *(stored[d.identity] for d in deliveries[:late])])
    stored |= changes(feed, before, all_of_them[late:], deliveries[late : late + 1])
    assert {identity: digest(rows) for identity, rows in stored.items()} == {
        identity: digest(rows) for identity, rows in whole.items()
    }
