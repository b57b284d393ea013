"""Promises about models: there is one champion that earned it, and every prediction names its origins."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.promises_rows import Violations, readable

from updraft import features, score
from updraft.errors import LedgerBroken, ModelRejected
from updraft.ingest import late
from updraft.lake import Lake
from updraft.ledger import Ledger, Record
from updraft.life.train import evidence_key, profile_key
from updraft.model import store
from updraft.records import add_up
from updraft.registry import Registry
from updraft.rows import digest
from updraft.spec.model import UseCase

# ---- I4 ----------------------------------------------------------------------------------------------------------


def there_is_one_champion(lake: Lake, case: UseCase, registry: Registry | None = None) -> Violations:
    """I4: the ledger holds, its champion loads, rose on gates it passed, and is what MLflow shows."""
    try:
        Ledger(lake, case.name).verify()
    except LedgerBroken as found:
        return [found.what]
    records = readable(lake, case)
    champion = add_up(records, "").champion
    wrong = [
        why for record in records if record.kind in ("promoted", "rolled_back") for why in _unearned(records, record)
    ]
    if champion is not None:
        wrong += _unusable(lake, case, champion)
    if registry is not None and (alias := registry.champion_alias(case.name)) != champion:
        wrong.append(f"MLflow shows {str(alias)[:12]} as champion, the ledger says {str(champion)[:12]}")
    return wrong


def _unearned(records: Sequence[Record], record: Record) -> Iterator[str]:
    before = add_up(records[: record.sequence - 1], "")
    who = f"model {str(record.model)[:12]}, {record.kind} by record {record.sequence},"
    if record.kind == "rolled_back":
        if record.model not in before.previous:
            yield f"{who} was never champion"
        return
    gated = next((r for r in records[: record.sequence - 1] if r.sequence == record.facts.get("gated")), None)
    if gated is None or gated.kind != "gated" or gated.model != record.model:
        yield f"{who} was not examined"
    elif gated.facts["outcome"] != "PASS":
        yield f"{who} did not pass its gates: {gated.facts['outcome']}"
    elif gated.facts["champion"] != before.champion:
        yield f"{who} was not compared with the champion it replaced"


def _unusable(lake: Lake, case: UseCase, champion: str) -> Iterator[str]:
    try:
        store.load(lake, case.name, champion)
    except ModelRejected as refused:
        yield f"the champion cannot be loaded: {refused.what}"
    for what, key in {"examination": evidence_key(case, champion), "profile": profile_key(case, champion)}.items():
        try:
            lake.get(key)
        except FileNotFoundError:
            yield f"the champion's {what} is gone"


# ---- I5 ----------------------------------------------------------------------------------------------------------


def every_prediction_names_its_origins(lake: Lake, case: UseCase) -> Violations:
    """I5: every score or refusal names a model that is there, the definition it knows, and the rows it saw."""
    nameless = []
    for key in lake.partitions(score.table(case)):
        rows = lake.read(score.table(case), [key])
        assert rows is not None
        nameless += [f"{why} in the scores of {key}" for why in _unnamed(lake, case, key, rows.to_pylist())]
    return nameless


def _unnamed(lake: Lake, case: UseCase, key: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for column in ("model", "fingerprint", "data", "role"):
        if empty := sum(not row[column] for row in rows):
            yield f"{empty} of {len(rows)} rows name no {column}"
    if neither := sum((row["score"] is None) == (row["refused"] is None) for row in rows):
        yield f"{neither} of {len(rows)} rows are neither scored nor refused, or both"
    for model in {row["model"] for row in rows if row["model"]}:
        try:
            known = store.load(lake, case.name, model).manifest.fingerprint
        except ModelRejected as refused:
            yield f"the model named cannot be loaded ({refused.what})"
        else:
            if strange := {row["fingerprint"] for row in rows if row["model"] == model} - {known}:
                yield f"model {model[:12]} knows another definition than {str(next(iter(strange)))[:12]}"
    seen = lake.read(features.table(case), [key])
    same = seen is not None and set(seen["fingerprint"].to_pylist()) == {row["fingerprint"] for row in rows}
    rebuilt = {done for one in late.recorded(case, lake) if one.rebuilt for done in one.features}
    # A partition is the same for ever under one definition, so its digest must still be the one that was named; unless
    # rows came late, and the spec has it computed anew and never scored again.
    if seen is not None and same and key not in rebuilt and {row["data"] for row in rows} != {digest(seen)}:
        yield "the rows named are not those of the features"
