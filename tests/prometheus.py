"""A Prometheus of one's own, from Debian's binary, on a free port of this machine.

Without the binary the tests fail where `CI` is set, and are skipped with the reason elsewhere.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from tests.served import free_port

_MISSING = "there is no Prometheus; on Debian: apt-get install prometheus"


class Prometheus:
    """One that scrapes."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, expression: str) -> list[dict[str, str]]:
        """Labels of the series that an expression finds now, each with its `value`."""
        with urlopen(f"{self.address}/api/v1/query?query={quote(expression)}", timeout=5) as answer:
            found = json.load(answer)["data"]["result"]
        return [{**one["metric"], "value": one["value"][1]} for one in found]

    def wait_for(self, expression: str, seconds: float = 60) -> list[dict[str, str]]:
        """The same, once it finds anything."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if found := self.ask(expression):
                return found
            time.sleep(0.2)
        raise TimeoutError(f"{expression} finds nothing")


@contextmanager
def prometheus(folder: Path, configuration: str) -> Iterator[Prometheus]:
    """Start one; `configuration` is its YAML."""
    binary = shutil.which("prometheus")
    if not binary and os.environ.get("CI"):
        pytest.fail(_MISSING)
    if not binary:
        pytest.skip(_MISSING)
    (folder / "prometheus.yml").write_text(configuration, encoding="utf-8")
    server = Prometheus(port := free_port())
    places = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    log = (folder / "log").open("wb")
    with (
        log,
        subprocess.Popen(
            [binary, *places, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log
        ) as running,
    ):
        try:
            _wait(server, running, folder)
            yield server
        finally:
            running.kill()


def _wait(server: Prometheus, running: "subprocess.Popen[bytes]", folder: Path) -> None:
    for _ in range(300):
        assert running.poll() is None, (folder / "log").read_text()
        try:
            urlopen(f"{server.address}/-/ready", timeout=5).close()
        except (URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError((folder / "log").read_text())
