"""The corpus: every fault of FAULTS.md and THREATS.md on files, names and values, from a seed."""

from collections.abc import Sequence
from random import Random

from tests.fuzz import mutations, names, packed, text, values
from tests.fuzz.case import Case


def corpus(count: int, seed: int) -> list[Case]:
    """At least every case that does not depend on chance, filled up to `count` with values and damaged files."""
    fixed = [*text.cases(), *packed.cases(), *names.cases()]
    rest = max(0, count - len(fixed))
    drawn = [*values.cases(Random(seed), rest - rest // 2), *mutations.cases(Random(seed + 1), rest // 2)]
    return [*fixed, *drawn]


def slice_of(cases: Sequence[Case], count: int) -> list[int]:
    """Places of `count` cases or more, every kind at least once."""
    first = {case.kind.rstrip("0123456789"): place for place, case in reversed(list(enumerate(cases)))}
    others = [place for place in range(0, len(cases), max(1, len(cases) // count)) if place not in first.values()]
    return sorted([*first.values(), *others[: max(0, count - len(first))]])
