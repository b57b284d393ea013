"""A report as a page that fetches nothing; whatever the facts hold is text, never markup."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from updraft.card.render import templates


def page(facts: Mapping[str, Any], pictures: Mapping[str, bytes]) -> bytes:
    """Render a page with its pictures in it."""
    inlined = {title: f"data:image/png;base64,{b64encode(png).decode()}" for title, png in pictures.items()}
    found = templates("updraft.health", escape=True).get_template("health.html.j2")
    return found.render(**facts, inlined=inlined).encode()
