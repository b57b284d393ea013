"""Read moments: ISO 8601 text with a zone, or without one in a declared zone; never epoch numbers, never a guess."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from updraft.sources.decode.carried import Column, Fault, Mask, mask
from updraft.spec.sources import Fold

STAMP = pa.timestamp("us", "UTC")
_FIRST, _LAST = datetime(1000, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_LEAP = r"(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26]|[1-9]0)00)"
_DATE = (
    r"(?:[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|[1-9][0-9]{3}-(?:0[13-9]|1[0-2])-(?:29|30)"
    r"|[1-9][0-9]{3}-(?:0[13578]|1[02])-31"
    rf"|{_LEAP}-02-29)"
)
_TIME = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_ZONE = r"(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"


def from_text(text: Column, zone: str | None, fold: Fold = "refuse") -> tuple[Column, list[Fault]]:
    """Moments in UTC, and where the text is none.

    :param zone: IANA zone of text that names none; when there is none either, such text is at fault.
    """
    zoned = pc.match_substring_regex(text, f"^{_DATE}{_TIME}{_ZONE}$")
    values = pc.if_else(zoned, text, None).cast(STAMP)
    rest = pc.if_else(zoned, None, text)
    if rest.null_count == len(rest):
        return in_range(values)
    local = pc.match_substring_regex(rest, f"^{_DATE}(?:{_TIME})?$")
    naive, faults = from_local(pc.if_else(local, rest, None).cast(pa.timestamp("us")), zone, fold)
    values, outside = in_range(pc.coalesce(values, naive))
    neither = mask(pc.and_(rest.is_valid(), pc.invert(local)))
    return values, [*outside, *faults, Fault(neither, "is not an ISO 8601 timestamp such as 2013-04-01T05:00:00Z")]


def from_local(naive: Column, zone: str | None, fold: Fold = "refuse") -> tuple[Column, list[Fault]]:
    """Moments in UTC of wall-clock times in `zone`; those the clock skipped are at fault.

    :param fold: Which of the two moments a time means that the clock showed twice; none by default: it is at fault.
    """
    if zone is None:
        nothing = pa.chunked_array([pa.nulls(len(naive), STAMP)])
        return nothing, [Fault(mask(naive.is_valid()), "names no zone, and the spec declares no `timezone` for it")]
    early: Column = pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest").cast(STAMP)
    late: Column = pc.assume_timezone(naive, zone, ambiguous="latest", nonexistent="latest").cast(STAMP)
    between: Column = pc.subtract(late, early)
    apart = np.nan_to_num(between.cast(pa.int64()).to_numpy())
    values = pc.if_else(pc.equal(early, late), early, None)
    # Around a gap the two readings are the last instant before it and the first after it.
    gap, twice = (apart > 0) & (apart <= 1), apart > 1
    skipped = Fault(gap, f"does not exist in {zone}: the clock skips it")
    if fold == "refuse":
        return values, [skipped, Fault(twice, f"happens twice in {zone}: write it with its offset")]
    return pc.if_else(pa.array(twice), early if fold == "earlier" else late, values), [skipped]


def in_range(values: Column) -> tuple[Column, list[Fault]]:
    """The moments, and where they lie outside the years 1000 to 9999, which not every engine can hold."""
    first, last = (pa.scalar(moment, STAMP) for moment in (_FIRST, _LAST))
    outside: Mask = mask(pc.or_(pc.less(values, first), pc.greater(values, last)))
    return values, [Fault(outside, "lies outside the years 1000 to 9999")]
