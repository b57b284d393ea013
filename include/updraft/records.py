"""Decisions about models, and what they add up to: who is champion, who was, and what is still open."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Literal

import numpy as np

NOTHING = "0" * 64
LONG = 60  # signs from which on a reason is not said twice
Kind = Literal[
    "trained", "refused", "gated", "approved", "challenger", "promoted", "confirmed", "rejected",
    "rolled_back", "retired", "repaired", "incident", "resolved", "decided",
]  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One decision.

    :param previous: SHA-256 of the bytes of the record before; 64 zeros for the first.
    :param at: Wall clock in UTC; informative, never an order.
    :param partition: Key of the partition the decision stands at.
    :param model: Digest of the model it is about.
    :param token: Tells this attempt from any other, so that a writer whose reply got lost knows its own record.
    """

    sequence: int
    previous: str
    kind: Kind
    at: str
    partition: str | None
    who: str
    why: str
    model: str | None
    facts: Mapping[str, Any]
    token: str


@dataclass(frozen=True)
class State:
    """What the records add up to.

    :param head: Sequence of the newest record, 0 when there is none.
    :param head_digest: What the next record must name as `previous`.
    :param champion: Digest of the model whose scores count; `None` is declared, not unknown.
    :param previous: Earlier champions to fall back to, newest last; never the champion, and none twice.
    :param open_incidents: Incidents since the champion last changed that no later record has closed.
    :param records: Everything, in order.
    """

    head: int = 0
    head_digest: str = NOTHING
    champion: str | None = None
    challenger: str | None = None
    previous: tuple[str, ...] = ()
    open_incidents: tuple[Record, ...] = ()
    records: tuple[Record, ...] = field(default=(), repr=False)


def add_up(records: Sequence[Record], head_digest: str) -> State:
    """State after `records`, the newest of which has the digest `head_digest`.

    Only the order counts, never the clock.
    """
    state = reduce(_add, records, State())
    return replace(state, head=len(records), head_digest=head_digest, records=tuple(records))


def _add(state: State, record: Record) -> State:
    """What one more record makes of the models."""
    model = record.model
    match record.kind:
        case "challenger":
            return replace(state, challenger=model)
        case "promoted":
            earlier = tuple(m for m in (*state.previous, state.champion) if m not in (None, model))
            challenger = None if state.challenger == model else state.challenger
            return replace(state, champion=model, previous=earlier, challenger=challenger, open_incidents=())
        case "rolled_back":
            # What was skipped on the way down is broken, what was left is bad: neither is fallen back to again.
            older = state.previous[: state.previous.index(model)] if model in state.previous else ()
            return replace(state, champion=model, previous=older, open_incidents=())
        case "rejected" | "retired":
            return _withdraw(state, record)
        case "incident":
            return replace(state, open_incidents=(*state.open_incidents, record))
        case "decided" | "resolved":
            closed = record.facts.get("closes", ())
            return replace(state, open_incidents=tuple(i for i in state.open_incidents if i.sequence not in closed))
    return state


def _withdraw(state: State, record: Record) -> State:
    challenger = None if record.model == state.challenger else state.challenger
    if record.kind == "rejected":
        return replace(state, challenger=challenger)
    champion = None if record.model == state.champion else state.champion
    previous = tuple(m for m in state.previous if m != record.model)
    return replace(state, challenger=challenger, champion=champion, previous=previous)


def canonical(value: object) -> bytes:
    """Write a value as JSON in the one way that gives equal bytes for equal values.

    >>> canonical({"b": float("nan"), "a": (1, np.float32(0.5))})
    b'{"a":[1,0.5],"b":null}'
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def digest(content: bytes) -> str:
    """SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def reasons(records: Sequence[Record]) -> dict[int, str]:
    """Reason of each record by its number; a long one that an earlier record gave already is not said again.

    A decision often repeats what it was about, and a rejection what the gates said.
    """
    first = {record.why: record.sequence for record in reversed(records)}
    return {
        record.sequence: record.why
        if first[record.why] == record.sequence or len(record.why) <= LONG
        else f"as record {first[record.why]}"
        for record in records
    }
