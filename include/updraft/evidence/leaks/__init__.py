"""Ways in which the answer gets into the question, one per module, found by discovery.

A module's name is the kind of leak; its function `find(look)` returns what it found, worst first.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from updraft.evidence.look import Leak, Look

Find = Callable[[Look], Sequence[Leak]]


def discover() -> dict[str, Find]:
    """Return every kind of leak by name, in the order of the names."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").find for name in names}
