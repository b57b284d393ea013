"""What of a delivery is staged: its bytes as they came, or a copy without the personal data the spec marks."""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path
from typing import IO

from updraft.errors import Permanent
from updraft.ingest.feed import Delivery, Feed
from updraft.lake import Lake
from updraft.settings import Settings
from updraft.sources.decode import Decoded, decode, finished, personal

VARIABLE = "UPDRAFT_PERSONAL_KEY"
_SHORTEST = 16
_MARK = "personal/key"


def opened(feed: Feed, data: IO[bytes], *, compressed: bool) -> tuple[Decoded, IO[bytes]]:
    """Rows of a delivery as it came, and what to stage of it: its bytes, or a copy when they must not be.

    :raises DeliveryRefused: If it cannot be read as the spec declares it.
    :raises Permanent: If values are to be hashed and there is no key.
    """
    source = feed.source
    if not source.personal:
        return decode(data, source, compressed=compressed), data
    key = _key(feed.lake) if "hash" in source.personal.values() else b""
    copy = personal.packed(personal.treated(data, source, key, compressed=compressed), source.caps)
    return _copied(feed, copy), copy


def reopened(feed: Feed, delivery: Delivery, staged: IO[bytes]) -> Decoded:
    """Rows of a delivery from what was staged of it."""
    if delivery.redacted:
        return _copied(feed, staged)
    return opened(feed, staged, compressed=delivery.compressed)[0]


def _copied(feed: Feed, copy: IO[bytes]) -> Decoded:
    source = feed.source.stored()
    return finished(lambda: personal.unpacked(copy, source), source)


def place(feed: Feed, identity: str, redacted: str) -> str:
    """Key of what is staged of a delivery; a copy is named by its own digest, since writers differ in their bytes."""
    return feed.place("staging", identity, f"-{redacted[:16]}.parquet" if redacted else "")


def _key(lake: Lake) -> bytes:
    """Secret of the hashes, which must be the one this lake was begun with: other hashes would join nothing.

    :raises Permanent: If there is none, or it is another one.
    """
    key = _given() or _own(lake)
    mark = hmac.digest(key, b"updraft", sha256).hex().encode()
    if not lake.create(_MARK, mark) and lake.get(_MARK) != mark:
        raise Permanent(
            f"The key for personal data is not the one that {lake.location(_MARK)} was made with.",
            next_step=f"set {VARIABLE} to the key this lake was begun with; hashes by another would join nothing.",
        )
    return key


def _given() -> bytes:
    given = os.environ.get(VARIABLE, "").encode()
    if given and len(given) < _SHORTEST:
        raise Permanent(
            f"{VARIABLE} has {len(given)} bytes, fewer than {_SHORTEST}; hashes by it could be guessed.",
            next_step="make one with `openssl rand -hex 32`, and keep it as a secret of every worker.",
        )
    return given


def _own(lake: Lake) -> bytes:
    """The secret of an installation on one machine, made once and readable by its owner alone."""
    if "://" in lake.uri:
        raise Permanent(
            "There is no key to hash personal data with.",
            next_step=f"set {VARIABLE} to the same secret on every worker; `openssl rand -hex 32` makes one.",
        )
    file = Settings.from_env().home / "secrets" / "personal_key"
    if not file.exists():
        _make(file)
    return file.read_bytes()


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_hex(32))
    try:
        os.link(new, file)  # whole, and only once: another process may be here as well
    except FileExistsError:
        pass
    finally:
        new.unlink()
