"""When the labels of recent days were there: the cohorts and ages of `updraft.life.arrival`, without a lake."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updraft.life.arrival import ages, cohorts
from updraft.monitor.arrival import Arrivals
from updraft.simulation.study import use_case
from updraft.simulation.world import PER_DAY, World

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def arrivals(world: World, at: int, own: Mapping[int, bool], scores: Array) -> Arrivals | None:
    """Look at the cohorts that became mature last, and at those twice as old; `None` while there are neither.

    :param own: Whether the champion scored each day so far.
    :param scores: The score of every row so far (rows,).
    """
    days = {world.days[day].key: day for day in own if day <= at - world.lag}
    old = {key: at - day for key, day in days.items()}
    looked = cohorts(old, world.lag, width=use_case().monitor.window)
    if not looked:
        return None
    chosen = {days[key]: age for key, age in looked.items()}
    return Arrivals(_rows(world, chosen, own, scores), ages(world.lag), world.lag)


def _rows(world: World, looked: Mapping[int, int], own: Mapping[int, bool], scores: Array) -> "pd.DataFrame":
    import pandas as pd

    day = np.repeat(list(looked), PER_DAY)
    at = (np.array(list(looked))[:, None] * PER_DAY + np.arange(PER_DAY)).ravel()
    last, grid = np.repeat(list(looked.values()), PER_DAY), np.array([*ages(world.lag), np.inf])
    first = grid[np.searchsorted(grid, world.arrives[at] - day)]
    age = np.where(first <= last, first, np.nan)
    mine = np.repeat([own[one] for one in looked], PER_DAY)
    return pd.DataFrame(
        {
            "partition": world.rows["partition"].to_numpy()[at],
            "score": np.where(mine, scores[at], np.nan),
            "label": np.where(np.isnan(age), np.nan, world.came_true[at]),
            "age": age,
            "looked": last,
        }
    )
