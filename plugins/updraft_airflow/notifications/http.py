"""One POST: tried again while the other side stumbles, and never quoted, for its address may be a secret."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

TRIES = 3
TIMEOUT = 10.0

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


class NotTaken(Exception):  # noqa: N818 - says what became of a message
    """The other side did not take it."""


class _Stumbled(NotTaken):
    """The other side may take it in a moment."""


class _Discreet(logging.Filter):
    """Keep httpx from logging the address of what is posted here."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _quiet.get()


logging.getLogger("httpx").addFilter(_Discreet())


@retry(
    retry=retry_if_exception_type(_Stumbled),
    wait=wait_random_exponential(multiplier=0.3, max=5),
    stop=stop_after_attempt(TRIES),
    reraise=True,
)
def post(url: str, content: bytes, headers: dict[str, str], timeout: float = TIMEOUT) -> None:
    """Post JSON; the answer's body is not read, and a redirect is not followed.

    :raises NotTaken: With what may be shown: a status, or the kind of fault.
    """
    try:
        with _discreetly(), httpx.Client(timeout=timeout) as client:
            how = {"Content-Type": "application/json", **headers}
            with client.stream("POST", url, content=content, headers=how) as answer:
                status = answer.status_code
    except httpx.TransportError as fault:
        raise _Stumbled(type(fault).__name__) from None  # its own words may hold the address
    except (httpx.InvalidURL, ValueError):
        raise NotTaken("its address cannot be one") from None
    if status == 429 or status >= 500:
        raise _Stumbled(f"it answered {status}")
    if not 200 <= status < 300:
        raise NotTaken(f"it answered {status}")


@contextmanager
def _discreetly() -> Iterator[None]:
    before = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(before)
