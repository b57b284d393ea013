"""Great Expectations, without two libraries that only rules nobody can write here compute and draw with.

It imports all of `scipy.stats` and Altair for two tests of distributions and a chart. They are a third of the memory
that landing a delivery needs, and half of the time that the first one in a process takes.
"""

import os
import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

_LATER = ("scipy.stats", "altair")


class Later(ModuleType):
    """Stands where a module is named, and becomes it when it is asked for something."""

    def __getattr__(self, name: str) -> Any:
        """What the module has, which is imported now."""
        self.leave()
        return getattr(import_module(self.__name__), name)

    def leave(self) -> None:
        """Let whoever imports the module from now on have the module itself."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]


@cache
def expectations() -> Any:
    """The rules that Great Expectations knows; its classes are not exported in a way a type checker sees."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when the library is imported
    standing = [Later(name) for name in _LATER if name not in sys.modules]
    sys.modules.update({module.__name__: module for module in standing})
    try:
        return import_module("great_expectations.expectations")
    finally:
        for module in standing:
            module.leave()
