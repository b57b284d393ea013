"""Is the ledger whole? Its own chain, and what others remember of it.

A chain shows what was changed or taken out of it, and its mark shows a cut tail. Whoever cuts the tail and the mark
alike leaves a chain that holds. Then others tell: MLflow was told of the newest record whenever the champion changed,
and the scores name the models that made them. Records younger than the last of these witnesses can be cut without a
trace.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING

from updraft import score
from updraft.errors import RegistryUnavailable
from updraft.lake import Lake
from updraft.ledger import Ledger, Record
from updraft.records import canonical, digest
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from updraft.registry import Registry

_MADE_BY = {
    "champion": ("promoted", "rolled_back"),
    "relieved": ("promoted", "rolled_back"),
    "previous": ("promoted", "rolled_back"),
    "challenger": ("challenger",),
    "canary": ("challenger",),
    "fallback": ("promoted", "rolled_back", "baseline"),
}


def audit(case: UseCase, lake: Lake, registry: "Registry") -> tuple[int, list[str], list[str]]:
    """Check the ledger of a use case against itself, the scores and MLflow.

    :return: The number of records, what is wrong, and which witnesses could not be heard.
    """
    ledger = Ledger(lake, case.name)
    if faults := ledger.faults():
        return 0, [f"{fault.what} Next: {fault.next_step}" for fault in faults], []
    records = ledger.records()
    found, unheard = list(_by_scores(case, lake, records)), list[str]()
    try:
        found += _by_mlflow(registry.witnessed(case.name), records)
    except RegistryUnavailable as silent:
        unheard.append(f"MLflow: {silent.what}")
    return len(records), found, unheard


def _by_scores(case: UseCase, lake: Lake, records: "Sequence[Record]") -> "Iterator[str]":
    known = {(str(r.kind), r.model) for r in records}
    known |= {("baseline", m) for r in records if r.kind == "trained" for m in r.facts.get("baselines", {}).values()}
    stored = lake.read(score.table(case), None, ["partition", "role", "model"])
    seen = [] if stored is None else stored.group_by(["role", "model"]).aggregate([("partition", "min")]).to_pylist()
    for row in sorted(seen, key=lambda row: (row["partition_min"], row["role"], row["model"])):
        if not any((kind, row["model"]) in known for kind in _MADE_BY[row["role"]]):
            yield (
                f"The scores of {row['partition_min']} name {row['model'][:12]} as {row['role']}, "
                f"which no record made it: records after {len(records)} are missing."
            )


def _by_mlflow(told: tuple[int, str] | None, records: "Sequence[Record]") -> "Iterator[str]":
    if told is None:
        return
    sequence, sha256 = told
    if sequence > len(records):
        yield f"MLflow was told of record {sequence}: records {len(records) + 1} to {sequence} are missing."
    elif sequence and digest(canonical(asdict(records[sequence - 1]))) != sha256:
        yield f"Record {sequence} is not the one MLflow was told of: the ledger was written anew."
