"""Held-out rows are copies of training rows: the same features and label under another key.

With few or coarse features rows agree by chance. How often they do is seen within partitions, where every row is an
entity of its own; copies are what agrees across the windows beyond that.
"""

from typing import TYPE_CHECKING

import numpy as np

from updraft.evidence.look import Leak, Look, of_kind

if TYPE_CHECKING:
    from pandas import DataFrame

_RULE_OF_THREE = 3.0  # 95 % upper bound of a count when none was seen


def find(look: Look) -> list[Leak]:
    """Find more equal rows across the windows than `gates.leakage.shared` allows and chance explains."""
    import pandas as pd

    label, by = look.case.label.column, [*look.case.features, look.case.label.column]
    held = look.held.assign(**{label: look.evidence.y})
    old, new = (_fingerprints(rows[by]) for rows in (look.seen, held))
    copied = np.isin(new, old)
    share = float(copied.mean()) if len(new) else 0.0
    if share <= look.limits.shared:
        return []
    own = [_fingerprints(rows[list(look.case.entity)]) for rows in (look.seen, held)]
    twins = pd.DataFrame({"row": new, "key": own[1]}).merge(pd.DataFrame({"row": old, "key": own[0]}), on="row")
    others = int((twins["key_x"] != twins["key_y"]).sum())
    if others <= max(look.limits.shared * len(new), _by_chance(look, old, new)):
        return []
    return of_kind("duplicates", [("rows", f"{share:.1%} of the held-out rows stand in training as well", share)])


def _by_chance(look: Look, old: np.ndarray, new: np.ndarray) -> float:
    """Equal pairs across the windows, if rows agree there as often as within a partition."""
    import pandas as pd

    rows = np.concatenate([old, new])
    days = np.concatenate([look.seen["partition"].to_numpy(object), look.evidence.blocks]).astype(str)
    equal = pd.DataFrame({"row": rows, "day": days}).groupby(["day", "row"], sort=False).size()
    sizes = pd.Series(days).value_counts()
    pairs = float((sizes * (sizes - 1) / 2).sum())
    same = float((equal * (equal - 1) / 2).sum())
    return (same + 2 * same**0.5 + _RULE_OF_THREE) / max(pairs, 1.0) * len(old) * len(new)


def _fingerprints(rows: "DataFrame") -> np.ndarray:
    import pandas as pd

    return pd.util.hash_pandas_object(rows, index=False).to_numpy()
