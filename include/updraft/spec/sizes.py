"""Amounts of memory as people write them: `512MB`, `4GB`."""

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"MB": 1024**2, "GB": 1024**3}
_SIZE = re.compile(r"([1-9][0-9]{0,5})(MB|GB)\Z")


def parse(text: object) -> int:
    """Read an amount in bytes.

    >>> parse("2GB")
    2147483648
    """
    if isinstance(text, int) and not isinstance(text, bool) and text > 0:
        return text
    match = _SIZE.match(text) if isinstance(text, str) else None
    if not match:
        raise ValueError("an amount of memory is a whole number and a unit: 512MB or 4GB")
    return int(match[1]) * _UNITS[match[2]]


def render(size: int) -> str:
    """Write bytes in the largest whole unit, rounded up to megabytes.

    >>> render(4 * 1024**3), render(1536 * 1024**2)
    ('4GB', '1536MB')
    """
    whole, rest = divmod(size, _UNITS["GB"])
    return f"{whole}GB" if not rest else f"{-(-size // _UNITS['MB'])}MB"


Size = Annotated[
    int,
    BeforeValidator(parse),
    PlainSerializer(render),
    WithJsonSchema({"type": "string", "pattern": r"^[1-9][0-9]{0,5}(MB|GB)$"}),
]
