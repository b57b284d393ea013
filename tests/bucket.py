"""A bucket that lists and gives objects as Google's XML API or Azure's does, for `served.serving`."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.served import Asked

_WHEN = "Tue, 02 Jan 2024 05:00:00 GMT"


@dataclass
class Bucket:
    """Objects by name, in pages of two.

    :param signature: The `sig` that a request must carry; any, when empty.
    :param cut: Bytes after which the next answers are cut off, `cuts` times.
    :param replaced: Whether an object is another one after the first cut.
    """

    name: str
    signature: str = ""
    closed: bool = False
    cut: int = 100_000
    cuts: int = 0
    replaced: bool = False
    objects: dict[str, bytes] = field(default_factory=dict)
    ranges: list[str] = field(default_factory=list)

    def put(self, name: str, body: bytes) -> None:
        self.objects[name] = body

    def __call__(self, asked: Asked) -> None:
        url = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        bucket, _, name = unquote(url.path).removeprefix("/account").lstrip("/").partition("/")
        if self.closed or (self.signature and query.get("sig") != self.signature):
            return asked.say(b"<Error><Code>AuthenticationFailed</Code></Error>", 403)
        if bucket != self.name or (name and name not in self.objects):
            return asked.say(b"<Error><Code>NotFound</Code></Error>", 404)
        return self._give(asked, name) if name else self._list(asked, query)

    def _list(self, asked: Asked, query: dict[str, str]) -> None:
        azure = query.get("comp") == "list"
        after = query.get("marker" if azure else "continuation-token", "")
        there = [n for n in sorted(self.objects) if n.startswith(query.get("prefix", "")) and n > after]
        more = there[1] if len(there) > 2 else ""
        rows = "".join(_azure(n, self.objects[n]) if azure else _google(n, self.objects[n]) for n in there[:2])
        if azure:
            body = (
                f"<EnumerationResults><Blobs>{rows}</Blobs><NextMarker>{escape(more)}</NextMarker></EnumerationResults>"
            )
        else:
            next_page = f"<NextContinuationToken>{escape(more)}</NextContinuationToken>" if more else ""
            body = f"<ListBucketResult>{rows}{next_page}</ListBucketResult>"
        asked.say(body.encode(), Content_Type="application/xml")

    def _give(self, asked: Asked, name: str) -> None:
        body, tag = self.objects[name], '"two"' if self.replaced and self.ranges else '"one"'
        if asked.handler.command == "HEAD":
            return asked.say(body, ETag=tag, Last_Modified=_WHEN)
        self.ranges.append(asked.headers["Range"] or "")
        if asked.headers["If-Match"] not in (None, tag):
            return asked.say(status=412)
        start = int(found[1]) if (found := re.match(r"bytes=(\d+)-", self.ranges[-1])) else 0
        ranged = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if found else {}
        how = {"ETag": tag, "Last_Modified": _WHEN, **ranged}
        if len(self.ranges) <= self.cuts:
            asked.say(body[start : start + self.cut], 206 if found else 200, length=len(body) - start, **how)
            return asked.drop()
        return asked.say(body[start:], 206 if found else 200, **how)


def _google(name: str, body: bytes) -> str:
    about = f"<Size>{len(body)}</Size><ETag>one</ETag><LastModified>2024-01-02T05:00:00.000Z</LastModified>"
    return f"<Contents><Key>{escape(name)}</Key>{about}</Contents>"


def _azure(name: str, body: bytes) -> str:
    about = f"<Content-Length>{len(body)}</Content-Length><Content-Type>x</Content-Type><Etag>one</Etag>"
    about += f"<Last-Modified>{_WHEN}</Last-Modified>"
    return f"<Blob><Name>{escape(name)}</Name><Properties>{about}</Properties></Blob>"
