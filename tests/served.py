"""Servers on this machine: one that answers as a test tells it, well or badly, and moto's S3."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class Asked:
    """A request, and how to answer it."""

    handler: BaseHTTPRequestHandler
    number: int
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.handler.path

    @property
    def headers(self) -> Any:
        return self.handler.headers

    def say(self, body: bytes = b"", status: int = 200, *, length: int | None = None, **headers: str) -> None:
        """Answer; `length` claims another number of bytes than are sent."""
        self.start(status, len(body) if length is None else length, **headers)
        if self.handler.command != "HEAD":
            self.handler.wfile.write(body)

    def start(self, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.handler.send_header("Content-Length", str(length))
        self.handler.send_header("Connection", "close")
        self.handler.end_headers()

    def drop(self) -> None:
        """Cut the connection without a word more."""
        self.handler.wfile.flush()
        self.handler.connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Server:
    """A server and what it was asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    api: Any = None

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


@contextmanager
def serving(answer: Callable[[Asked], None]) -> Iterator[Server]:
    """Serve on a port of this machine; what `answer` does with each request is up to the test."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = Asked(self, len(server.asked), self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            server.asked.append(asked)
            try:
                answer(asked)
            except (BrokenPipeError, ConnectionResetError):
                return  # the other side has heard enough

        do_HEAD = do_POST = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            return

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = Server(listener.server_address[1])
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


@dataclass(frozen=True)
class Moto:
    """moto's S3 server."""

    address: str

    def check_keys(self, on: bool) -> None:
        """Let only known access keys in, or anyone."""
        told = Request(f"{self.address}/moto-api/reset-auth", b"0" if on else b"inf", {"Content-Type": "text/plain"})
        urlopen(told).close()


@contextmanager
def moto() -> Iterator[Moto]:
    """Start moto's S3 in a process of its own: inside this one it hangs."""
    server = Moto(f"http://127.0.0.1:{(port := free_port())}")
    command = [sys.executable, str(Path(__file__).with_name("s3_server.py")), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_up(process, server.address)
        yield server
    finally:
        process.kill()
        process.wait(timeout=30)


def _wait_until_up(process: "subprocess.Popen[bytes]", address: str) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server ended at once"
        try:
            with urlopen(f"{address}/moto-api/", timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(address)
