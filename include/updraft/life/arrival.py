"""When the labels of recent partitions were there: the label query, asked as of one moment after another."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from updraft.asof import History
from updraft.lake import Lake
from updraft.life.labels import scores
from updraft.monitor.arrival import Arrivals
from updraft.partition import Calendar, Partition, calendar
from updraft.rows import Rows
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

# Each age of each cohort is a query of its own.
MOST_AGES, MOST_COHORTS = 5, 5


def arrivals(case: UseCase, at: Partition, lake: Lake, champion: str, scored: Sequence[str]) -> Arrivals | None:
    """Look at the cohorts that became mature last, and at those twice as old; `None` while there are neither.

    :param scored: Keys of scored partitions.
    """
    dates = calendar(case)
    last = dates.last_mature(at.as_of)
    if last is None:
        return None
    mature = len(dates.keys(last.key, at.key)) - 1
    old = {key: len(dates.keys(key, at.key)) - 1 for key in scored if key <= last.key}
    chosen = cohorts(old, mature, width=case.monitor.window)
    if not chosen:
        return None
    looks = [(key, age) for key, oldest in chosen.items() for age in ages(mature) if age <= oldest]
    return Arrivals(_first_seen(case, lake, champion, looks, mature), ages(mature), mature)


def ages(mature: int) -> tuple[int, ...]:
    """Ages at which cohorts are looked at, ascending."""
    return (*_grid(mature), 2 * mature)


def cohorts(old: Mapping[str, int], mature: int, *, width: int) -> dict[str, int]:
    """Choose the cohorts that became mature last, and those twice as old; say at which age each is looked at last.

    >>> cohorts({"a": 12, "b": 9, "c": 8, "d": 4, "e": 3}, 4, width=2)
    {'b': 8, 'c': 8, 'd': 4}

    :param old: Age of every scored and mature partition.
    """
    spans = [range(age, age + min(width, MOST_COHORTS)) for age in ages(mature)[-2:]]
    reached = {key: age for key, age in old.items() if any(age in span for span in spans)}
    return {key: max(age for age in ages(mature) if age <= most) for key, most in reached.items()}


def _grid(mature: int) -> list[int]:
    """Ages to look at: a few, the first and the mature one among them.

    >>> _grid(3), _grid(31)
    ([1, 2, 3], [1, 9, 16, 23, 31])
    """
    count = min(mature, MOST_AGES)
    return sorted({1 + round(step * (mature - 1) / max(count - 1, 1)) for step in range(count)} | {mature})


def _first_seen(case: UseCase, lake: Lake, champion: str, looks: Sequence[tuple[str, int]], mature: int) -> "DataFrame":
    """One row per scored row of the cohorts, less those whose label is undefined by definition."""
    by, looked = ["partition", *case.entity], dict(looks)
    told = _told(case, lake, looks, mature)
    first = told[told["_label"].notna()].groupby(by, as_index=False)["_age"].min()
    last = told.loc[told["_age"] == told["partition"].map(looked), [*by, "_label", "_said"]]
    given = scores(case, lake, list(looked))
    # Names that start so cannot be those of entity columns.
    rows = given[by].assign(
        _score=given["score"].where(given["model"] == champion), _looked=given["partition"].map(looked)
    )
    for seen in (first, last):
        rows = rows.merge(seen, on=by, how="left", validate="one_to_one")
    rows["_age"] = rows["_age"].where(rows["_label"].notna())
    undefined = rows["_said"].notna() & rows["_label"].isna()
    kept = rows.loc[~undefined, ["partition", "_score", "_label", "_age", "_looked"]]
    return kept.rename(columns=lambda name: name.removeprefix("_")).reset_index(drop=True)


def _told(case: UseCase, lake: Lake, looks: Sequence[tuple[str, int]], mature: int) -> "DataFrame":
    """What the label query gave at every look, labels as numbers; `_said` wherever it gave a row at all."""
    dates = calendar(case)
    asked = [(dates.at(key), _moment(dates, key, age, mature)) for key, age in looks]
    with History(lake, case, "label", first=min(p for p, _ in asked), latest=max(m for _, m in asked)) as history:
        answers = zip(looks, history.ask_each(asked), strict=True)
        told = pa.concat_tables([_of_look(case, answer, key, age) for (key, age), answer in answers]).to_pandas()
    if case.label.classes:
        told["_label"] = told["_label"].map({name: float(code) for code, name in enumerate(case.label.classes)})
    return told.assign(_label=told["_label"].astype("float64"), _said=1.0)


def _moment(dates: Calendar, key: str, age: int, mature: int) -> datetime:
    """When a cohort has an age: the moment of the partition so much later, or when its labels are taken as complete."""
    day = dates.at(key)
    return dates.matures_at(day) if age == mature else dates.step(day, age).as_of


def _of_look(case: UseCase, answer: Rows, key: str, age: int) -> Rows:
    """Labels by entity, and when this was."""
    own = answer.select([*case.entity, case.label.column]).rename_columns([*case.entity, "_label"])
    return own.append_column("partition", pa.repeat(key, len(own))).append_column("_age", pa.repeat(age, len(own)))
