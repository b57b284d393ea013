"""Write a proposal as a part of `spec.yaml`, a line per column."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LITERALS = {"true", "false", "null"}


def text(proposal: Mapping[str, Any], notes: Sequence[str]) -> str:
    """A proposal as YAML, with notes as comments above it."""
    lines = [f"# {' '.join(note.split())}" for note in notes]
    for field, value in proposal.items():
        if field == "columns":
            lines += ["columns:", *(f"  {name}: {_flow(column)}" for name, column in value.items())]
        else:
            lines.append(f"{field}: {_flow(value)}")
    return "\n".join([*lines, ""])


def _flow(value: Any) -> str:
    """A value as YAML in one line.

    >>> _flow({"type": "integer", "range": [0.0, None], "among": ["AA", "1", "no"]})
    '{type: integer, range: [0, null], among: [AA, "1", no]}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _LITERALS:
        return value
    return json.dumps(value, ensure_ascii=False)
