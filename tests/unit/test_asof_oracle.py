"""Every moment of every history, against an oracle in the plainest Python."""

import random
import tempfile
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.known import ALL, DAYS, deleting, deliver, history, row

from updraft.lake import Lake
from updraft.partition import calendar

PER_ROW = st.tuples(
    st.integers(0, 5),  # delivered in this partition
    st.integers(1, 60),  # hours it became known after the delivery could begin to hold it
    st.sampled_from("abc"),  # key
    st.sampled_from("de"),  # delivery
    st.integers(1, 3),  # row
    st.sampled_from([None, 0.0, 1.5, 2.5]),  # value
    st.sampled_from([None, False, False, True]),  # gone; rows from before there were deletes do not say
)


def visible(rows, at, oldest):
    """What the docstring of `updraft.asof` promises, said in the plainest Python."""
    newest = {}
    for r in rows:
        if r["known_at"] <= at and r["partition"] >= oldest:
            rank = (r["known_at"], r["delivery"], r["row"])
            if r["id"] not in newest or rank > newest[r["id"]][0]:
                newest[r["id"]] = (rank, r)
    return {key: r["amount"] for key, (_, r) in newest.items() if not r["gone"]}


@given(drawn=st.lists(PER_ROW, min_size=1, max_size=12, unique_by=lambda r: (r[0], r[3], r[4])), seed=st.integers(0, 9))
@settings(max_examples=25)
@pytest.mark.parametrize("lookback", [None, "1d"])
@pytest.mark.slow
def test_every_moment_of_every_history_is_what_the_oracle_says(make_case, tmp_path_factory, lookback, drawn, seed):
    case = deleting(make_case, lookback=lookback)
    case._folder = tmp_path_factory.mktemp("case")
    (case._folder / "features.sql").write_text(ALL)
    dates = calendar(case)
    rows = [
        row(
            key,
            value,
            dates.opens_at(dates.at(DAYS[day])) + timedelta(hours=late),
            DAYS[day],
            f"{delivery}{day}",
            number,
            gone,
        )
        for day, late, key, delivery, number, value, gone in drawn
    ]
    moments = sorted({r["known_at"] for r in rows} | {dates.at(day).as_of for day in DAYS})
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        deliver(lake, case, random.Random(seed).sample(rows, len(rows)))
        with history(lake, case, first=DAYS[0], latest=moments[-1]) as known:
            for at in (m + tick for m in moments for tick in (timedelta(microseconds=-1), timedelta(0))):
                day = dates.containing(max(at + dates.lead_time, dates.first.start))
                oldest = dates.containing(day.start - timedelta(days=1)).key if lookback else DAYS[0]
                found = {r["id"]: r["amount"] for r in known.ask(day, min(at, moments[-1])).to_pylist()}
                assert found == visible(rows, at, oldest), f"as of {at} for {day}"
