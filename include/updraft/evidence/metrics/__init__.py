"""Metrics of predictions, one per module: each module's `METRIC` is found by discovery, and says what it is for."""

from importlib import import_module
from pkgutil import iter_modules

from updraft.evidence.metric import Metric


def _discover() -> dict[str, Metric]:
    found = [import_module(f"{__name__}.{module.name}").METRIC for module in iter_modules(__path__)]
    return {metric.name: metric for metric in found}


METRICS: dict[str, Metric] = _discover()


def of_kind(kind: str) -> dict[str, Metric]:
    """Return the metrics for a kind of problem, by name."""
    return {name: metric for name, metric in METRICS.items() if kind in metric.kinds}
