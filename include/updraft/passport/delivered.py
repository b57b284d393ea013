"""Raw rows and deliveries within sight, held against the bytes that were delivered."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import pyarrow.compute as pc

from updraft.errors import UpdraftError
from updraft.ingest.account import account
from updraft.ingest.feed import Delivery
from updraft.ingest.stamp import Stamped
from updraft.ingest.validation import rows_of
from updraft.passport.behind import Sight
from updraft.passport.check import SHOWN, Check, broken
from updraft.records import digest as sha256
from updraft.rows import Rows, aligned, digest

BYTES_READ = 64 << 20  # of each source; beyond it an answer would take minutes


def checks(sight: Sight) -> tuple[Check, ...]:
    """Records against what the scoring saw, bytes against the records, raw rows against the bytes."""
    return tuple(_checks(sight))


def _checks(sight: Sight) -> Iterator[Check]:
    yield from _recorded(sight)
    readable = [delivery for _, delivery in sight.records.values() if delivery]
    if not readable:
        yield Check("deliveries", "unknown", f"{sight.name} has no records of deliveries within sight")
        return
    sizes = accumulate(delivery.bytes for delivery in readable)
    read = [delivery for delivery, size in zip(readable, sizes, strict=True) if size <= BYTES_READ]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda delivery: list(_against_bytes(sight, delivery)), read)
        wrong = [check for checks in found for check in checks]
    yield from (*wrong, *_accounted(sight), *_strangers(sight))
    if len(read) < len(readable):
        left = f"{len(readable) - len(read)} of {len(readable)} deliveries of {sight.name} were not read again"
        yield Check("deliveries", "unknown", f"{left}: they are more than {BYTES_READ >> 20} MB")
    if not wrong:
        what = f"{len(read)} deliveries of {sight.name} have the bytes they are named by"
        yield Check("deliveries", "holds", what)
    if not wrong and sight.scene.same_definition:
        what = f"the {len(sight.raw)} raw rows of {sight.name} within sight are those delivered"
        yield Check("raw rows", "holds", what)


def _recorded(sight: Sight) -> Iterator[Check]:
    """The records are about what they are named by, and those that the scoring saw are as it saw them."""
    receipts = sight.scene.receipts[0]
    seen = dict(receipts[0].deliveries.get(sight.name, {})) if receipts else {}
    for identity, (content, delivery) in sight.records.items():
        where = f"the record of {sight.name} {identity[:30]}"
        if delivery is None or delivery.identity != identity:
            yield broken(
                "deliveries", f"{where} was changed", identity, delivery.identity if delivery else "unreadable"
            )
        elif sha256(content) != seen.get(identity, sha256(content)):
            yield broken("deliveries", f"{where} was changed since the scoring", seen[identity], sha256(content))
    for identity in sorted(set(seen) - set(sight.records)):
        yield broken("deliveries", f"the record of {sight.name} {identity[:30]} is gone", seen[identity], "nothing")


def _against_bytes(sight: Sight, delivery: Delivery) -> Iterator[Check]:
    """The bytes are those of the record, and the raw rows are those of the bytes."""
    where = f"{sight.name} {delivery.identity[:30]}"
    try:
        decoded = rows_of(sight.feed, delivery, {})
        came = Stamped(sight.feed, delivery, decoded, []).rows
    except UpdraftError as fault:
        yield broken("deliveries", f"{where}: {fault.what}", delivery.delivery, "other bytes, or none")
        return
    told, found = (delivery.rows, delivery.columns), (decoded.count, tuple(decoded.header))
    if told != found and not delivery.redacted:
        yield broken("deliveries", f"the record of {where} is not about its bytes", found, told)
    if sight.scene.same_definition:
        stored = sight.of(delivery)
        # Numbered behind the rows of a snapshot are those that say what is gone; they came in no bytes.
        own = stored.filter(pc.less_equal(stored["row"], decoded.count)) if sight.feed.source.snapshot else stored
        if len(own) != len(came):
            came = came.filter(pc.is_in(came["row"], own["row"].combine_chunks()))
        expected = aligned(came, own.schema)
        if not _same(own, expected):
            yield from _differing(where, expected, own)


def _same(stored: Rows, delivered: Rows) -> bool:
    if len(stored) != len(delivered):
        return False
    one, other = (rows.sort_by("row").combine_chunks() for rows in (stored, delivered))
    return one.equals(other) or digest(one) == digest(other)  # a number that is none equals no other


def _differing(where: str, expected: Rows, stored: Rows) -> Iterator[Check]:
    """The first rows that are not as delivered, each with the first column at fault."""
    came, wrong = {row["row"]: row for row in expected.to_pylist()}, 0
    for row in stored.to_pylist():
        own = came.get(row["row"], {})
        column = next((name for name in row if row[name] != own.get(name)), "")
        if column and wrong < SHOWN:
            wrong += 1
            what = f"raw row {row['row']} of {where}: {column} is not as delivered"
            yield broken("raw rows", what, own.get(column), row[column])
    if not wrong:
        yield broken("raw rows", f"raw rows of {where} stand there more than once", len(expected), len(stored))


def _accounted(sight: Sight) -> Iterator[Check]:
    """Of every delivery each row is published, held, discarded or superseded; snapshots leave out what they repeat."""
    if sight.feed.source.snapshot:
        return
    try:
        accounts = account(sight.scene.case, sight.name, sight.keys, sight.scene.lake)
    except (UpdraftError, ValueError, TypeError, KeyError) as fault:
        yield Check("raw rows", "unknown", f"the rows of {sight.name} cannot be accounted for: {fault!s:.200}")
        return
    for one in [one for one in accounts if not one.adds_up][:SHOWN]:
        what = f"not every row of {sight.name} {one.delivery.identity[:30]} is in its place"
        yield broken("raw rows", what, f"{one.delivered} rows", f"{one.published} published, {one.held} held")


def _strangers(sight: Sight) -> Iterator[Check]:
    """No raw row is of a delivery that is not on record."""
    unknown = [identity for identity in sight.counts["published"] if identity not in sight.records]
    for identity in unknown[:SHOWN]:
        what = f"raw rows of {sight.name} in {identity.partition('/')[0]} are of a delivery without a record"
        yield broken("raw rows", what, "a delivery on record", identity.partition("/")[2])
