"""A lake for reading alone, in which nothing moves while it is read."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from updraft.lake import Lake

if TYPE_CHECKING:
    from deltalake import DeltaTable


@dataclass(frozen=True)
class Still(Lake):
    """A lake for reading alone: every table stays at the version it had when it was first asked about."""

    _opened: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def still(self) -> Lake:
        """Itself, which stands still already."""
        return self

    def _open(self, table: str) -> "DeltaTable | None":
        if table not in self._opened:
            self._opened[table] = super()._open(table)
        return self._opened[table]
