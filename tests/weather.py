"""Half a year of days that sway with the weather, from which a champion learnt, and the week after it."""

import numpy as np
import pandas as pd
from tests.monitored import use_case

from updraft.monitor.reference import profile

CASE = use_case(
    features={
        "temperature": {"type": "number"},
        "minutes": {"type": "number"},
        "rain": {"type": "number"},
        "carrier": {"type": "category"},
    }
)
TRAINED = [str(day.date()) for day in pd.date_range("2013-01-01", "2013-06-30")]
WEEK = [str(day.date()) for day in pd.date_range("2013-07-01", "2013-07-07")]
LAST = WEEK[-1]


def weather(days, *, per_day=100, seed=1):
    """Degrees that follow the year and sway from day to day, minutes of a flight, rain on few days, and airlines."""
    random = np.random.default_rng(seed)
    size, number = per_day * len(days), pd.to_datetime(days).dayofyear.to_numpy()
    normal = 52 - 25 * np.cos(2 * np.pi * number / 365) + random.normal(0, 5, len(days))
    wet = random.random(len(days)) < 0.3
    return pd.DataFrame(
        {
            "partition": np.repeat(days, per_day),
            "temperature": np.repeat(normal, per_day) + random.normal(0, 4, size),
            "minutes": random.gamma(4.0, 40.0, size),
            "rain": np.repeat(wet, per_day) * random.exponential(0.1, size),
            "carrier": random.choice(["UA", "AA", "DL"], size, p=[0.5, 0.3, 0.2]),
        }
    )


REFERENCE = profile(weather(TRAINED), CASE, [0.1, 0.2])
NOW = weather(WEEK, seed=2)
