"""Names: the one kind of word that may become a table, a DAG id or a column."""

import re
from typing import Annotated

from pydantic import StringConstraints

from updraft.errors import NameInvalid

PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
_NAME = re.compile(PATTERN.removesuffix("$") + r"\Z")

Name = Annotated[str, StringConstraints(pattern=PATTERN)]


def name(word: str) -> str:
    """Return `word` if it is a name.

    :raises NameInvalid: If it is anything else; such a word must never reach a path or SQL.

    >>> name("flight_delays")
    'flight_delays'
    """
    if not isinstance(word, str) or not _NAME.match(word):
        raise NameInvalid(
            f"{str(word)[:80]!r} is not a name.",
            next_step="use 1 to 63 lower-case letters, digits and underscores, starting with a letter.",
        )
    return word
