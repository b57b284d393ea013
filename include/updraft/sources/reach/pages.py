"""Pages of an API: asked for politely, tried again where that helps, and never larger or further than allowed."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin

import httpx
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from updraft.errors import DeliveryMissing, DeliveryRefused, SourceUnavailable, Unchanged
from updraft.sources.reach.connection import Connection
from updraft.sources.reach.tag import Tag

_TRIES = 6
_PATIENCE = 300.0  # seconds a server may ask us to wait
_TIMEOUT = 30.0  # seconds without a byte
_DRIP = 20  # a page may take this many times as long in all
_backoff = wait_random_exponential(multiplier=0.2, max=10)


class _AgainError(SourceUnavailable):
    """Worth asking again, after as many seconds as the server said."""

    after: float | None = None


def _wait(state: RetryCallState) -> float:
    fault = state.outcome.exception() if state.outcome else None
    after = fault.after if isinstance(fault, _AgainError) else None
    return _backoff(state) if after is None else after


@dataclass(frozen=True)
class Page:
    """An answer, whole."""

    url: str
    content: bytes
    headers: Mapping[str, str]


@dataclass
class Desk:
    """Asks one API for pages, all of which together stay within a number of bytes.

    :param rate: Such as `10/second`; counted over all sources of this process that share the connection.
    """

    client: httpx.Client
    connection: Connection
    rate: str
    most: int
    read: int = field(default=0, init=False)

    def get(self, url: str, params: Mapping[str, str] | None = None, tag: Tag | None = None) -> Page:
        """Ask for a page.

        :param tag: Ask only for what it was not before, and note here what it is now.
        :raises DeliveryMissing: If it is not there.
        :raises DeliveryRefused: If it is too large, elsewhere, or the request is wrong.
        :raises SourceClosed: If the connection is not let in.
        :raises SourceUnavailable: If it did not come after several tries.
        :raises Unchanged: If it is what it was before.
        """
        target = self.client.base_url.join(url)
        if (target.scheme, target.host, target.port) != self._origin:
            raise DeliveryRefused(
                f"The API behind {self.connection.id!r} points to another server, {target.host[:80]!r}.",
                next_step="the connection's password stays with its host; correct the connection or `http.pages`.",
            )
        try:
            page = self._tried(target.copy_merge_params(params or {}), tag.last if tag else "")
        except _AgainError as spent:
            raise SourceUnavailable(spent.what, next_step=spent.next_step) from spent.__cause__
        self.read += len(page.content)
        if tag:
            tag.seen = page.headers.get("ETag", "")
        return page

    @property
    def _origin(self) -> tuple[str, str, int | None]:
        base = self.client.base_url
        return base.scheme, base.host, base.port

    @retry(retry=retry_if_exception_type(_AgainError), wait=_wait, stop=stop_after_attempt(_TRIES), reraise=True)
    def _tried(self, target: httpx.URL, known: str) -> Page:
        _take_turn(self.rate, self.connection.id)
        try:
            with self.client.stream("GET", target, headers={"If-None-Match": known} if known else {}) as answer:
                if known and answer.status_code == 304:
                    raise Unchanged(f"{self.connection.id!r} has nothing new.", next_step="wait for something new.")
                self._welcome(answer)
                return Page(str(target), self._content(answer), answer.headers)
        except (httpx.TransportError, httpx.DecodingError) as fault:
            # Not the fault's own words: they may hold the address with its parameters.
            raise self._again(type(fault).__name__) from fault

    def _welcome(self, answer: httpx.Response) -> None:
        """Raise unless the answer is a page."""
        status = answer.status_code
        if status == 429 or status >= 500:
            raise self._again(f"it answered {status}", _after(answer.headers.get("Retry-After")))
        if status in (401, 403, 407):
            raise self.connection.closed(f"it answered {status}")
        if status in (404, 410):
            raise DeliveryMissing(
                f"The API behind {self.connection.id!r} answered {status} for {answer.url.path[:200]}.",
                next_step="wait for it, or correct `http.path`.",
            )
        if status != 200:
            raise DeliveryRefused(
                f"The API behind {self.connection.id!r} answered {status} for {answer.url.path[:200]}.",
                next_step="correct `http.path` and `http.params`, or the connection's host.",
            )

    def _content(self, answer: httpx.Response) -> bytes:
        out, left = bytearray(), self.most - self.read
        until = time.monotonic() + _DRIP * _seconds(self.connection)
        for chunk in answer.iter_bytes(1 << 16):
            out += chunk
            if len(out) > left:
                raise DeliveryRefused(
                    f"The API behind {self.connection.id!r} gave more than {self.most} bytes; the spec allows no more.",
                    next_step="ask for less, use shorter partitions, or raise `caps.bytes`.",
                )
            if time.monotonic() > until:
                raise self.connection.silent("it sends too slowly to ever end")
        return bytes(out)

    def _again(self, said: str, after: float | None = None) -> _AgainError:
        passing = self.connection.silent(said)
        again = _AgainError(passing.what, next_step=passing.next_step)
        again.after = after
        if after is not None and after > _PATIENCE:
            raise self.connection.silent(f"{said} and asks to come back in {after:.0f} seconds")
        return again


def client(connection: Connection) -> httpx.Client:
    """HTTP client of a connection: a login makes it basic, a password alone a bearer token.

    Its extra may hold `headers`, and `timeout` in seconds. Redirects are not followed: they lead elsewhere.
    """
    headers = {str(name): str(value) for name, value in dict(connection.extra.get("headers") or {}).items()}
    basic = httpx.BasicAuth(connection.login, connection.password) if connection.login else None
    if connection.password and basic is None:
        headers["Authorization"] = f"Bearer {connection.password}"
    return httpx.Client(base_url=_base(connection), auth=basic, headers=headers, timeout=_seconds(connection))


def linked(page: Page) -> str | None:
    """Address that the `Link` header gives for the next page."""
    links: dict[str | None, Any] = httpx.Response(200, headers={"Link": page.headers.get("Link", "")}).links
    told = links.get("next", {}).get("url")
    return urljoin(page.url, told) if told else None


def _base(connection: Connection) -> str:
    if "://" in connection.host:
        where = connection.host
    else:
        where = f"{connection.schema or connection.kind or 'https'}://{connection.host}"
    if not where.startswith(("http://", "https://")) or not connection.host:
        raise connection.closed("it names no host that is reached over HTTP")
    return f"{where}:{connection.port}" if connection.port else where


def _seconds(connection: Connection) -> float:
    return float(connection.extra.get("timeout") or _TIMEOUT)


def _after(said: str | None) -> float | None:
    """Seconds of a `Retry-After`, which holds them or a date.

    >>> _after("3"), _after(None), _after("soon"), _after("Thu, 01 Jan 1970 00:00:00 GMT")
    (3.0, None, None, 0.0)
    """
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


@lru_cache(maxsize=1)
def _limiter() -> Any:
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    return MovingWindowRateLimiter(MemoryStorage())


def _take_turn(rate: str, name: str) -> None:
    """Wait until another request is within the rate."""
    from limits import parse

    while not _limiter().hit(parse(rate), name):
        turn = _limiter().get_window_stats(parse(rate), name).reset_time
        time.sleep(min(60.0, max(0.01, turn - time.time())))
