"""`updraft explain`: one prediction, with everything behind it, recomputed."""

import json
from collections.abc import Iterator
from typing import Any

import typer
from rich.console import Console

from updraft import passport
from updraft.lake import Lake
from updraft.passport import Passport
from updraft.settings import Settings
from updraft.spec import load

DELIVERIES_SHOWN = 5
_MARKS = {"holds": "✓", "broken": "✗", "unknown": "?"}


def explain(console: Console, use_case: str, entity: str, partition: str, *, as_json: bool) -> None:
    """Print the passport of a prediction; exit with 1 when something behind it was changed."""
    case = load.load(use_case)
    found = passport.explain(case, Lake(Settings.from_env().lake), entity, partition)
    if as_json:
        console.print_json(json.dumps(found.to_json()))
    else:
        for line in told(found):
            console.print(line, markup=False, soft_wrap=True)
    if found.at_fault:
        raise typer.Exit(1)


def told(found: Passport) -> Iterator[str]:
    """The passport as lines of text."""
    who = ", ".join(f"{name} {value}" for name, value in found.entity.items())
    yield f"{found.use_case}: {who} in {found.partition}, as of {found.as_of:%Y-%m-%d %H:%M %Z}"
    yield from _prediction(found)
    yield "Features"
    for name, feature in found.features.items():
        yield f"  {name:24} {_value(feature['value']):24} {feature['about']}"
    yield from _behind(found)
    yield from _origin(found)
    yield from _checks(found)


def _prediction(found: Passport) -> Iterator[str]:
    said = found.prediction
    if said["refused"]:
        yield f"Refused: {said['refused']}"
        return
    against = "" if said["threshold"] is None else f", threshold {said['threshold']:g}"
    yield f"Score {said['score']:.6f}{against}: {said['decision'] if said['acted'] else 'no action'}"
    for name, weight in said["reasons"]:
        yield f"  {'+' if weight > 0 else '-'} {name:24} {weight:+.4f} log-odds"


def _behind(found: Passport) -> Iterator[str]:
    yield "Behind it: rows known at that moment, newest version per key"
    for source in found.behind:
        by = f"{source.of} of this {', '.join(source.matched)}" if source.matched else "none names the entity"
        listed = source.deliveries
        known = sum(delivery["known"] for delivery in listed)
        yield (f"  {source.source}: {known} rows of {len(listed)} deliveries, {source.first} to {source.last}; {by}")
        for row in source.rows:
            own = {name: _value(value) for name, value in row.items() if name not in ("delivery", "row", "partition")}
            yield f"    row {row['row']} of {row['partition']} {row['delivery'][:12]}: {own}"
        for delivery in listed[-DELIVERIES_SHOWN:]:
            told = f"{delivery['known']} of {delivery['rows']} rows known, landed {delivery['landed_at'][:19]}"
            yield f"    delivery {delivery['partition']} {delivery['delivery'][:12]} {delivery['origin']}: {told}"
        if len(listed) > DELIVERIES_SHOWN:
            yield f"    and {len(listed) - DELIVERIES_SHOWN} deliveries before; --json lists them all"


def _origin(found: Passport) -> Iterator[str]:
    model, ledger, definition = found.model, found.decisions, found.definition
    yield "Where it comes from"
    yield f"  features  fingerprint {definition['fingerprint'][:12]}, features.sql {definition['sql_sha256'][:12]}"
    trained = f"trained at {model['as_of']} by code {model['code_version']}" if "as_of" in model else "not readable"
    yield f"  model     {model['digest'][:12]} {model.get('family', '')}, {trained}"
    for name, span in model.get("windows", {}).items():
        if span["partitions"]:
            yield f"    {name:12} {span['first']} to {span['last']}, {span['partitions']} partitions"
    for verdict in (ledger.get("gated") or {}).get("verdicts", ()):
        yield f"  gate      {verdict['gate']}: {verdict['outcome']} {verdict.get('reason', '')}"
    for record in ledger.get("history", ()):
        where = f"{record['kind']} at {record['partition']} by {record['who']}"
        yield f"  record    {record['sequence']} {where}: {record['why']}"
    yield f"  approved  by {ledger.get('approved_by') or 'nobody: no approval is on record'}"
    if found.scored:
        yield f"  scored    by {found.scored['who']} at {found.scored['at']}, code {found.scored['code_version']}"
        if "because" in found.scored:
            yield f"  stood in  {found.scored['because']}"


def _checks(found: Passport) -> Iterator[str]:
    yield "Held against each other"
    for check in found.checks:
        more = (
            f"; expected {check.expected}, found {check.found}" if check.outcome == "broken" and check.expected else ""
        )
        yield f"  {_MARKS[check.outcome]} {check.layer}: {check.what}{more}"
    if found.at_fault:
        yield f"CHANGED: {', '.join(found.at_fault)}"
    elif found.recomputes:
        yield "The score and its features come out again, exactly."
    else:
        yield "Nothing was found changed, but not everything could be computed again."


def _value(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
