"""Demands on a candidate, one per module, found by discovery.

A module's name is the gate's name; its function `gate(evidence, case)` returns a verdict, or None where the demand
does not apply (no limits declared, no champion to compare with).
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from updraft.evidence.evidence import Evidence
from updraft.evidence.verdict import Verdict
from updraft.spec.model import UseCase

Gate = Callable[[Evidence, UseCase], Verdict | None]


def discover() -> dict[str, Gate]:
    """Return every gate by name, in the order of the names."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").gate for name in names}
