"""A mail server on this machine that takes mails, or does not, as a test tells it."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser


@dataclass
class Mailbox:
    """A server and what it took.

    :param answers: Codes by verb, where it does not answer as usual; 0 cuts the connection.
    :param logins: Login and password of those who came in.
    """

    port: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Mailbox]:
    """Serve on a port of this machine."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mailbox")
            while line := self.rfile.readline().decode().strip():
                verb, _, rest = line.partition(" ")
                code = box.answers.get(verb.upper())
                if code == 0:
                    return
                if code:
                    self._say(f"{code} not today")
                elif not self._understood(verb.upper(), rest):
                    return

        def _understood(self, verb: str, rest: str) -> bool:
            if verb == "EHLO":
                self._say("250-mailbox\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                _, login, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                box.logins.append((login, password))
                self._say("235 welcome")
            elif verb == "DATA":
                self._say("354 go on")
                box.mails.append(BytesParser(policy=policy.default).parsebytes(self._data()))  # type: ignore[arg-type]
                self._say("250 taken")
            else:
                if verb == "RCPT":
                    box.recipients.append(rest)
                self._say("221 bye" if verb == "QUIT" else "250 well")
            return verb != "QUIT"

        def _data(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b"."))
            return b"".join(lines)

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
