"""A PostgreSQL of the tests' own, made from Debian's binaries and gone when they end.

Without the binaries the tests fail where `CI` is set, and are skipped with the reason elsewhere.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

OWNER, PASSWORD = "owner", "canary-secret"
_MISSING = "PostgreSQL's binaries are not here: apt-get install postgresql"


@dataclass(frozen=True)
class Postgres:
    """A running server on a port of this machine."""

    port: int
    password: str = field(default=PASSWORD, repr=False)

    def run(self, *statements: str) -> None:
        """Run statements as the owner."""
        with psycopg.connect(**self.place, autocommit=True) as link:
            for statement in statements:
                link.execute(statement)

    @property
    def place(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "user": OWNER, "password": PASSWORD, "dbname": "postgres"}


@contextmanager
def cluster() -> Iterator[Postgres]:
    """Start a server of one's own; stop it and remove its files at the end, whatever happened."""
    binaries = _binaries()
    # Not below pytest's folders: as root they are closed to the user that PostgreSQL insists on.
    folder = Path(tempfile.mkdtemp(prefix="updraft-postgres-"))
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        with _server(binaries, folder, who) as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(binaries: Path, folder: Path, who: dict[str, Any]) -> Iterator[Postgres]:
    (folder / "password").write_text(PASSWORD)
    if who:
        for path in (folder, folder / "password"):
            shutil.chown(path, who["user"], who["group"])
    made = [binaries / "initdb", "-D", folder / "data", "-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]
    made += ["--pwfile", folder / "password", "--locale", "C"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    postgres = Postgres(_free_port())
    settings = {"listen_addresses": "127.0.0.1", "port": postgres.port, "unix_socket_directories": "", "fsync": "off"}
    told = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([binaries / "postgres", "-D", folder / "data", *told], stderr=log, cwd=folder, **who)
    try:
        _wait_until_up(server, postgres, folder / "log")
        yield postgres
    finally:
        server.send_signal(signal.SIGINT)  # what still runs is ended; SIGTERM would wait for it
        server.wait(timeout=60)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and os.environ.get("CI"):
        pytest.fail(_MISSING)
    if not found:
        pytest.skip(_MISSING)
    return found[-1].parent


def _wait_until_up(server: "subprocess.Popen[bytes]", postgres: Postgres, log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            with psycopg.connect(**postgres.place):
                return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text())


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
