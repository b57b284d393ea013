"""Receipts: who scored a partition, by what code, from which deliveries, and the digest of the rows that were written.

A receipt is written before the scores it is about, once, and is named by the digests of these rows and of itself. So a
changed score finds no receipt, and a changed receipt does not fit its name. One that was written for rows which never
landed, because the run was killed or another one was first, is about nothing and harms nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc

from updraft.lake import Lake
from updraft.partition import Partition, calendar
from updraft.query import sources_of
from updraft.records import canonical
from updraft.records import digest as sha256
from updraft.rows import Rows, digest
from updraft.spec.model import UseCase

_SHOWN = 16  # hexadecimal digits of a digest in a key


@dataclass(frozen=True)
class Receipt:
    """What was written as the scores of one partition in one role.

    :param scores: Digest of the rows.
    :param at: Wall clock in UTC; informative.
    :param because: Why another model stood in for the champion, if one did.
    :param deliveries: Per source of the features, the deliveries their query could see by partition and digest, each
        with the SHA-256 of its record.
    """

    partition: str
    role: str
    rows: int
    scores: str
    model: str
    who: str
    code_version: str
    at: str
    deliveries: Mapping[str, Mapping[str, str]]
    because: str = ""


def keep(case: UseCase, lake: Lake, scores: Rows, *, who: str, code_version: str, because: str = "") -> None:
    """Write the receipts of scores that are about to be written, one per partition and role."""
    known: dict[str, str] = {}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for key, role, rows in _parts(scores):
        (model,) = pc.unique(rows["model"]).to_pylist()
        seen = _deliveries(case, key, lake, known)
        made = Receipt(
            key, role, len(rows), digest(rows), model, who[:200], code_version[:200], now, seen, because[:1000]
        )
        content = canonical(asdict(made))
        lake.create(f"{_folder(case, key)}/{made.scores[:_SHOWN]}-{sha256(content)[:_SHOWN]}.json", content)


def of(case: UseCase, lake: Lake, scores: Rows) -> tuple[list[Receipt], list[str]]:
    """Receipts of the scores of one partition and role, earliest first; and the keys of those that were changed.

    :param scores: All rows of the partition in that role, at least one.
    """
    key, found, changed = scores["partition"][0].as_py(), [], []
    wanted = digest(scores)
    for place in lake.keys(_folder(case, key)):
        content, name = lake.get(place), place.rpartition("/")[2]
        if not name.endswith(f"-{sha256(content)[:_SHOWN]}.json"):
            changed.append(place)
        elif (told := json.loads(content))["scores"] == wanted:
            found.append(Receipt(**told))
    return sorted(found, key=lambda receipt: receipt.at), changed


def window(case: UseCase, source: str, day: Partition) -> list[str]:
    """Delivery partitions of a source that the features of a partition can see."""
    dates = calendar(case)
    return dates.keys(dates.back(day, case.sources[source].lookback).key, dates.last_visible(day.as_of).key)


def _parts(scores: Rows) -> Iterator[tuple[str, str, Rows]]:
    for key in sorted(pc.unique(scores["partition"]).to_pylist()):
        rows = scores.filter(pc.equal(scores["partition"], key))
        for role in sorted(pc.unique(rows["role"]).to_pylist()):
            yield key, role, rows.filter(pc.equal(rows["role"], role))


def _deliveries(case: UseCase, key: str, lake: Lake, known: dict[str, str]) -> dict[str, dict[str, str]]:
    """Digests of the records of deliveries by source; those in `known` are not read again."""
    found, day = {}, calendar(case).at(key)
    for source in sources_of(case, case.sql("features"), f"features.sql of {case.name}"):
        wanted = set(window(case, source, day))
        places = [p for p in lake.keys(f"deliveries/{case.name}/{source}") if p.split("/")[3] in wanted]
        new = [place for place in places if place not in known]
        known.update(zip(new, _digests(lake, new), strict=True))
        found[source] = {place.split("/", 3)[3].removesuffix(".json"): known[place] for place in places}
    return found


def _digests(lake: Lake, places: Sequence[str]) -> list[str]:
    def read(place: str) -> Any:
        return sha256(lake.get(place))

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(read, places))


def _folder(case: UseCase, key: str) -> str:
    return f"receipts/{case.name}/{key}"
