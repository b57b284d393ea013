"""The inbox names a delivery once it is whole, and again when it is another."""

import time

import pytest
from tests.arriving import DAY, FILES, NEXT, case_of, drop, keys

from updraft.arrivals.arrival import MOST, Arrival
from updraft.arrivals.inbox import Inbox
from updraft.partition import calendar


@pytest.fixture
def inbox(tmp_path):
    root = tmp_path / "inbox"
    root.mkdir()
    return root


def listening(root, *landed, case=FILES):
    return Inbox(case, "facts", root, lambda: set(landed))


def test_a_file_is_named_once_and_again_when_it_is_another(inbox):
    listener = listening(inbox)
    assert keys(listener.hear()) == []
    drop(inbox, f"facts/{DAY}.csv")
    assert listener.hear().arrivals == (Arrival("tiny", "facts", DAY),)
    assert keys(listener.hear()) == []
    drop(inbox, f"facts/{DAY}.csv", "id\n1\n", age=50)
    assert keys(listener.hear()) == [DAY]


def test_after_a_new_start_what_has_landed_is_no_news_until_it_changes(inbox):
    for day in (DAY, NEXT):
        drop(inbox, f"facts/{day}.csv")
    listener = listening(inbox, DAY)
    assert keys(listener.hear()) == [NEXT]
    drop(inbox, f"facts/{DAY}.csv", "id\n1\n")
    assert keys(listener.hear()) == [DAY]


@pytest.mark.parametrize(
    ("complete", "whole", "marked"),
    [("settled", [NEXT], []), ("atomic", [DAY, NEXT], []), ("marker", [], [NEXT])],
    ids=["settled", "atomic", "marker"],
)
def test_a_file_counts_when_it_is_whole_as_the_spec_says(inbox, complete, whole, marked, monkeypatch):
    case = case_of("facts/{partition}/a.csv", queue=None, files={"complete": complete})
    written, done = drop(inbox, f"facts/{DAY}/a.csv", age=0), drop(inbox, f"facts/{NEXT}/a.csv")

    def grows(_):
        with written.open("a", encoding="utf-8") as file:
            file.write("more")

    monkeypatch.setattr(time, "sleep", grows)
    listener = listening(inbox, case=case)
    assert keys(listener.hear()) == whole
    (done.parent / "_SUCCESS").touch()
    assert keys(listener.hear()) == marked


@pytest.mark.parametrize("name", [f"facts/{DAY}.csv.part", f"facts/.{DAY}.csv", f"other/{DAY}.csv", "facts/x.csv"])
def test_what_is_no_delivery_is_not_named(inbox, name):
    drop(inbox, name)
    assert keys(listening(inbox).hear()) == []


def test_a_link_out_of_the_inbox_is_dropped_and_takes_nothing_with_it(inbox, tmp_path):
    drop(tmp_path, "secret.csv")
    drop(inbox, f"facts/{NEXT}.csv")
    (inbox / "facts" / f"{DAY}.csv").symlink_to(tmp_path / "secret.csv")
    heard = listening(inbox).hear()
    assert keys(heard) == [NEXT]
    assert [f"{DAY}.csv' leads out of the folder" in reason for reason in heard.dropped] == [True]


def test_a_flood_of_files_is_handed_on_little_by_little_and_none_is_forgotten(inbox):
    days = calendar(FILES).keys("2024-01-01", "2024-02-09")
    for day in days:
        drop(inbox, f"facts/{day}.csv")
    listener = listening(inbox)
    first, second, third = (keys(listener.hear()) for _ in range(3))
    assert (len(first), len(second), third) == (MOST, len(days) - MOST, [])
    assert sorted(first + second) == days


def test_an_inbox_that_is_not_there_yet_is_empty(tmp_path):
    assert listening(tmp_path / "inbox").hear().arrivals == ()
