"""How to reach a system and how to enter it, looked up by name; what is secret is never shown."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from updraft.errors import SourceClosed, SourceUnavailable

_SHORT = 4  # shorter words are too common to be taken out of a message
_HIDDEN = "***"


@dataclass(frozen=True)
class Connection:
    """A connection as Airflow keeps it.

    :param id: Its name.
    :param kind: What it connects to, such as `postgres`, `aws` or `http`.
    :param schema: Database, or the scheme of an HTTP host.
    :param extra: Everything else.
    :param client: Opens the system's client where Airflow knows how to, such as with the role of an AWS connection.
    """

    id: str
    kind: str = ""
    host: str = ""
    port: int | None = None
    schema: str = ""
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    client: Callable[[], Any] | None = field(default=None, repr=False, compare=False)

    def hidden(self, said: object) -> str:
        """One line of what someone said, without anything secret, and short."""
        line = " ".join(str(said).split())
        for secret in sorted(self._secrets(), key=len, reverse=True):
            line = line.replace(secret, _HIDDEN)
        return line[:200]

    def closed(self, said: object) -> SourceClosed:
        """Error for a system that does not let this connection in."""
        return SourceClosed(
            f"The connection {self.id!r} is not let in: {self.hidden(said)}.",
            next_step=f"check login, password and rights of the Airflow connection {self.id!r}.",
        )

    def silent(self, said: object) -> SourceUnavailable:
        """Error for a system that does not answer, or not as it should."""
        return SourceUnavailable(
            f"The system behind the connection {self.id!r} did not answer as it should: {self.hidden(said)}.",
            next_step="check that it is up and that the connection's host and port are right, then try again.",
        )

    def _secrets(self) -> set[str]:
        return {secret for secret in {self.login, self.password, *_texts(self.extra)} if len(secret) >= _SHORT}


def _texts(extra: Mapping[str, Any]) -> Iterator[str]:
    for value in extra.values():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield value


Connections: TypeAlias = Callable[[str], Connection]


def from_environment(name: str) -> Connection:
    """Read the connection in `AIRFLOW_CONN_<NAME>`, a URI or JSON, as Airflow does.

    :raises SourceClosed: If there is none, or it cannot be read.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    said = os.environ.get(variable, "").strip()
    if not said:
        raise SourceClosed(
            f"There is no connection {name!r}.", next_step=f"set {variable}, or add the connection to Airflow."
        )
    try:
        return _from_json(name, said) if said.startswith("{") else _from_uri(name, said)
    except (ValueError, TypeError, AttributeError):
        # Not `from`: the fault quotes what it could not read.
        raise SourceClosed(
            f"The connection in {variable} is neither a URI nor JSON as Airflow writes them.",
            next_step="see Airflow's page on managing connections.",
        ) from None


def made(name: str, kind: str | None, said: Mapping[str, Any], client: Callable[[], Any] | None = None) -> Connection:
    """Connection from its parts, as Airflow names them; what is missing is empty."""
    host, schema, login, password = (str(said.get(part) or "") for part in ("host", "schema", "login", "password"))
    port = int(said["port"]) if said.get("port") else None
    kind = (kind or "").lower().replace("-", "_")
    kind = "postgres" if kind == "postgresql" else kind
    return Connection(name, kind, host, port, schema, login, password, said.get("extra") or {}, client)


def _from_json(name: str, said: str) -> Connection:
    parts = json.loads(said)
    extra = parts.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else dict(extra)
    return made(name, parts.get("conn_type"), {**parts, "extra": extra})


def _from_uri(name: str, said: str) -> Connection:
    kind, _, rest = said.partition("://")
    scheme, inner, address = rest.partition("://")
    # `http://https://host` is an HTTP connection whose host is written with its own scheme.
    prefix, parts = (f"{scheme}://", urlsplit(f"//{address}")) if inner else ("", urlsplit(f"//{rest}"))
    extra: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "__extra__" in extra:
        extra = json.loads(extra["__extra__"])
    # urlsplit lower-cases the host; a file's name is a host to SQLite.
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    place = {"host": prefix + unquote(host) if host else "", "schema": unquote(parts.path[1:])}
    entry = {"login": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    return made(name, kind, {**place, **entry, "port": parts.port, "extra": extra})
