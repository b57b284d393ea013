"""What an event hands over, held against the spec: an event may be anybody's."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from updraft.arrivals.arrival import Arrival, Heard, quoted, together
from updraft.errors import PartitionInvalid
from updraft.partition import calendar
from updraft.spec.model import UseCase
from updraft.spec.names import Name


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    use_case: Name
    source: Name
    partition: Annotated[str, StringConstraints(max_length=20)]


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    arrivals: Annotated[list[_Named], Field(max_length=100)]


def named(payloads: Iterable[object], case: UseCase) -> Heard:
    """Deliveries of a use case that the payloads of events name; a reason for everything else.

    :param payloads: What `{"arrivals": [{"use_case", "source", "partition"}]}` should be, and may be anything.
    """
    return together([_of(payload, case) for payload in payloads])


def _of(payload: object, case: UseCase) -> Heard:
    try:
        told = _Payload.model_validate(payload)
    except ValidationError as malformed:
        fault = malformed.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in fault["loc"][:4]) or "it"
        return Heard(dropped=(f"not an event about arrivals: {where!a}: {fault['type']}",))
    return together([_known(each, case) for each in told.arrivals])


def _known(told: _Named, case: UseCase) -> Heard:
    if told.use_case != case.name or told.source not in case.sources:
        return Heard(dropped=(f"{told.source} of {told.use_case} is no source of {case.name}",))
    try:
        partition = calendar(case).at(told.partition)
    except PartitionInvalid:
        return Heard(dropped=(f"{quoted(told.partition)} is no partition of {case.name}",))
    return Heard((Arrival(case.name, told.source, partition.key),))
