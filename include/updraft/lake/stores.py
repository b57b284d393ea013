"""Stores of objects: a folder, or whatever a URI leads to."""

from functools import lru_cache
from typing import Any


def store(uri: str, options: tuple[tuple[str, str], ...]) -> Any:
    """The store below a folder or a URI.

    :param options: Storage options as delta-rs and object_store name them.
    """
    from obstore.store import LocalStore

    return _remote(uri, options) if "://" in uri else LocalStore(uri, mkdir=True)


@lru_cache(maxsize=4)  # a new HTTP client per object made reading five times slower
def _remote(uri: str, options: tuple[tuple[str, str], ...]) -> Any:
    from obstore.store import from_url

    # delta-rs takes one flat list of options; obstore panics on those that belong to the HTTP client.
    client: Any = {k: v for k, v in options if k in ("allow_http", "timeout", "connect_timeout")}
    store: Any = {k: v for k, v in options if k not in client}
    return from_url(uri, client_options=client, **store)
