"""Whatever is delivered, replayed and discarded in whatever order, it adds up; held against a model of plain Python."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deliveries import DAYS, case, drop, quarantine, raw, stage

from updraft.errors import DeliveryBlocked
from updraft.ingest.account import account
from updraft.ingest.replay import discard, replay
from updraft.lake import Lake

pytestmark = pytest.mark.slow

CONTRACTS = {top: case(top=top) for top in (15, 100)}
BOTH = DAYS[:2]
VALUES = st.lists(st.sampled_from(["5", "50", "50", "x"]), min_size=1, max_size=3)


@dataclass
class Model:
    """A delivery: its rows, and what became of them by rules written anew."""

    rows: list[str]
    revision: int
    top: int = 0
    discarded: set[int] = field(default_factory=set)
    published: set[int] = field(default_factory=set)

    @property
    def bad(self) -> set[int]:
        return {n for n, value in enumerate(self.rows, 1) if value == "x" or int(value) > self.top}

    @property
    def blocked(self) -> bool:
        return len(self.bad) > len(self.rows) / 2

    @property
    def out(self) -> bool:
        return self.blocked or len(self.discarded) == len(self.rows)


class Day:
    """The deliveries of a day, all under one name."""

    def __init__(self) -> None:
        self.deliveries: list[Model] = []
        self.marked = False

    def deliver(self, rows: list[str], top: int) -> None:
        if rows not in [known.rows for known in self.deliveries]:
            self.deliveries.append(Model(rows, sum(not known.blocked for known in self.deliveries)))
        self.judge(top)

    def judge(self, top: int) -> None:
        for known in self.deliveries:
            known.top = top
        for known in self.deliveries:
            every = set(range(1, len(known.rows) + 1))
            known.published = set() if known.out or self.replaced(known) else every - known.bad - known.discarded
        self.mark()

    def replaced(self, known: Model) -> bool:
        """A later one counts that came when this one was blocked, or this one is blocked still."""
        later = [new for new in self.deliveries[self.deliveries.index(known) + 1 :] if not new.out]
        gone = len(known.discarded) == len(known.rows)
        return not gone and any(new.revision <= known.revision or known.blocked for new in later)

    def held(self, known: Model) -> set[int]:
        if len(known.discarded) == len(known.rows) or self.replaced(known):
            return set()
        return (set(range(1, len(known.rows) + 1)) if known.blocked else known.bad) - known.discarded

    def replay(self, top: int) -> None:
        old = any(self.replaced(known) and known.top != top for known in self.deliveries)
        if self.deliveries and (old or not self.marked or any(self.held(known) for known in self.deliveries)):
            self.judge(top)

    def discard(self) -> int:
        new = [self.held(known) for known in self.deliveries]
        for known, rows in zip(self.deliveries, new, strict=True):
            known.discarded |= rows
        self.mark()
        return sum(map(len, new))

    def mark(self) -> None:
        blocked = [known for known in self.deliveries if known.blocked and self.held(known)]
        self.marked = self.marked or bool(self.deliveries and not blocked)


TOPS = st.sampled_from(sorted(CONTRACTS))
DAY = st.sampled_from([*BOTH[:1] * 3, *BOTH[1:]])
STEPS = st.one_of(
    st.tuples(st.just("deliver"), DAY, TOPS, VALUES),
    st.tuples(st.just("replay"), TOPS),
    st.tuples(st.just("discard"), DAY, TOPS),
)


class World:
    """A lake on which a sequence is played, and the model beside it."""

    def __init__(self, folder: Path) -> None:
        self.inbox, self.lake = folder / "inbox", Lake(str(folder / "lake"))
        self.days = {day: Day() for day in BOTH}

    def deliver(self, day: str, top: int, values: list[str]) -> None:
        drop(self.inbox, *(f"{n},2013-04-01T05:00:00Z,{value}" for n, value in enumerate(values)), day=day)
        with suppress(DeliveryBlocked):
            stage(self.lake, self.inbox, [day], of=CONTRACTS[top])
        self.days[day].deliver(values, top)

    def replay(self, top: int) -> None:
        before = len(raw(self.lake))
        done = replay(CONTRACTS[top], "flights", BOTH, self.lake, who="test")
        for day in self.days.values():
            day.replay(top)
        assert len(raw(self.lake)) == before + done.released - done.withdrawn

    def discard(self, day: str, top: int) -> None:
        done = discard(CONTRACTS[top], "flights", [day], self.lake, who="test", why="broken sensor")
        assert done.rows == self.days[day].discard()

    def adds_up(self) -> None:
        """Every row delivered is where the model says, and nowhere else."""
        found = account(CONTRACTS[100], "flights", BOTH, self.lake)
        assert all(one.adds_up for one in found)
        expected = [(day, known) for day in BOTH for known in self.days[day].deliveries]
        assert [(one.delivery.partition, one.delivered, one.published, one.held, one.discarded) for one in found] == [
            (day, len(known.rows), len(known.published), len(self.days[day].held(known)), len(known.discarded))
            for day, known in expected
        ]
        wanted = [(one.delivery.identity, n) for one, (_, m) in zip(found, expected, strict=True) for n in m.published]
        assert sorted(places(raw(self.lake))) == sorted(wanted)
        assert not set(places(quarantine(self.lake))) & set(wanted)


def places(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(f"{row['partition']}/{row['delivery']}", row["row"]) for row in rows]


def play(steps: list[tuple[Any, ...]]) -> None:
    """Play a sequence and look after each step."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for verb, *arguments in steps:
            getattr(world, verb)(*arguments)
            world.adds_up()


@settings(max_examples=30)
@given(st.lists(STEPS, min_size=5, max_size=8))
def test_whatever_is_done_in_whatever_order_adds_up_to_what_was_delivered(steps):
    play(steps)


@pytest.mark.deep
@settings(max_examples=100)
@given(st.lists(STEPS, min_size=5, max_size=10))
def test_it_adds_up_in_a_hundred_orders(steps):
    play(steps)


def test_a_sequence_that_has_it_all_adds_up():
    play(
        [
            ("deliver", DAYS[1], 15, ["5", "5", "50"]),
            ("replay", 100),
            ("deliver", DAYS[0], 15, ["50", "x", "5"]),
            ("deliver", DAYS[0], 15, ["5", "5", "50"]),
            ("replay", 100),
            ("replay", 100),
            ("deliver", DAYS[1], 15, ["5", "50", "5", "x"]),
            ("discard", DAYS[1], 15),
            ("discard", DAYS[1], 15),
            ("replay", 100),
            ("deliver", DAYS[1], 100, ["999"]),
            ("discard", DAYS[1], 100),
        ]
    )
