"""All policies side by side: on the same rows, with what came true."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from updraft.evidence.metric import mean
from updraft.evidence.paired import compare
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.records import canonical
from updraft.replay import chart, page
from updraft.replay.tally import Deeds, by_month, deeds, outcomes, quality
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

_EARNED = mean("value", lambda _, earned: earned, higher_is_better=True, bounds=(-np.inf, np.inf))


@dataclass(frozen=True)
class Told:
    """What came of one policy.

    :param value: Mean value of a row, in the spec's unit.
    :param gain: How much more than the first policy's, with `low` and `high`, each one-sided at the spec's confidence.
    :param quality: Metrics over the whole span.
    :param months: Metrics, mean value and rows, month by month.
    :param gained: Value by partition, less the first policy's.
    :param champions: Partitions at which a model became champion.
    """

    policy: str
    value: float
    gain: float
    low: float
    high: float
    quality: dict[str, float]
    months: dict[str, dict[str, float]]
    deeds: Deeds
    gained: dict[str, float]
    champions: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Policies side by side, the first of which the others are held against.

    :param rows: Rows that every policy scored and whose labels are known; all numbers rest on these.
    :param seal: Digest over the files of the live lake, after the replay.
    :param touched: Files of the live lake that somebody else changed meanwhile.
    """

    use_case: str
    first: str
    last: str
    rows: int
    partitions: int
    arms: dict[str, Told]
    seal: str
    touched: tuple[str, ...]

    def table(self) -> dict[str, Any]:
        """Everything that is the same when the replay is done again: all but the time it took."""
        said: dict[str, Any] = json.loads(canonical(asdict(self)))
        for arm in said["arms"].values():
            del arm["deeds"]["seconds"], arm["deeds"]["cpu"]
        return {name: said[name] for name in said if name not in ("seal", "touched")}

    def write(self, folder: Path) -> None:
        """Keep the report as `report.json`, and as a page with a chart."""
        png = chart.draw(self)
        files = {
            "report.json": canonical(asdict(self)),
            "chart.png": png,
            "report.html": page.html(self, png).encode(),
        }
        for name, content in files.items():
            (folder / name).write_bytes(content)


def report(
    case: UseCase,
    shadows: Mapping[str, tuple[str, Lake]],
    keys: Sequence[str],
    seal: str,
    touched: Sequence[str],
) -> Report:
    """Hold policies against each other on the rows that all of them scored.

    :param shadows: Policy and lake by the name of each.
    """
    by = ["partition", *case.entity]
    found = {name: outcomes(case, lake, keys) for name, (_, lake) in shadows.items()}
    common = reduce(lambda a, b: a.merge(b, on=by), (rows[by] for rows in found.values()))
    same = {name: rows.merge(common, on=by).sort_values(by, ignore_index=True) for name, rows in found.items()}
    first = next(iter(same.values()))
    arms = {name: _told(case, policy, lake, same[name], first) for name, (policy, lake) in shadows.items()}
    seen = first["partition"].nunique()
    return Report(case.name, keys[0], keys[-1], len(first), seen, arms, seal, tuple(touched))


def _told(case: UseCase, policy: str, lake: Lake, rows: "DataFrame", first: "DataFrame") -> Told:
    y, blocks = rows[case.label.column].to_numpy(float), rows["partition"].to_numpy()
    pair = (rows["earned"].to_numpy(float), first["earned"].to_numpy(float))
    held = compare(y, *pair, blocks, metric=_EARNED, confidence=case.gates.confidence, seed=case.model.seed)
    more = (rows["earned"] - first["earned"]).groupby(rows["partition"]).sum()
    rises = (r for r in Ledger(lake, case.name).records() if r.kind in ("promoted", "rolled_back") and r.partition)
    return Told(
        policy=policy,
        value=held.candidate,
        gain=held.difference,
        low=held.low,
        high=held.high,
        quality=quality(case, rows),
        months=by_month(case, rows),
        deeds=deeds(case, lake),
        gained={str(key): float(value) for key, value in more.items()},
        champions=tuple(str(r.partition) for r in rises),
    )
