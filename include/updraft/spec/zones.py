"""Time zones by their IANA names."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def zone(word: str) -> str:
    """Return `word` if it is a zone this machine knows.

    >>> zone("America/New_York")
    'America/New_York'
    """
    try:
        ZoneInfo(word)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError(f"{word[:80]!r} is not an IANA time zone, such as America/New_York") from unknown
    return word


Zone = Annotated[str, AfterValidator(zone)]
