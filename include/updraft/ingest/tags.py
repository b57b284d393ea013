"""What an API called the content it gave last, so that it can say that there is nothing new."""

import hashlib
import json
from collections.abc import Collection

from updraft.ingest.feed import Feed
from updraft.sources import Found, Tag


def last(feed: Feed, found: Found, landed: Collection[str]) -> Tag:
    """The tag of the content that was fetched last for a delivery; none if that is not in the lake (any more).

    :param landed: Identities of deliveries that are.
    """
    if feed.source.http is None:
        return Tag()
    try:
        kept = json.loads(feed.lake.get(_place(feed, found)))
    except FileNotFoundError:
        return Tag()
    return Tag(last=kept["tag"]) if kept["asked"] == _asked(feed) and kept["identity"] in landed else Tag()


def keep(feed: Feed, found: Found, tag: Tag, identity: str) -> None:
    """Keep the tag of content that has landed."""
    if tag.seen and tag.seen != tag.last:
        kept = {"tag": tag.seen, "asked": _asked(feed), "identity": identity}
        feed.lake.put(_place(feed, found), json.dumps(kept).encode())


def _asked(feed: Feed) -> str:
    """Digest of the request: a tag says nothing about another address."""
    said = feed.source.model_dump(mode="json", include={"http", "format"})
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _place(feed: Feed, found: Found) -> str:
    return feed.place("tags", found.partition, ".json")
