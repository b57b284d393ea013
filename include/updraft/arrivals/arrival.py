"""What was heard: names of deliveries, and why the rest was dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 24  # partitions that one look hands on; a flood of names must not become a flood of runs
_SHOWN = 10


@dataclass(frozen=True, order=True)
class Arrival:
    """A delivery that is said to be there: names that the spec knows, and no word of whoever said it."""

    use_case: str
    source: str
    partition: str


@dataclass(frozen=True)
class Heard:
    """What one look brought.

    :param arrivals: Each once, in order.
    :param dropped: A reason for everything that named no delivery.
    """

    arrivals: tuple[Arrival, ...] = ()
    dropped: tuple[str, ...] = ()


def together(heard: Sequence[Heard]) -> Heard:
    """What several messages said, each delivery once."""
    arrivals = sorted({arrival for each in heard for arrival in each.arrivals})
    return Heard(tuple(arrivals), tuple(reason for each in heard for reason in each.dropped))


def shown(reasons: Sequence[str]) -> str:
    """The first ten reasons, and how many there are.

    >>> shown(["a", "b"])
    '2: a; b'
    """
    more = "; …" if len(reasons) > _SHOWN else ""
    return f"{len(reasons)}: {'; '.join(reasons[:_SHOWN])}{more}"


def quoted(text: str) -> str:
    """A stranger's word for a log: short, in one line, and visibly quoted.

    >>> quoted("a" * 100 + "b")
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'"
    """
    return ascii(text[:60] + "…" if len(text) > 60 else text).replace("\\u2026", "…")
