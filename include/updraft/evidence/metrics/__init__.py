"""Metrics of a binary prediction, one per module: each module's `METRIC` is found by discovery."""

from importlib import import_module
from pkgutil import iter_modules

from updraft.evidence.metric import Array, Metric


def _discover() -> dict[str, Metric]:
    found = [import_module(f"{__name__}.{module.name}").METRIC for module in iter_modules(__path__)]
    return {metric.name: metric for metric in found}


METRICS: dict[str, Metric] = _discover()


def measure(y: Array, p: Array) -> dict[str, float]:
    """Return every metric of probabilities `p` (n,) against outcomes `y` (n,); nan where one is undefined."""
    return {name: metric(y, p) for name, metric in METRICS.items()}
