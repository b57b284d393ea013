"""What a person is asked before a candidate may rise: the essentials of it, bound to its digest and its examination."""

from collections.abc import Iterator, Mapping
from typing import Any

from updraft.errors import ModelRejected
from updraft.lake import Lake
from updraft.ledger import Ledger, Record
from updraft.life.train import examined
from updraft.model import store
from updraft.spec.model import UseCase


def question(case: UseCase, lake: Lake, candidate: str, gated: int) -> str:
    """Write the question as Markdown: what the model is, what it learnt from, how good it is, what the gates said.

    :param gated: Sequence of the record `gated` the answer will count for.
    :raises ModelRejected: If that record is not about this model, or the model does not load.
    """
    records = Ledger(lake, case.name).records()
    record = records[gated - 1] if 0 < gated <= len(records) else None
    if record is None or (record.kind, record.model) != ("gated", candidate):
        raise ModelRejected(
            f"Record {gated} is no examination of model {candidate[:12]}.", next_step="run the gates on it again."
        )
    return "\n".join(_lines(case, lake, candidate, record))


def _lines(case: UseCase, lake: Lake, candidate: str, record: Record) -> Iterator[str]:
    manifest, found = store.load(lake, case.name, candidate).manifest, examined(case, lake, candidate)
    against = found["champion"]
    yield f"**{case.problem.goal}**\n"
    yield f"Family **{manifest.family}**, trained as of {manifest.as_of}, acting from {manifest.threshold:.3f} on.\n"
    yield f"Outcome of the gates: **{found['outcome']}** on {found['n']} held-out rows, "
    yield f"{found['first']} to {found['last']}.\n"
    yield "| window | from | to | partitions |\n| --- | --- | --- | --- |"
    for window, keys in manifest.windows.items():
        yield f"| {window} | {keys[0]} | {keys[-1]} | {len(keys)} |" if keys else f"| {window} | | | 0 |"
    yield "\n| metric | candidate | interval | champion |\n| --- | --- | --- | --- |"
    for name, value in found["metrics"].items():
        yield f"| {name} | {_n(value['value'])} | {_n(value['low'])} to {_n(value['high'])} | {_rival(found, name)} |"
    yield "\n| gate | verdict | reason |\n| --- | --- | --- |"
    for verdict in found["verdicts"]:
        yield f"| {verdict['gate']} | {verdict['outcome']} | {_cell(verdict['reason'])} |"
    yield f"\nChampion it was compared with: {against or 'none yet'}\n"
    yield f"Your answer counts for model `{candidate}` and record {record.sequence} of the ledger alone."


def _rival(found: Mapping[str, Any], metric: str) -> str:
    return _n(found["roles"].get("champion", {}).get(metric))


def _n(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:300]
