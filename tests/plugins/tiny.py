"""The use case `tiny`: sixty things a day; the larger the amount, the likelier it happens.

Every day is drawn from its own seed, so a day's rows do not depend on which other days are delivered.
"""

import math
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from updraft.partition import Partition, calendar
from updraft.spec import load

USE_CASES = Path(__file__).with_name("use_cases")
CASE = load.load("tiny", USE_CASES)
DATES = calendar(CASE)
NINE, NOON, SIX = timedelta(hours=9), timedelta(hours=-12), timedelta(hours=6)


def deliver(home: Path, keys: Iterable[str], *, shift: float = 0.0, spoilt: bool = False) -> None:
    """Put the deliveries of partitions into the inbox.

    :param shift: How far all amounts have moved.
    :param spoilt: Whether colours are written that the contract does not know.
    """
    for day in map(DATES.at, keys):
        colours = ("grey", "grey") if spoilt else ("red", "blue")
        plan = [
            f"{thing},{amount:.4f},{colour},{_iso(day.start + NINE)},{_iso(day.start + NOON)}"
            for thing, amount, colour, _ in _things(day, shift, colours)
        ]
        _write(home, "plan", day, "id,amount,colour,happens_at,published_at", plan)
        # What happened two days before became known at six in the morning of the day before.
        past = DATES.step(day, -2)
        known = [
            f"{thing},{late},{_iso(past.start + NINE)},{_iso(past.end + SIX)}"
            for thing, _, _, late in (_things(past) if past.start >= DATES.first.start else ())
        ]
        _write(home, "outcome", day, "id,late,happens_at,reported_at", known)


def _things(
    day: Partition, shift: float = 0.0, colours: tuple[str, str] = ("red", "blue")
) -> Iterator[tuple[str, float, str, int]]:
    seeded = random.Random(day.key)
    for number in range(60):
        amount = seeded.gauss(0, 1)
        late = int(seeded.random() < 1 / (1 + math.exp(-3 * amount)))
        yield f"{day.key}-{number:02}", amount + shift, seeded.choice(colours), late


def _write(home: Path, source: str, day: Partition, header: str, rows: list[str]) -> None:
    file = home / "inbox" / "tiny" / source / f"{day.key}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
