"""What the contract said about a delivery, kept in the lake with the rows it rejected and the report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from updraft.contract import Checked, Outcome
from updraft.errors import ValidationBroken
from updraft.ingest.feed import Delivery, Feed
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

# Number of the row, rule, reason, JSON text of the row as delivered, and its line where the format has lines.
Rejected = list[tuple[int, str, str, str, int | None]]


@dataclass(frozen=True)
class Verdict:
    """What the contract said about a delivery.

    :param terms: Digest of everything in the spec that could have changed the answer.
    :param why: The reason for the outcome, in counts.
    :param summary: Rows, bad rows, bad rows per rule, warnings per rule, and rules that could not be judged.
    :param report: Key of the report in the lake.
    """

    partition: str
    delivery: str
    terms: str
    outcome: Outcome
    why: str
    summary: Mapping[str, Any]
    report: str


def terms(source: Source) -> str:
    """Digest of what decides how a delivery is read and judged; a new path or lookback changes no verdict."""
    deciding = source.model_dump(
        mode="json", include={"format", "key", "event_time", "known_at", "columns", "contract"}
    )
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def keep(feed: Feed, delivery: Delivery, checked: Checked, decoded: Decoded) -> Verdict:
    """Store the report and the rejected rows, then the verdict that makes them count."""
    by = terms(feed.source)
    report = feed.place("reports", delivery.identity, ".html")
    feed.lake.put(report, checked.report_html)
    set_aside = described(decoded, [(bad.row, bad.rule, bad.reason) for bad in checked.bad])
    feed.lake.put(_rejected(feed, delivery.identity, by), json.dumps(set_aside).encode())
    verdict = Verdict(
        partition=delivery.partition,
        delivery=delivery.delivery,
        terms=by,
        outcome=checked.outcome,
        why=checked.why,
        summary=checked.summary,
        report=report,
    )
    feed.lake.put(feed.place("verdicts", delivery.identity, ".json"), json.dumps(asdict(verdict)).encode())
    return verdict


def described(decoded: Decoded, rows: Sequence[tuple[int, str, str]]) -> Rejected:
    """Rows by number, rule and reason, with what they were as delivered and on which line they stood."""
    if not rows:
        return []
    numbers = [number for number, _, _ in rows]
    stood, originals = decoded.lines(numbers), decoded.original(numbers)
    return [(*row, text, stood.get(row[0])) for row, text in zip(rows, originals, strict=True)]


def kept(feed: Feed, delivery: Delivery) -> Verdict | None:
    """The verdict kept on a delivery, by whatever terms."""
    try:
        return Verdict(**json.loads(feed.lake.get(feed.place("verdicts", delivery.identity, ".json"))))
    except FileNotFoundError:
        return None


def current(feed: Feed, delivery: Delivery) -> Verdict | None:
    """The verdict kept on a delivery, if it was reached by today's terms."""
    verdict = kept(feed, delivery)
    return verdict if verdict and verdict.terms == terms(feed.source) else None


def blocked(feed: Feed, delivery: Delivery) -> bool:
    """Whether a delivery is known to be blocked."""
    verdict = kept(feed, delivery)
    return verdict is not None and verdict.outcome == "blocked"


def rejected(feed: Feed, verdict: Verdict) -> Rejected:
    """Rows a verdict rejected.

    :raises ValidationBroken: If they are not what the verdict counted.
    """
    identity = f"{verdict.partition}/{verdict.delivery}"
    try:
        found = json.loads(feed.lake.get(_rejected(feed, identity, verdict.terms)))
    except FileNotFoundError as gone:
        raise _torn(feed, identity, "are gone") from gone
    counted = verdict.summary.get("kept", verdict.summary["bad"])
    if len(found) != counted:
        raise _torn(feed, identity, f"are {len(found)}, its verdict counted {counted}")
    # Those kept by an earlier version know no line.
    return [(number, rule, reason, original, *(line or [None])) for number, rule, reason, original, *line in found]


def _rejected(feed: Feed, identity: str, by: str) -> str:
    # Named by the terms, so that a verdict never meets the rows of another one.
    return feed.place("rejected", identity, f"-{by[:16]}.json")


def _torn(feed: Feed, identity: str, how: str) -> ValidationBroken:
    return ValidationBroken(
        f"The rows rejected from {feed.name} for {identity} {how}.",
        next_step=f"delete {feed.lake.location(feed.place('verdicts', identity, '.json'))} and validate again.",
    )
