"""What S3 says about a bucket: the message it puts into a queue when an object was created.

Only the bucket, the kind of event and the object's key are read, and none is handed on: the key is held against the
path that the source declares, and gives the key of a partition or nothing.
Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from typing import Annotated
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from updraft.arrivals.arrival import Arrival, Heard, quoted, together
from updraft.partition import calendar
from updraft.sources.reach import names
from updraft.spec.model import UseCase

LARGEST = 1024 * 1024  # bytes of the largest message that SQS takes
_LONGEST_KEY = 1024  # bytes of the longest key that S3 takes
_DEEPEST = 40  # folders; where a path says `**`, time grows with a power of it

_Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Bucket(_Said):
    name: _Word


class _Object(_Said):
    key: Annotated[str, StringConstraints(min_length=1, max_length=3 * _LONGEST_KEY)]  # URL-encoded


class _Place(_Said):
    bucket: _Bucket
    object: _Object


class _Record(_Said):
    event: _Word = Field(alias="eventName")
    place: _Place = Field(alias="s3")


class _Notification(_Said):
    records: Annotated[list[_Record], Field(alias="Records", min_length=1, max_length=100)]


def said(body: str, case: UseCase, source: str) -> Heard:
    """Deliveries of a source that a message names; a reason for each record that names none."""
    if len(body) > LARGEST:
        return Heard(dropped=(f"a message of {len(body)} characters",))
    try:
        message = _Notification.model_validate_json(body.encode("utf-8", "replace"))
    except ValidationError as malformed:
        # The fault quotes what it could not read; where it lies and of what kind says enough.
        fault = malformed.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the message"
        return Heard(dropped=(f"not a notification of S3: {where}: {fault['type']}",))
    return together([_delivery(record, case, source) for record in message.records])


def _delivery(record: _Record, case: UseCase, source: str) -> Heard:
    declared = case.sources[source]
    if not record.event.removeprefix("s3:").startswith("ObjectCreated:"):
        return Heard(dropped=(f"{quoted(record.event)} is no creation of an object",))
    if declared.s3 is None or record.place.bucket.name != declared.s3.bucket:
        return Heard(dropped=(f"{quoted(record.place.bucket.name)} is not the bucket of {source}",))
    try:
        key = unquote_plus(record.place.object.key, errors="strict")
    except UnicodeDecodeError:
        return Heard(dropped=(f"{quoted(record.place.object.key)} is no key of an object",))
    fits = len(key) <= _LONGEST_KEY and key.count("/") <= _DEEPEST
    partitions = names.named(declared, key, calendar(case)) if fits else []
    if not partitions:
        return Heard(dropped=(f"{quoted(key)} is no delivery of {source}",))
    return Heard(tuple(Arrival(case.name, source, partition) for partition in partitions))
