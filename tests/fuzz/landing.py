"""Land, validate and publish one delivery, and hold what comes out against what must be true."""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tests.fuzz.case import Case, use_case

from updraft import ingest
from updraft.errors import (
    DeliveryBlocked,
    DeliveryMissing,
    DeliveryRefused,
    NameInvalid,
    PartitionInvalid,
    UpdraftError,
)
from updraft.ingest.publication import Published
from updraft.lake import Lake
from updraft.spec.model import UseCase

LONGEST_MESSAGE = 2_500
_OUTCOMES: dict[type[Exception], str] = {
    DeliveryBlocked: "blocked", DeliveryMissing: "missing", DeliveryRefused: "refused", PartitionInvalid: "invalid",
    NameInvalid: "invalid", ValidationError: "invalid",
}  # fmt: skip
_SOURCE = "feed"


@dataclass(frozen=True)
class Ended:
    """What became of a delivery.

    :param outcome: `accepted`, `quarantined`, or the word for its error; the error's name when it has no word.
    :param said: What the error says.
    """

    outcome: str
    said: str
    published: Published | None = None


def put(case: Case, folder: Path) -> None:
    """Put the delivery into the inbox."""
    inbox = folder / "inbox" / "in"
    inbox.mkdir(parents=True)
    if case.place is not None:
        case.place(inbox)
        return
    ending = case.ending or {"jsonl": "jsonl", "parquet": "parquet"}.get(case.source.get("format", ""), "csv")
    file = inbox / f"2013-04-01.{ending}"
    file.write_bytes(case.data())
    os.utime(file, (time.time() - 60,) * 2)


def violations(case: Case, folder: Path) -> tuple[str, list[str]]:
    """The outcome of a delivery that was put, and everything about it that must not be."""
    lake = Lake(str(folder / "lake"))
    try:
        declared = use_case(case.source)
    except ValidationError as refused:
        return "invalid", list(_unexpected(case, Ended("invalid", str(refused))))
    ended = _land(case, declared, lake, folder / "inbox")
    return ended.outcome, [*_unexpected(case, ended), *_message(ended), *_traces(case, declared, lake, ended)]


def _land(case: Case, declared: UseCase, lake: Lake, inbox: Path) -> Ended:
    try:
        published = ingest.stage(declared, _SOURCE, [case.key], lake, inbox)
    except Exception as error:  # noqa: BLE001 - what it is, is what is looked at
        kind = _OUTCOMES.get(type(error), f"{type(error).__module__}.{type(error).__name__}")
        return Ended(kind, str(error) if isinstance(error, UpdraftError) else f"{error!r}"[:400])
    return Ended("quarantined" if published.quarantined else "accepted", "", published)


def _unexpected(case: Case, ended: Ended) -> Iterator[str]:
    if ended.outcome not in case.outcomes:
        yield f"is {ended.outcome}, not {' or '.join(sorted(case.outcomes))}: {ended.said[:300]!r}"
    elif case.said and ended.outcome == "refused" and not re.search(case.said, ended.said):
        yield f"is refused because {ended.said[:300]!r}, not because of {case.said!r}"


def _message(ended: Ended) -> Iterator[str]:
    if len(ended.said) > LONGEST_MESSAGE:
        yield f"says {len(ended.said)} characters: {ended.said[:200]!r}"
    if ended.outcome != "invalid" and (strange := [c for c in ended.said if not c.isprintable() and c != "\n"]):
        yield f"says what no terminal should be told, {strange[:5]!r}: {ended.said[:200]!r}"
    if ended.said and "Next: " not in ended.said and ended.outcome != "invalid":
        yield f"does not say what to do: {ended.said[:200]!r}"


def _traces(case: Case, declared: UseCase, lake: Lake, ended: Ended) -> Iterator[str]:
    """What lies in the lake afterwards."""
    raw, bad = _rows(lake, "raw"), _rows(lake, "quarantine")
    if ended.outcome in ("refused", "missing", "invalid"):
        if found := [file.name for file in Path(lake.uri).rglob("*") if file.is_file()]:
            yield f"left {found[:3]} in the lake"
        return
    (verdict,) = _objects(lake, "verdicts") or [None]
    if verdict is None:
        yield "left no verdict"
        return
    yield from _counts(verdict, raw, bad, ended)
    yield from _values(case, raw)
    if case.said and ended.outcome == "quarantined" and not all(re.search(case.said, row["reason"]) for row in bad):
        yield f"is in quarantine because {bad[0]['reason'][:200]!r}, not because of {case.said!r}"
    if strange := [row for row in bad[:500] if len(row["reason"]) > LONGEST_MESSAGE or not _is_json(row["original"])]:
        yield f"has a strange row in quarantine: {str(strange[0])[:300]}"
    page = lake.get(verdict["report"]).decode()
    if re.search(r"<script(?!>alert)|<script>alert|<img src=x", page):
        yield "runs a script in its report"
    if ended.published is not None:
        again = _land(case, declared, lake, Path(lake.uri).parent / "inbox")
        if again != ended:
            yield f"ended as {ended} and then as {again}"


def _counts(verdict: dict[str, Any], raw: list[Any], bad: list[Any], ended: Ended) -> Iterator[str]:
    delivered, broken = verdict["summary"]["rows"], verdict["summary"]["bad"]
    kept = 0 if ended.outcome == "blocked" else delivered - broken
    if (len(raw), len(bad)) != (kept, broken):
        yield f"delivered {delivered} rows, {broken} bad: {len(raw)} are published and {len(bad)} in quarantine"


def _values(case: Case, raw: list[dict[str, Any]]) -> Iterator[str]:
    if case.values is not None:
        found = [row["v"] for row in raw]
        if [*map(_exactly, found)] != [*map(_exactly, case.values)]:
            yield f"holds {str(found)[:200]}, not {str(case.values)[:200]}"


def _exactly(value: Any) -> tuple[str, str]:
    """A value with its type and sign: 0.0 is not -0.0, and 1 is not True."""
    return type(value).__name__, repr(value.astimezone(UTC) if isinstance(value, datetime) else value)


def _rows(lake: Lake, kind: str) -> list[dict[str, Any]]:
    rows = lake.read(f"{kind}/fuzz/{_SOURCE}")
    return [] if rows is None else rows.sort_by([("delivery", "ascending"), ("row", "ascending")]).to_pylist()


def _objects(lake: Lake, kind: str) -> list[dict[str, Any]]:
    return [json.loads(lake.get(key), parse_constant=_no_constant) for key in lake.keys(f"{kind}/fuzz/{_SOURCE}")]


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return False
    return True


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
