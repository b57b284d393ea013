"""Objects in a bucket of any store that speaks S3, one or several per partition.

An object is there when it is whole, so nothing is looked at twice. What is read is one version of it: every part is
asked for by the ETag seen first, and a read that is cut off goes on where it ended.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from updraft.errors import DeliveryMissing, DeliveryRefused, SpecInvalid
from updraft.sources import Connection, Found, Site
from updraft.sources.reach import names
from updraft.spec.kinds import S3
from updraft.spec.sources import Source
from updraft.spool import CHUNK

_CUTS = 5  # reads in a row that may end without a single new byte
_LITERAL = re.compile(r"[^*?\[]*")
_GONE = {"404", "NoSuchKey", "NotFound"}
_REPLACED = {"412", "PreconditionFailed"}


def find(source: Source, partitions: Sequence[str], site: Site) -> list[Found]:
    """Objects of `partitions` whose name fits, in the order of partitions and names.

    :raises SourceClosed: If the store does not let the connection in.
    """
    asked = _asked(source)
    connection = site.connections(asked.connection)
    with _translated(connection, asked.bucket):
        client = _client(connection)
        return [
            Found(key, f"s3://{asked.bucket}/{name}")
            for key in partitions
            for name in _listed(client, asked.bucket, names.patterns(source, key))
            if asked.complete == "atomic" or _marked(client, asked.bucket, name)
        ]


def fetch(source: Source, found: Found, site: Site, into: IO[bytes]) -> None:
    """Write the bytes of an object, of one version of it.

    :raises DeliveryMissing: If it is gone, or was replaced while it was read.
    :raises DeliveryRefused: If it is larger than the spec allows.
    :raises SourceClosed: If the store does not let the connection in.
    :raises SourceUnavailable: If it does not answer.
    """
    asked = _asked(source)
    connection = site.connections(asked.connection)
    place = {"Bucket": asked.bucket, "Key": found.origin.removeprefix(f"s3://{asked.bucket}/")}
    with _translated(connection, found.origin):
        client = _client(connection)
        seen = client.head_object(**place)
        if seen["ContentLength"] > source.caps.bytes:
            raise DeliveryRefused(
                f"{found.origin} has {seen['ContentLength']} bytes, the spec allows {source.caps.bytes}.",
                next_step="deliver it in smaller objects, or raise `caps.bytes`.",
            )
        _read(client, place, seen["ETag"], seen["ContentLength"], connection, into)


def _asked(source: Source) -> S3:
    assert source.s3 is not None  # the spec sees to it
    return source.s3


def _client(connection: Connection) -> Any:
    """Client of a connection: its login and password are the access key, the extra may name endpoint and region."""
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]

    if connection.client is not None:
        return connection.client()
    extra = connection.extra
    return boto3.client(
        "s3",
        aws_access_key_id=connection.login or None,
        aws_secret_access_key=connection.password or None,
        aws_session_token=extra.get("aws_session_token"),
        endpoint_url=extra.get("endpoint_url"),
        region_name=extra.get("region_name"),
        config=Config(retries={"max_attempts": 4, "mode": "standard"}, connect_timeout=10, read_timeout=60),
    )


def _listed(client: Any, bucket: str, patterns: Sequence[str]) -> Iterator[str]:
    prefix = _LITERAL.match(patterns[0])
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix[0] if prefix else "")
    there = sorted(each["Key"] for page in pages for each in page.get("Contents", ()))
    yield from (
        name for name in there if names.finished(name) and any(names.fits(name, pattern) for pattern in patterns)
    )


def _marked(client: Any, bucket: str, name: str) -> bool:
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    folder = name.rpartition("/")[0]
    try:
        client.head_object(Bucket=bucket, Key=f"{folder}/{names.MARKER}" if folder else names.MARKER)
    except ClientError as fault:
        if _code(fault) in _GONE:
            return False
        raise
    return True


def _read(client: Any, place: dict[str, str], etag: str, size: int, connection: Connection, into: IO[bytes]) -> None:
    """Write the object, byte for byte, however often the connection is cut."""
    from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError

    read, cuts = 0, 0
    while read < size:
        before = read
        try:
            answer = client.get_object(**place, IfMatch=etag, Range=f"bytes={before}-{size - 1}")
            for chunk in answer["Body"].iter_chunks(CHUNK):
                read += into.write(chunk)
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError) as cut:
            cuts = 0 if read > before else cuts + 1
            if cuts >= _CUTS:
                raise connection.silent(cut) from cut
        if read > size:
            raise connection.silent(f"it sent {read} bytes of {size}")


@contextmanager
def _translated(connection: Connection, place: str) -> Iterator[None]:
    """Turn the faults of the store into errors of Updraft that hold no secret."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as without:
        raise connection.closed("there is no access key") from without
    except ClientError as fault:
        status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if _code(fault) == "NoSuchBucket":
            raise SpecInvalid(
                f"There is no bucket {place!r}.", next_step="correct `s3.bucket` in spec.yaml."
            ) from fault
        if _code(fault) in _GONE:
            raise DeliveryMissing(f"{place} is not there.", next_step="ask the sender, then try again.") from fault
        if _code(fault) in _REPLACED:
            raise DeliveryMissing(f"{place} was replaced while it was read.", next_step="try again.") from fault
        if status in (400, 401, 403):
            raise connection.closed(_code(fault)) from fault
        raise connection.silent(_code(fault)) from fault
    except BotoCoreError as fault:
        raise connection.silent(type(fault).__name__) from fault


def _code(fault: Any) -> str:
    return str(fault.response.get("Error", {}).get("Code", ""))
