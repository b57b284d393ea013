"""Facts as a page that fetches nothing, and as Markdown; whatever the facts hold is text, never markup."""

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_MARKUP = re.compile(r"([\\`*_\[\]<>|!#&~])")


def html(facts: Mapping[str, Any], pictures: Mapping[str, bytes]) -> bytes:
    """Render a page with its pictures in it; its own policy lets a browser fetch nothing."""
    inlined = {name: f"data:image/png;base64,{b64encode(png).decode()}" for name, png in pictures.items()}
    page = templates("updraft.card", escape=True).get_template("card.html.j2").render(**facts, inlined=inlined)
    return page.encode()


def markdown(facts: Mapping[str, Any]) -> bytes:
    """Render Markdown that shows the pictures lying beside it."""
    return templates("updraft.card", escape=False).get_template("card.md.j2").render(**facts).encode()


@lru_cache
def templates(package: str, *, escape: bool) -> "Environment":
    """Templates of a package; `escape` for HTML, and otherwise what Markdown would obey is taken the power of."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(package),
        autoescape=escape,  # noqa: S701 - Markdown has escapes of its own, in `_text`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=None if escape else _text,
    )
    found.filters["number"] = _number
    return found


def _number(value: object) -> str:
    """A number to read: four figures, a dash where it is undefined.

    >>> _number(0.123456), _number(25300), _number(None)
    ('0.1235', '25,300', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _text(value: object) -> str:
    r"""A value on one line of Markdown, without what Markdown would obey.

    >>> _text("a|b\n![x](y)")
    'a\\|b \\!\\[x\\](y)'
    """
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split()))
