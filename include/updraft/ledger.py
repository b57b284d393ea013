"""The ledger: the append-only, hash-chained record of every decision about a use case's models.

One decision is one immutable object, `ledger/<use case>/<sequence>.json`, created by a conditional put, so of two
writers of the same sequence number one wins and the other looks again. Order is the sequence; the clock is a remark.
A change of any record shows in the hash its successor holds; `head` holds that of the newest, and shows a cut tail.
Whoever can rewrite the whole folder can forge it: keep it under object lock where that matters.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, get_args
from uuid import uuid4

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from updraft.errors import LakeUnavailable, LedgerBroken, WriteConflict
from updraft.lake import Lake
from updraft.records import NOTHING, Kind, Record, State, add_up, canonical, digest
from updraft.spec.names import name

__all__ = ["FACTS_LIMIT", "Kind", "Ledger", "Record", "State"]

FACTS_LIMIT = 64 * 1024
_NEEDS_MODEL = ("approved", "challenger", "promoted", "confirmed", "rolled_back", "retired")
_FILE = re.compile(r"[0-9]{8}\.json")
_Remembered = dict[int, tuple[str, bytes]]  # by sequence, the store's tag of a record and what it held
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ledger:
    """The decisions about the models of one use case.

    :param use_case: Its name.
    """

    lake: Lake
    use_case: str

    def append(
        self,
        kind: Kind,
        *,
        why: str,
        who: str,
        partition: str | None = None,
        model: str | None = None,
        facts: Mapping[str, Any] | None = None,
        expect: Callable[[State], None] | None = None,
        after: State | None = None,
    ) -> Record:
        """Add one decision and return it as recorded.

        :param facts: What the decision rests on, at most 64 KB as JSON; numbers that are not finite become null.
        :param expect: Looks at the state this record would follow, and raises to abandon; runs again after a lost race.
        :param after: State that was read already. When it is the newest no more, the race is lost and it is read again.
        :raises WriteConflict: If other writers won again and again.
        :raises LedgerBroken: If the chain does not hold; nothing is added to it then.
        """
        if kind not in get_args(Kind) or (kind in _NEEDS_MODEL and not model):
            raise ValueError(f"no record of kind {kind!r} with model {model!r}")
        known = json.loads(canonical(facts or {}))
        if len(canonical(known)) > FACTS_LIMIT:
            raise ValueError(f"facts of more than {FACTS_LIMIT} bytes; store them in the lake and record their key")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        draft = Record(0, NOTHING, kind, now, partition, who[:200], why[:2000], model, known, uuid4().hex)
        recorded = _race(self._try, draft, expect, [] if after is None else [after])
        assert recorded is not None
        return recorded

    def _try(self, draft: Record, expect: Callable[[State], None] | None, read: list[State]) -> Record | None:
        state = read.pop() if read else self.state()
        if expect is not None:
            expect(state)
        record = replace(draft, sequence=state.head + 1, previous=state.head_digest)
        content = canonical(asdict(record))
        if not self._created(self._key(f"{record.sequence:08d}.json"), content):
            return None
        self._mark(record, content)
        return record

    def _created(self, key: str, content: bytes) -> bool:
        try:
            # A store that retries by itself reports its own earlier success as a conflict.
            return self.lake.create(key, content) or self.lake.get(key) == content
        except LakeUnavailable:
            if key not in self.lake.keys(key.rpartition("/")[0]) or self.lake.get(key) != content:
                raise
            return True  # only the reply was lost

    def records(self) -> list[Record]:
        """Read all decisions in order.

        :raises LedgerBroken: If one is missing or was changed; names the first.
        """
        return list(self.state().records)

    def state(self) -> State:
        """Add the records up.

        On S3 a record that was read once is read again only when the store says that it changed.

        :raises LedgerBroken: If one is missing or was changed; names the first.
        """
        remembered = _remembered(self.lake.uri, tuple(self.lake.options.items()), self.use_case)
        records, newest, faults = self._read(remembered)
        if faults:
            remembered.clear()
            raise faults[min(faults)]
        return add_up(records, newest)

    def faults(self) -> list[LedgerBroken]:
        """Name every record that is missing, was changed or stands in another's place, and whatever is no record.

        Reads everything, whatever was read before.
        A record before a damaged one is judged only once that one is mended: nobody vouches for it until then.
        """
        return self._named(self._read({})[2])

    def verify(self) -> int:
        """Check every record and the folder itself; return the number of records.

        :raises LedgerBroken: If a record is missing or was changed, or the folder holds anything else.
        """
        records, _, faults = self._read({})
        if named := self._named(faults):
            raise named[0]
        return len(records)

    def _named(self, faults: Mapping[int, LedgerBroken]) -> list[LedgerBroken]:
        strangers = [found for found in self._stored() if found != "head" and not _FILE.fullmatch(found)]
        return [*(faults[sequence] for sequence in sorted(faults)), *(_stranger(self.use_case, s) for s in strangers)]

    def _read(self, remembered: _Remembered) -> tuple[list[Record], str, dict[int, LedgerBroken]]:
        """Records in order, the digest of the newest, and what is wrong, by sequence; 0 is the mark."""
        faults: dict[int, LedgerBroken] = {}
        try:
            mark = self._marked()  # before listing: the mark may lag behind the records, never lead
        except LedgerBroken as unreadable:
            mark, faults[0] = (0, NOTHING), unreadable
        contents, records = self._contents(mark[0], faults, remembered), dict[int, Record]()
        for sequence, content in contents.items():
            try:
                records[sequence] = _parse(sequence, content)
            except LedgerBroken as fault:
                faults[sequence] = fault
        digests = {0: NOTHING, **{sequence: digest(content) for sequence, content in contents.items()}}
        for sequence in _changed(records, digests, mark):
            faults.setdefault(sequence, _broken(sequence, "was changed"))
        return [records[sequence] for sequence in sorted(records)], digests[max(digests)], faults

    def _contents(self, at_least: int, faults: dict[int, LedgerBroken], remembered: _Remembered) -> dict[int, bytes]:
        """Content of the records by sequence; what is remembered is read again only if its tag changed."""
        tags = {int(found[:8]): tag for found, tag in self._stored().items() if _FILE.fullmatch(found)}
        contents = {n: read[1] for n, tag in tags.items() if tag and (read := remembered.get(n)) and read[0] == tag}
        unread = sorted(tags.keys() - contents.keys())
        with ThreadPoolExecutor(8) as pool:
            contents.update(zip(unread, pool.map(self._content, unread), strict=True))
        remembered.update((n, (tag, contents[n])) for n, tag in tags.items() if tag)
        for before, after in pairwise([0, *sorted(tags), max([at_least, *tags]) + 1]):
            for sequence in range(before + 1, after):
                try:  # a listing may miss what was added while it ran
                    contents[sequence] = self._content(sequence)
                except LedgerBroken:
                    rest = f", and so are those up to {after - 1}" if after - 1 > sequence else ""
                    faults[sequence] = _broken(sequence, f"is missing{rest}")
                    break
        return dict(sorted(contents.items()))

    def _content(self, sequence: int) -> bytes:
        try:
            return self.lake.get(self._key(f"{sequence:08d}.json"))
        except FileNotFoundError as gone:
            raise _broken(sequence, "is missing") from gone

    def _marked(self) -> tuple[int, str]:
        try:
            mark = json.loads(self.lake.get(self._key("head")))
            return int(mark["sequence"]), str(mark["sha256"])
        except FileNotFoundError:
            return 0, NOTHING
        except (ValueError, KeyError, TypeError) as unreadable:
            raise LedgerBroken(
                f"The mark {self._key('head')} was changed.", next_step="restore it from a backup of the lake."
            ) from unreadable

    def _mark(self, record: Record, content: bytes) -> None:
        mark = canonical({"sequence": record.sequence, "sha256": digest(content)})
        try:
            self.lake.put(self._key("head"), mark)
        except LakeUnavailable as fault:  # the record stands; failing now would make the caller record it twice
            _log.warning("record %d of %s stands, its mark does not: %s", record.sequence, self.use_case, fault)

    def _stored(self) -> dict[str, str | None]:
        return {key.rpartition("/")[2]: tag for key, tag in self.lake.tags(f"ledger/{name(self.use_case)}").items()}

    def _key(self, file: str) -> str:
        return f"ledger/{name(self.use_case)}/{file}"


@lru_cache(maxsize=16)
def _remembered(uri: str, options: tuple[tuple[str, str], ...], use_case: str) -> _Remembered:
    """What this process read of a ledger; empty at first, filled by whoever reads."""
    return {}


def _parse(sequence: int, content: bytes) -> Record:
    try:
        record = Record(**json.loads(content))
    except (ValueError, TypeError, RecursionError) as unreadable:
        raise _broken(sequence, "was changed") from unreadable
    if record.sequence != sequence:
        raise _broken(sequence, f"was replaced by a copy of record {str(record.sequence)[:20]}")
    if record.kind not in get_args(Kind):
        raise _broken(sequence, f"is of the unknown kind {str(record.kind)[:40]!r}")
    return record


def _changed(records: Mapping[int, Record], digests: Mapping[int, str], mark: tuple[int, str]) -> Iterator[int]:
    """Yield the records that are not what their successor, or the mark, says of them."""
    told = [(sequence - 1, record.previous) for sequence, record in records.items()] + [mark]
    doubted = {before for before, said in told if before in digests and digests[before] != said}
    # Of neighbours in doubt the last was changed: what a changed record says of the one before proves nothing.
    yield from (max(before, 1) for before in sorted(doubted) if before + 1 not in doubted)


def _stranger(use_case: str, found: str) -> LedgerBroken:
    return LedgerBroken(
        f"The ledger of {use_case} holds {found[:80]!r}, which is no record.",
        next_step="find out who wrote it, then move it out of the folder.",
    )


def _broken(sequence: int, how: str) -> LedgerBroken:
    return LedgerBroken(
        f"Record {sequence} of the ledger {how}.",
        next_step="restore the record from a backup or an older object version; nothing is promoted until then.",
    )


def _gave_up(attempts: RetryCallState) -> None:
    raise WriteConflict(
        f"Other writers were first {attempts.attempt_number} times in a row.", next_step="run the task again."
    )


_race = Retrying(
    retry=retry_if_result(lambda recorded: recorded is None),
    wait=wait_random_exponential(multiplier=0.01, max=1),
    stop=stop_after_attempt(40),
    retry_error_callback=_gave_up,
)
