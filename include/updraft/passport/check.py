"""What became of one claim behind a prediction, and in which layer."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Layer = Literal[
    "deliveries", "raw rows", "definition", "shared features", "features", "model", "ledger", "evidence", "scores"
]  # fmt: skip
Outcome = Literal["holds", "broken", "unknown"]
SHOWN = 3


@dataclass(frozen=True)
class Check:
    """One claim, held against a second witness.

    :param layer: Where the claim stands.
    :param outcome: `unknown` where there is no witness any more; it is never a confirmation.
    :param what: The claim, or what is wrong with it and where.
    :param recomputed: Whether it was computed again, so that it also breaks when a layer below it does.
    """

    layer: Layer
    outcome: Outcome
    what: str
    expected: str = ""
    found: str = ""
    recomputed: bool = False


def broken(layer: Layer, what: str, expected: object, found: object, *, recomputed: bool = False) -> Check:
    """A claim that does not hold; digests are shown by their first twelve digits."""
    return Check(layer, "broken", what, _told(expected), _told(found), recomputed)


def _told(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return value[:12] if re.fullmatch(r"[0-9a-f]{64}", value) else value[:120]
    return repr(value)[:120]


def at_fault(checks: tuple[Check, ...]) -> tuple[Layer, ...]:
    """Layers that do not fit their own witness; else those that do not come out again when computed.

    >>> wrong = Check("raw rows", "broken", "…"), Check("scores", "broken", "…", recomputed=True)
    >>> at_fault(wrong), at_fault(wrong[1:])
    (('raw rows',), ('scores',))
    """
    wrong = [check for check in checks if check.outcome == "broken"]
    own = [check for check in wrong if not check.recomputed]
    return tuple(dict.fromkeys(check.layer for check in own or wrong))
