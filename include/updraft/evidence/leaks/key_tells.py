"""The entity's key tells the label: by its length, how it begins or ends, a digit, or its place in the order of keys.

Nobody should learn from a key, but where a key gives the answer away, so may whatever was joined or sorted by it.
"""

from collections.abc import Iterator

import numpy as np

from updraft.evidence.look import Leak, Look, of_kind
from updraft.evidence.telling import Values


def find(look: Look) -> list[Leak]:
    """Find keys whose looks alone rank the held-out rows better than `gates.leakage.key`."""
    found, limit = [], look.limits.key
    for name in (name for name in look.case.entity if name not in look.case.features):
        seen, held = look.column(name)
        days = (look.seen["partition"].to_numpy(object)[look.some_seen], look.evidence.blocks[look.some_held])
        probes = zip(_probes(seen, days[0]), _probes(held, days[1]), strict=True)
        asked = [(f"{what} of the key {name}", one, a, b) for (what, a), (_, b) in probes for one in look.questions()]
        told = [(one.surely_above(a, b, limit), what, one.about) for what, one, a, b in asked]
        if sure := [each for each in told if each[0] > limit]:
            auc, what, about = max(sure)
            found.append((name, f"{what} has AUC {auc:.3f}{about}, and may have {limit:g}", auc))
    return of_kind("key_tells", found)


def _probes(keys: Values, partitions: Values) -> Iterator[tuple[str, Values]]:
    import pandas as pd

    text = pd.Series(keys, dtype=object).astype(str)
    yield "the length", text.str.len().to_numpy(float)
    yield "the beginning", text.str[:2].to_numpy(object)
    yield "the end", text.str[-1:].to_numpy(object)
    yield "the ending", text.str[-2:].to_numpy(object)
    number = pd.to_numeric(text.str.extract(r"(\d{1,15})\D*$")[0], errors="coerce")
    yield "the remainder by two", (number % 2).to_numpy(float)
    yield "the remainder by three", (number % 3).to_numpy(float)
    order = number.groupby(np.asarray(partitions, dtype=object).astype(str)).rank(pct=True)
    yield "the place in its partition", order.to_numpy(float)
