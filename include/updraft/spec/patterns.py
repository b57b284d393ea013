r"""Regular expressions whose time grows with the text alone, whatever the text.

They are evaluated by RE2. Great Expectations leaves that to pandas, which hands over to Python's own engine what RE2
does not know, and `\d`, `\w`, `\s` and `$` as soon as a value is not plain ASCII; there one value can take for ever.
So the first are refused, and the second are written out.
"""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.S)
_CLASSES = {r"\d": "0-9", r"\w": "0-9A-Za-z_", r"\s": r"\t\n\v\f\r "}
_REFUSED = {
    "look-around": re.compile(r"\(\?<?[=!]"),
    "back-references": re.compile(r"\\[1-9]|\(\?P=|\(\?\("),
    "possessive or atomic groups": re.compile(r"[*+?}]\+|\(\?>"),
    "comments": re.compile(r"\(\?#"),
    "flags other than i and s": re.compile(r"\(\?[-a-zA-Z]*[aLumx]"),
    r"\b, \B, \u, \U or \N": re.compile(r"\\[bBuUN]"),
}
_COUNTS = re.compile(r"\{([0-9]*),?([0-9]*)\}")
_MOST = 1000  # repetitions that RE2 takes


def pattern(text: str) -> str:
    """Return `text` if it is a regular expression that RE2 can evaluate.

    >>> pattern("[A-Z]{3}")
    '[A-Z]{3}'
    """
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as wrong:
        raise ValueError(f"{text[:60]!r} is not a regular expression: {wrong}") from wrong
    bare = "".join(_bare(piece) for piece in _PIECE.findall(text))
    if used := [what for what, sign in _REFUSED.items() if sign.search(bare)]:
        raise ValueError(f"{text[:60]!r} uses {' and '.join(used)}, which RE2 does not know; write it without")
    if any(int(count) > _MOST for pair in _COUNTS.findall(bare) for count in pair if count):
        raise ValueError(f"{text[:60]!r} repeats something more than {_MOST} times; `caps.cell_bytes` limits lengths")
    return text


def whole(text: str) -> str:
    r"""Write a pattern so that it must match a whole string, and so that only RE2 evaluates it.

    >>> whole(r"\d+[\w-]$")
    '\\A(?:[0-9]+[0-9A-Za-z_-]\\Z)\\Z'
    """
    return rf"\A(?:{''.join(_written_out(text))})\Z"


def _bare(piece: str) -> str:
    """A piece that says nothing but what it does to those around it."""
    if piece.startswith("[") and len(piece) > 1:
        return r"\b" if re.search(r"\\[DWSbuUN]", piece) else "x"
    return piece if len(piece) == 1 or piece[1] in "123456789bBuUN" else "x"


def _written_out(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        if piece.startswith("[") and len(piece) > 1:
            yield re.sub(r"\\.", lambda found: _CLASSES.get(found[0], found[0]), piece, flags=re.S)
        elif piece.lower() in _CLASSES:
            yield f"[{'' if piece.islower() else '^'}{_CLASSES[piece.lower()]}]"
        else:
            yield r"\Z" if piece == "$" else piece


Pattern = Annotated[str, AfterValidator(pattern)]
