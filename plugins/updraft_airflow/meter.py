"""What a task takes from the machine while it works."""

import resource
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Integral
from typing import Any

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes that `ru_maxrss` counts in


@dataclass(frozen=True)
class Used:
    """When it began, wall and processor time with that of the processes it started and waited for, most bytes held."""

    began: str
    seconds: float
    cpu_seconds: float
    peak_memory: int


class Meter:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), _cpu()
        self._at = datetime.now(UTC).isoformat(timespec="microseconds")

    def read(self) -> Used:
        """What was used so far; memory is that of the process since its start, or of its largest child."""
        peak = max(each.ru_maxrss for each in _usage()) * _UNIT
        return Used(self._at, round(time.monotonic() - self._began, 4), round(_cpu() - self._cpu, 4), peak)


def rows_of(result: Any) -> int | None:
    """Rows that a task's result speaks of; `None` when it does not."""
    rows = result.get("rows") if isinstance(result, dict) else None
    return int(rows) if isinstance(rows, Integral) else None  # numpy's whole numbers among them


def _usage() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def _cpu() -> float:
    return sum(each.ru_utime + each.ru_stime for each in _usage())
