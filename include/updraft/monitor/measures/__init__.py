"""What is measured of a partition, one kind per module, found by discovery.

A module's function `measure(window)` returns measurements; it reads the window and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from updraft.monitor.table import Measurement
from updraft.monitor.window import Window

Measure = Callable[[Window], Iterable[Measurement]]


@cache
def discover() -> Mapping[str, Measure]:
    """Return every kind of measure by name, in the order of the names."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").measure for name in names}
