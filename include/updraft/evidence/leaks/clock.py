"""A feature tells when, not what: it runs with the clock, or names the partition.

A model that learns from it learns the rate of the days it was shown; for the days to come it has never seen a value.
"""

import numpy as np

from updraft.evidence.look import Leak, Look, of_kind, present
from updraft.evidence.telling import Values

_RUNS = 0.99
_ALL = 0.99
_PARTITIONS = 8  # with fewer, a number per day runs with the clock by chance


def find(look: Look) -> list[Leak]:
    """Find numbers that run with time, and levels that are never seen again, all beyond what training has seen."""
    days = {*look.seen["partition"].unique(), *look.held["partition"].unique()}
    if len(days) < _PARTITIONS:
        return []
    found = []
    for name, feature in look.case.features.items():
        seen, held = look.column(name)
        if not present(seen).any() or not present(held).any():
            continue
        search = _runs if feature.type == "number" else _names
        if says := search(look, seen, held):
            found.append((name, f"{name} {says}", 1.0))
    return of_kind("clock", found)


def _runs(look: Look, seen: Values, held: Values) -> str:
    from scipy.stats import spearmanr

    there, asked = present(seen), present(held)
    old, new = seen[there], held[asked]
    outside = float(((new < old.min()) | (new > old.max())).mean())
    if outside < _ALL:
        return ""
    parts = ((look.seen, look.some_seen, there), (look.held, look.some_held, asked))
    when = np.concatenate([_moments(rows["event_time"].to_numpy()[some][which]) for rows, some, which in parts])
    together = float(spearmanr(np.concatenate([old, new]), when).statistic)
    if abs(together) < _RUNS:
        return ""
    return f"runs with the clock (rank correlation {together:.3f}), and no held-out value is one that training has seen"


def _names(look: Look, seen: Values, held: Values) -> str:
    import pandas as pd

    new = held[present(held)].astype(str)
    if float((~np.isin(new, seen[present(seen)].astype(str))).mean()) < _ALL:
        return ""
    days = pd.Series(look.seen["partition"].to_numpy(object)[look.some_seen]).groupby(seen.astype(str)).nunique()
    if float((days == 1).mean()) < _ALL:
        return ""
    return "has a level of its own in every partition, and none of those held out was seen in training"


def _moments(times: Values) -> np.ndarray:
    import pandas as pd

    return pd.to_datetime(pd.Series(times), utc=True).dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
