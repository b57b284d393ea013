"""Keys of objects, and partition keys inside predicates: what may stand there, and what could lead elsewhere."""

import re

from updraft.errors import NameInvalid

_PART = re.compile(r"[A-Za-z0-9_.=-]{1,200}")


def checked(path: str) -> str:
    """Refuse a key that could leave the root or mean something to a store or shell."""
    # delta-rs decodes percent signs when it reads, so `%2e%2e` would be a way out.
    if not all(_PART.fullmatch(part) and part.strip(".") for part in path.split("/")):
        raise NameInvalid(
            f"{path[:80]!r} is not a key of the lake.",
            next_step="use names joined by single slashes; keys are generated, never typed by hand.",
        )
    return path


def literal(key: str) -> str:
    """A partition key as it may stand inside a Delta predicate, which takes no bound parameters."""
    if not key or not all(c.isascii() and (c.isalnum() or c in "-:_") for c in key):
        raise NameInvalid(f"{key[:80]!r} is not a partition key.", next_step="use a key of the use case's calendar.")
    return key
