"""Where the path of a source leads: below the inbox or into a bucket, or to a URL of its own."""

import re
from dataclasses import dataclass

from updraft.errors import did_you_mean

STORES = ("s3", "gs", "az", "abfs", "abfss")
_BUCKET = r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}"
_ACCOUNT = r"[a-z0-9]{3,24}\.(dfs|blob)\.core\.windows\.net"
_BUCKETS = {scheme: re.compile(_BUCKET) for scheme in STORES} | {
    scheme: re.compile(f"{_BUCKET}(@{_ACCOUNT})?") for scheme in ("abfs", "abfss")
}
_OPEN = re.compile(r"[{*?\[]")


@dataclass(frozen=True)
class Place:
    """A path, taken apart.

    :param scheme: Of its URL; empty for a path below the inbox.
    :param root: URL of the bucket or container, or the folder that a file URL begins with; empty without a URL.
    :param below: What is left: the template of names below the root.
    """

    scheme: str
    root: str
    below: str

    @property
    def store(self) -> bool:
        """Whether it is an object store."""
        return self.scheme in STORES

    @property
    def url(self) -> str:
        """What stands before a name below the root in the name of a delivery."""
        return f"file://{self.root.rstrip('/')}/" if self.scheme == "file" else f"{self.root}/" if self.root else ""


def place(path: str) -> Place:
    """Take a path apart.

    :raises ValueError: If it is a URL of an unknown scheme, or one that does not name its bucket and nothing else.

    >>> place("parcels/{partition}.csv")
    Place(scheme='', root='', below='parcels/{partition}.csv')
    >>> place("s3://bucket/parcels/{partition}.csv")
    Place(scheme='s3', root='s3://bucket', below='parcels/{partition}.csv')
    >>> place("file:///srv/in/{partition}/*.csv")
    Place(scheme='file', root='/srv/in', below='{partition}/*.csv')
    """
    scheme, is_url, rest = path.partition("://")
    if not is_url:
        return Place("", "", path)
    if scheme not in (*STORES, "file"):
        raise ValueError(f"`path` knows no scheme {scheme[:20]!r}; {did_you_mean(scheme, (*STORES, 'file'))}")
    bucket, _, below = rest.partition("/")
    if scheme == "file":
        if bucket:
            raise ValueError("a `path` on this machine has three slashes: file:///folder/{partition}.csv")
        return _folder(below.split("/"))
    if not _BUCKETS[scheme].fullmatch(bucket):
        # Not shown: whoever writes keys into a URL would find them in a log.
        raise ValueError(f"`path` must be {scheme}://BUCKET/NAME, with no keys and nothing to fill in before the name")
    return Place(scheme, f"{scheme}://{bucket}", below)


def _folder(parts: list[str]) -> Place:
    """The folder is everything before the first part that is to be filled in, or the last part."""
    fixed = [number for number, part in enumerate(parts) if _OPEN.search(part)]
    begin = min([*fixed, len(parts) - 1])
    return Place("file", "/" + "/".join(parts[:begin]), "/".join(parts[begin:]))
