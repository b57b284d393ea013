"""One value, one text: the JSON whose bytes are hashed."""

import json
from typing import Any


def dump(value: Any) -> bytes:
    """Write JSON with sorted keys, no blanks and ASCII only, so that equal values have equal bytes.

    :raises ValueError: If a number is not finite; JSON has no word for it.

    >>> dump({"b": 1, "a": [0.1, None, "é"]})
    b'{"a":[0.1,null,"\\\\u00e9"],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def parse(content: bytes) -> Any:
    """Read JSON.

    :raises ValueError: If it is not JSON.
    """
    return json.loads(content)
