"""Rows from an API: JSON or CSV, in one answer or in pages.

JSON becomes JSON lines in an order of their own, so that the same rows are the same bytes in whatever order they came.
CSV stays as it is; of the pages after the first the header is left out.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from urllib.parse import quote

from updraft.errors import DeliveryRefused
from updraft.sources import Found, Site, Tag
from updraft.sources.reach import pages, window
from updraft.sources.reach.pages import Desk, Page
from updraft.sources.reach.window import Window
from updraft.spec.kinds import Http
from updraft.spec.sources import Source

_PAGES = 100_000
_BOM = b"\xef\xbb\xbf"


def find(source: Source, partitions: Sequence[str], site: Site) -> list[Found]:
    """A delivery for each partition whose window is past."""
    return window.past(_asked(source), partitions, site, _asked(source).connection)


def fetch(source: Source, found: Found, site: Site, into: IO[bytes]) -> None:
    """Write the rows of all pages, as JSON lines or CSV.

    :raises DeliveryMissing: If the window is not past, or the API knows nothing of it.
    :raises DeliveryRefused: If the answer has another shape than declared, or exceeds the caps.
    :raises SourceClosed: If the API does not let the connection in.
    :raises SourceUnavailable: If it does not answer after several tries.
    :raises Unchanged: If it says that it has nothing but what it gave before.
    """
    asked = _asked(source)
    span = window.asked_for(asked, found, site)
    connection = site.connections(asked.connection)
    with pages.client(connection) as client:
        desk = Desk(client, connection, asked.rate, source.caps.bytes)
        # Of several pages, the first says nothing about the others.
        tag = site.tag if asked.pages is None else None
        answers = _answers(desk, asked, span, source.format, tag)
        into.writelines(_csv(answers) if source.format == "csv" else _jsonl(answers, asked))


def _asked(source: Source) -> Http:
    assert source.http is not None  # the spec sees to it
    return source.http


def _answers(desk: Desk, asked: Http, span: Window, written: str, tag: Tag | None) -> Iterator[tuple[Page, Any]]:
    """Pages in their order, each with what it says: a JSON value, or lines of CSV."""
    url: str | None = _filled(asked.path, span, quoted=True)
    params = {name: _filled(text, span) for name, text in asked.params.items()}
    seen: set[str | bytes] = set()
    for number in range(1, _PAGES + 1):
        counted = {asked.pages.number: str(number)} if asked.pages and asked.pages.number else {}
        page = desk.get(str(url), {**params, **counted}, tag)
        said = _lines(page.content) if written == "csv" else _parsed(page, desk)
        if counted and not (said[1:] if written == "csv" else _rows(said, asked)):
            return
        mark = page.content if counted else page.url
        if mark in seen:
            raise _endless(number)
        seen = {mark} if counted else {*seen, mark}
        yield page, said
        url, params = (url, params) if counted else (_next(page, said, asked), {})
        if not url or asked.pages is None:
            return
    raise _endless(_PAGES)


def _next(page: Page, said: Any, asked: Http) -> str | None:
    """Address of the next page."""
    if asked.pages is None or asked.pages.link:
        return pages.linked(page)
    told = _within(said, asked.pages.next or "")
    return told if isinstance(told, str) and told else None


def _jsonl(answers: Iterator[tuple[Page, Any]], asked: Http) -> list[bytes]:
    lines = [
        json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
        for _, said in answers
        for row in _rows(said, asked)
    ]
    return sorted(lines)


def _rows(said: Any, asked: Http) -> list[Any]:
    rows = said if asked.rows is None else _within(said, asked.rows)
    if not isinstance(rows, list):
        known = f"; it has {', '.join(map(repr, sorted(said)[:10]))}" if isinstance(said, dict) else ""
        raise DeliveryRefused(
            f"The answer holds no list of rows at {asked.rows or 'its top'!r}{known[:400]}.",
            next_step="say in `http.rows` which field holds them.",
        )
    return rows


def _within(said: Any, path: str) -> Any:
    for part in path.split("."):
        said = said.get(part) if isinstance(said, dict) else None
    return said


def _parsed(page: Page, desk: Desk) -> Any:
    try:
        return json.loads(page.content)
    except (ValueError, RecursionError) as broken:
        raise desk.connection.silent("what it answered is not JSON") from broken


def _csv(answers: Iterator[tuple[Page, Any]]) -> Iterator[bytes]:
    header: bytes | None = None
    for _, lines in answers:
        if header is not None and lines and lines[0].rstrip() != header:
            raise DeliveryRefused("The pages have different headers.", next_step="have each page sent with the same.")
        yield from (_ended(line) for line in (lines if header is None else lines[1:]))
        header = lines[0].rstrip() if lines and header is None else header


def _lines(content: bytes) -> list[bytes]:
    return content.removeprefix(_BOM).splitlines(keepends=True)


def _ended(line: bytes) -> bytes:
    return line if line.endswith((b"\n", b"\r")) else line + b"\n"


def _filled(text: str, span: Window, *, quoted: bool = False) -> str:
    """Fill the partition and its window in; times as `2013-04-01T05:00:00Z`."""
    told = {"partition": span.partition, "start": _iso(span.start), "end": _iso(span.end)}
    for name, value in told.items():
        text = text.replace(f"{{{name}}}", quote(value, safe=":") if quoted else value)
    return text


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _endless(number: int) -> DeliveryRefused:
    return DeliveryRefused(
        f"Page {number} is one that was there before: the pages never end.",
        next_step="check `http.pages` against the API's documentation.",
    )
