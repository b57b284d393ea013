"""The model card: what a model is for, what it rests on, how good it is, and who let it count; as HTML and Markdown.

- `facts`: what a card says, from manifest, examination, spec and ledger; nothing is computed from data here
- `render`: the facts as a page that fetches nothing, and as Markdown
- `value`: what the decision is worth at every threshold, drawn

A card is written when the gates have spoken and again when it is decided what follows, so it also stands while a person
is asked.
"""

from updraft.card.facts import facts
from updraft.card.render import html, markdown

__all__ = ["facts", "folder", "html", "markdown"]


def folder(use_case: str, digest: str) -> str:
    """Where the card of a model and its pictures lie in the lake."""
    return f"cards/{use_case}/{digest}"
