"""Hold computed features against what the feature table promises, before they are published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft import contract
from updraft.contract import engine, suite
from updraft.contract.checked import Checked, judged
from updraft.contract.conditions import kept
from updraft.contract.deliveries import Measured
from updraft.contract.facts import Facts, Surroundings
from updraft.contract.tally import Tally
from updraft.errors import FeaturesBlocked, SpecInvalid, UpdraftError
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import ARROW, Rows
from updraft.sources.decode import Decoded, no_lines
from updraft.spec.contract import Contract, Coverage, Unique
from updraft.spec.features import FeatureContract
from updraft.spec.model import UseCase
from updraft.spec.sources import Column, ColumnType, KnownAt, Source

NAMED = 10
_STAMPS = {"fingerprint", "partition"}


@dataclass(frozen=True)
class Held:
    """What the contract says about partitions that were computed together.

    :param passed: Rows to publish, by partition.
    :param blocked: Why nothing of a partition may be published, and where the report is.
    :param warned: How often rules that only warn were broken.
    :param reports: Keys of the reports that have something to tell, or of the first; at most ten.
    """

    passed: Mapping[str, Rows] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)
    warned: int = 0
    reports: tuple[str, ...] = ()

    def __add__(self, later: "Held") -> "Held":
        """Both, without their rows, which are published by then."""
        reports = (*self.reports, *later.reports)[:NAMED]
        return Held({}, {**self.blocked, **later.blocked}, self.warned + later.warned, reports)

    def complain(self, table: str) -> None:
        """Raise if a partition is blocked.

        :raises FeaturesBlocked: Then.
        """
        if self.blocked:
            (key, why), *others = self.blocked.items()
            more = f" Blocked as well: {', '.join([k for k, _ in others][:NAMED])}." if others else ""
            raise FeaturesBlocked(
                f"{table} for {key} is not published: {why}.{more}",
                next_step="read the report; mend the query, what it reads or the contract, then run the stage again.",
            )


def promises(case: UseCase) -> bool:
    """Whether anything is promised beyond what always holds: types, no missing values, one row per entity."""
    rules = [(f.missing, f.range, f.among) for f in case.features.values()]
    return case.contract != FeatureContract() or any(rule is not None for own in rules for rule in own)


def hold(
    case: UseCase, which: str, table: str, parts: Mapping[str, Rows], facts: Mapping[str, int], lake: Lake
) -> Held:
    """Hold partitions against the contract and keep each one's report, whatever the outcome.

    :param which: `features`, or the name of a shared feature set; of labels nothing is promised here.
    :param table: Their table, with the rows of partitions published before.
    :param parts: Rows as they would be published, by partition.
    :param facts: Facts of the source that `coverage` names, by partition.
    :raises ValidationBroken: If the validation could not be carried out; then nothing may be published.
    """
    if which == "label" or not parts or not promises(case):
        return Held(parts)
    checked = check(case, table, parts, facts, _recent(case, table, sorted(parts), lake))
    places = {key: f"reports/{case.name}/{which}/{key}.html" for key in parts}
    for key, one in checked.items():
        lake.put(places[key], one.report_html)
    blocked = {key: one for key, one in checked.items() if one.outcome == "blocked"}
    telling = [key for key, one in checked.items() if key in blocked or one.summary["bad"] or one.summary["warned"]]
    return Held(
        {key: rows for key, rows in parts.items() if key not in blocked},
        {key: f"{one.why}; the report is {lake.location(places[key])}" for key, one in blocked.items()},
        sum(sum(one.summary["warned"].values()) for one in checked.values()),
        tuple(places[key] for key in (telling or list(parts)[:1])[:NAMED]),
    )


def check(
    case: UseCase, name: str, parts: Mapping[str, Rows], facts: Mapping[str, int], published: Mapping[str, int]
) -> dict[str, Checked]:
    """Hold each partition's features against the contract, in one run of Great Expectations.

    :param name: What the table is called, for the report.
    :param parts: Rows as they would be published, by partition.
    :param facts: Facts of the source that `coverage` names, by partition.
    :param published: Rows of partitions published before, by key.
    :return: `accepted` or `blocked`, with the counts and the report; no row is ever left out.
    :raises ValidationBroken: If the validation could not be carried out; then no partition has an outcome.
    """
    source = _as_source(case, next(iter(parts.values())).schema)
    dates = calendar(case)
    around = {key: Facts(key, dates.at(key).as_of) for key in parts}
    known = Surroundings(case.partitions.timezone, published, around)
    decoded = {key: _decoded(rows) for key, rows in parts.items()}
    covered = _covered(name, source, case.contract.coverage, parts, facts)
    return contract.check(name, source, decoded, known, more=covered, judge=_judged)


def tried(case: UseCase, schema: pa.Schema, where: str) -> None:
    """Refuse conditions that could not be evaluated.

    :raises SpecInvalid: If one is not a condition over the columns of a feature row.
    """
    try:
        rows = _decoded(schema.empty_table()).rows
        kept(_as_source(case, schema), rows, "UTC")
    except UpdraftError as refused:
        raise SpecInvalid(
            f"{where}: {refused.what}", next_step="mend the condition in spec.yaml; `updraft check` tries it."
        ) from refused


def _recent(case: UseCase, table: str, keys: Sequence[str], lake: Lake) -> dict[str, int]:
    """Rows of the partitions that `volume` compares those of `keys` to, other than these themselves."""
    if case.contract.volume is None:
        return {}
    before = [key for key in lake.partitions(table) if key < keys[-1] and key not in keys]
    first = sum(key < keys[0] for key in before)
    wanted = before[max(0, first - case.contract.volume.recent) :]
    rows = lake.read(table, wanted, columns=["partition"])
    found = [] if rows is None else pc.value_counts(rows["partition"]).to_pylist()
    return dict.fromkeys(wanted, 0) | {one["values"]: one["counts"] for one in found}


def _as_source(case: UseCase, schema: pa.Schema) -> Source:
    """The table as a source that delivers its partitions, so that the same rules hold it."""
    said, columns = case.contract, [own for own in schema if own.name not in _STAMPS]
    rules = {
        "rows": said.rows,
        "unique": Unique(severity="block"),
        "tolerance": 1.0,  # each rule blocks by its own limit
        "volume": said.volume,
        "conditions": dict(said.conditions),
    }
    return Source(
        type="features",
        key=case.entity,
        event_time="as_of",
        known_at=KnownAt(delay=timedelta(0)),
        columns={own.name: _column(case, own) for own in columns},
        contract=Contract.model_validate(rules),
    )


def _column(case: UseCase, of: "pa.Field[Any]") -> Column:
    """A column with the rules declared for it; which values may be missing was asked when the row got its shape."""
    feature = case.features.get(of.name)
    rules = {} if feature is None else {"missing": feature.missing, "range": feature.range, "among": feature.among}
    return Column(type=_word(of.type), nullable=of.name not in (*case.entity, "as_of"), **rules)


def _word(kind: pa.DataType) -> ColumnType:
    words: dict[pa.DataType, ColumnType] = {arrow: word for word, arrow in ARROW.items()}  # type: ignore[misc]
    return words[kind]


def _decoded(rows: Rows) -> Decoded:
    own = rows.drop_columns([name for name in rows.column_names if name in _STAMPS])
    numbered = own.append_column("row", pa.array(np.arange(1, len(rows) + 1)))
    return Decoded([numbered], len(numbered), {}, tuple(own.column_names), (), lambda _: [], no_lines)


def _judged(
    source: Source,
    decoded: Decoded,
    whole: Sequence[Tally],
    rows: Sequence[Tally],
    bad: int,
    undefined: Mapping[str, str],
) -> Checked:
    """What follows for a partition: nothing is kept out, so it is published whole or not at all."""
    found = judged(source, decoded, whole, rows, bad, undefined)
    if found.outcome != "quarantined":
        return found
    return replace(
        found, outcome="accepted", why=f"{bad} of {decoded.count} rows break rules, each within what it tolerates"
    )


def _covered(
    name: str, source: Source, rule: Coverage | None, parts: Mapping[str, Rows], facts: Mapping[str, int]
) -> contract.Tallies:
    """How many rows there are for the facts of a source, one row of a frame per partition."""
    if rule is None:
        return {}
    import pandas as pd

    frame = pd.DataFrame(
        [
            {
                "delivery": key,
                "rows": len(rows),
                "facts": facts[key],
                "of": rule.of,
                "coverage": _ratio(rows, facts[key]),
            }
            for key, rows in parts.items()
        ]
    )
    found = engine.run(suite.of_coverage(name, rule), frame)
    return contract.of_each(source, found, Measured(frame, {}))


def _ratio(rows: Rows, facts: int) -> float:
    if not facts:
        return float("inf") if len(rows) else 1.0
    return len(rows) / facts
