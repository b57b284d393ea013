"""What a delivery is as a whole: how many rows, how new, and how many beside the partitions before it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from updraft.contract.facts import Facts, Surroundings
from updraft.errors import ValidationBroken
from updraft.sources.decode import Decoded
from updraft.spec.contract import Volume
from updraft.spec.sources import Source

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Measured:
    """Deliveries as numbers.

    :param frame: A row per delivery, in their order.
    :param undefined: Rules that cannot be judged, and why, by delivery.
    """

    frame: "DataFrame"
    undefined: Mapping[str, Mapping[str, str]]

    def untold(self, delivery: str) -> Mapping[str, str]:
        """Rules that cannot be judged for a delivery, and why."""
        return self.undefined.get(delivery, {})


def counts(source: Source, deliveries: Mapping[str, Decoded], around: Surroundings) -> Measured:
    """Count the rows of every delivery, and how many hours its newest is older than its partition's moment."""
    import pandas as pd

    found = [
        {"delivery": name, "rows": decoded.count, "unreadable_rows": len(decoded.bad)}
        for name, decoded in deliveries.items()
    ]
    if source.contract.freshness is None:
        return Measured(pd.DataFrame(found), {})
    newest = {name: _newest(source, decoded) for name, decoded in deliveries.items()}
    for row in found:
        name = str(row["delivery"])
        row["hours_old"] = _hours(newest[name], facts_of(around, name).as_of)
    untold = {name: {"freshness": "no row says when it was"} for name, moment in newest.items() if moment is None}
    return Measured(pd.DataFrame(found), untold)


def volumes(source: Source, deliveries: Mapping[str, Decoded], around: Surroundings, out: Collection[str]) -> Measured:
    """Compare the rows of every delivery to those of the partitions before its own, in the order of partitions.

    Deliveries that are judged together count for each other as if each had been published before the next was judged.

    :param out: Deliveries that are blocked for other reasons, and so are never published.
    """
    import pandas as pd

    volume = source.contract.volume or Volume(recent=1)
    rows, published = {}, dict(around.published)
    undefined = {}
    for name in sorted(deliveries, key=lambda n: (facts_of(around, n).partition, n)):
        facts, count = facts_of(around, name), deliveries[name].count
        usual, why = _usual(volume, facts, published)
        ratio = float("nan") if usual is None else count / usual
        rows[name] = {"delivery": name, "rows": count, "usual": usual, "volume": ratio}
        if why:
            undefined[name] = {"volume": why}
        fits = usual is None or volume.between[0] <= ratio <= volume.between[1] or volume.severity == "warn"
        if fits and name not in out:
            good = deliveries[name].readable
            published[facts.partition] = max(good, published.get(facts.partition, 0))
    frame = pd.DataFrame([rows[name] for name in deliveries])
    return Measured(frame.astype({"usual": "float64"}), undefined)


def facts_of(around: Surroundings, name: str) -> Facts:
    """Facts about a delivery.

    :raises ValidationBroken: If a rule needs them and nobody brought them.
    """
    if name not in around.facts:
        raise ValidationBroken(
            f"The contract asks about more than the rows of {name[:80]}, and nothing more is known.",
            next_step="validate it through `updraft.ingest`.",
        )
    return around.facts[name]


def _usual(volume: Volume, facts: Facts, published: Mapping[str, int]) -> tuple[float | None, str]:
    """Median rows of the partitions before, or `None` and the reason why it is not defined."""
    before = sorted(key for key in published if key < facts.partition)[-volume.recent :]
    if facts.corrects:
        return None, "it corrects an earlier delivery"
    if len(before) < volume.recent:
        return None, f"only {len(before)} of {volume.recent} partitions before it are published"
    usual = median(published[key] for key in before)
    return (usual, "") if usual else (None, f"the median of the {volume.recent} partitions before it is 0 rows")


def _newest(source: Source, decoded: Decoded) -> datetime | None:
    fresh, claimed = source.contract.freshness, source.known_at.column
    column = claimed if fresh and fresh.by == "known_at" and claimed else source.event_time
    moments = [pc.max(rows[column]).as_py() for rows in decoded.pieces]
    return max((moment for moment in moments if moment is not None), default=None)


def _hours(newest: datetime | None, moment: datetime) -> float:
    return float("nan") if newest is None else (moment - newest).total_seconds() / 3600
