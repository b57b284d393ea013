"""What a look at a copy showed: which signs stand there, which do not, and which cannot be judged."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from updraft.life.monitor import Watched
from updraft.monitor import watch
from updraft.monitor.performance import WATCHED
from updraft.monitor.table import Measurement
from updraft.spec.model import UseCase

State = Literal["fired", "calm", "unknown", "absent"]
_MOVED = ("feature_psi", "feature_distance")


@dataclass(frozen=True)
class Sign:
    """One thing a monitor may show.

    :param kind: An `alarm` of the kind `of`; a `feature` that moved; a `feed` that is broken in a feature, as the
        metric `by` tells; or `silence`: no performance is claimed, for want of labels.
    """

    kind: Literal["alarm", "feature", "feed", "silence"]
    of: str = ""
    by: str = ""

    def __str__(self) -> str:
        words = {"feature": f"{self.of} drifted", "feed": f"feed broken: {self.of}", "silence": "performance unknown"}
        return words.get(self.kind, self.of)


@dataclass(frozen=True)
class Look:
    """The newest look at a copy.

    :param measured: What was measured there.
    :param action: What the controller would do.
    """

    watched: Watched
    measured: Sequence[Measurement]
    action: str

    @property
    def feed_fault(self) -> str:
        """What is wrong with the feed; empty when nothing is."""
        return watch.feed_fault(self.measured) or ""

    @property
    def limits(self) -> dict[str, float]:
        """How far each number must move to drift, in standard deviations, where that is known."""
        far = [m for m in self.measured if m.metric == "feature_distance" and math.isfinite(m.limit)]
        return {m.subject: m.limit for m in far}

    @property
    def moved(self) -> frozenset[str]:
        """Features that drifted."""
        return frozenset(m.subject for m in self.measured if m.metric in _MOVED and m.status == "drifted")

    def state(self, sign: Sign, case: UseCase) -> tuple[State, str]:
        """Say whether a sign stands there, and the monitor's own words about it."""
        match sign.kind:
            case "alarm":
                return self._alarm(sign.of)
            case "feature":
                return _any([m for m in self.measured if m.metric in _MOVED and m.subject == sign.of])
            case "feed":
                return self._feed(sign)
        judged = [m for m in self.measured if m.metric == WATCHED[case.problem.kind][0]]
        state, why = _any(judged)
        # Unknown on labels that are there is another silence, such as that of too few.
        return ("fired" if state == "unknown" and judged[0].n == 0 else "absent" if not judged else "calm"), why

    def _alarm(self, kind: str) -> tuple[State, str]:
        if kind in self.watched.alarms:
            return "fired", self.watched.alarms[kind]
        carried = {str(name): metrics for name, metrics in watch.HEADLINES.items()}.get(kind, ())
        state, why = _any([m for m in self.measured if m.metric in carried])
        return ("calm" if state == "fired" else state), why

    def _feed(self, sign: Sign) -> tuple[State, str]:
        state, why = _any([m for m in self.measured if m.metric == sign.by and m.subject == sign.of])
        if state == "fired" and sign.of not in self.feed_fault:
            return "calm", f"{why}, yet no fault of the feed is reported"
        return state, why


def _any(measured: Sequence[Measurement]) -> tuple[State, str]:
    """What measurements of one thing say together."""
    for status, state in (("drifted", "fired"), ("ok", "calm")):
        if found := [m for m in measured if m.status == status]:
            return state, found[0].reason  # type: ignore[return-value]
    if not measured:
        return "absent", "nothing measures it"
    return "unknown", measured[0].reason or f"{measured[0].metric} is not judged"
