"""Durations as people write them: `90m`, `6h`, `1d`, `2w`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([0-9]{1,4})([mhdw])\Z")


def parse(text: object) -> timedelta:
    """Read a duration.

    >>> parse("6h")
    datetime.timedelta(seconds=21600)
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.match(text) if isinstance(text, str) else None
    if not match:
        raise ValueError("a duration is a whole number and a unit: 90m, 6h, 1d or 2w")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def render(length: timedelta) -> str:
    """Write a duration in its largest whole unit.

    >>> render(timedelta(hours=36)), render(timedelta(days=2))
    ('36h', '2d')
    """
    minutes = int(length.total_seconds() // 60)
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def spoken(length: timedelta) -> str:
    """Say a duration as people do, in its two largest units.

    >>> spoken(timedelta(minutes=1709)), spoken(timedelta(hours=28)), spoken(timedelta(seconds=20))
    ('28 h 29 min', '28 h', '20 s')
    >>> spoken(timedelta(days=3, hours=4, minutes=5)), spoken(timedelta(days=2))
    ('3 days 4 h', '2 days')
    """
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 48 * 3600:
        large, small, units = seconds // 3600, seconds % 3600 // 60, ("h", "min")
    else:
        large, small, units = seconds // 86400, seconds % 86400 // 3600, ("days", "h")
    return " ".join(f"{number} {unit}" for number, unit in zip((large, small), units, strict=True) if number)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse),
    PlainSerializer(render),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{1,4}[mhdw]$"}),
]
