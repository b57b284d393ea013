"""What was told to whom, in the lake: nothing is told twice on purpose, and nothing is lost.

`alerts/<use case>/<id>/<opened|resolved>/` holds `_alert.json`, which names those who are to be told, and per
destination a claim for each attempt and, once it arrived, `<destination>.json`. All are created by conditional puts, so
of two runs that find the same thing one creates it, and of two that would send it one claims it.

A process that dies between sending and confirming leaves a claim that runs out: it is sent again, under the same id.
So everybody is told at least once, and a receiver that knows the id can drop the second.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from updraft.alert.alert import Alert, Event, Finding, alert, from_bytes, to_bytes
from updraft.alert.kinds import MEANINGS
from updraft.errors import AlertUndelivered
from updraft.lake import Lake
from updraft.records import canonical
from updraft.spec.alerts import Destination
from updraft.spec.model import UseCase

LEASE = timedelta(minutes=15)  # longer than any sending may take
_LONGEST = timedelta(hours=6)
_QUICK = 3  # failures after which an attempt waits longer than the task's own retries
Send = Callable[[Destination, Alert, int], None]


@dataclass(frozen=True)
class Kept:
    """An alert as the lake holds it.

    :param to: Names of the destinations that are to be told.
    """

    alert: Alert
    to: tuple[str, ...]


@dataclass(frozen=True)
class Outbox:
    """Alerts of one use case.

    :param runbooks: Folder or address of the runbooks.
    """

    case: UseCase
    lake: Lake
    runbooks: str

    def open(self, found: Finding, at: datetime) -> Alert | None:
        """Keep what was found as an alert to be told, unless it is; return it when it is new."""
        numbers = [int(id_.rpartition(".")[2]) for id_, _ in self._events if id_.rpartition(".")[0] == found.identity]
        last = max(numbers, default=0)
        if last and (f"{found.identity}.{last}", "resolved") not in self._events:
            return None
        told = alert(self.case, found, last + 1, at, self.runbooks)
        to = [name for name, somebody in self.case.alerts.items() if somebody.wants(told.kind, told.severity)]
        return told if self._keep(told, to) else None

    def resolve(self, kept: Kept, why: str, at: datetime) -> Alert | None:
        """Keep that an alert is over, unless that is known; return it when it is new."""
        told = kept.alert.over(why, at)
        return told if self._keep(told, kept.to) else None

    def unresolved(self) -> list[Kept]:
        """Alerts of what lasts that were opened and are not resolved, oldest first."""
        ids = [id_ for id_, event in self._events if event == "opened" and (id_, "resolved") not in self._events]
        ids = [id_ for id_ in ids if MEANINGS[id_.partition(".")[0]].lasts]  # type: ignore[index]
        return sorted((self._kept(id_, "opened") for id_ in ids), key=lambda kept: kept.alert.at)

    def deliver(self, send: Send, now: datetime) -> tuple[int, list[AlertUndelivered]]:
        """Tell everybody what they have not been told; return how many were, and why others were not.

        An alert that opened is told before its end is. Who did not take one is left alone for now, so that nobody else
        waits for them.
        """
        sent, failed = 0, dict[str, AlertUndelivered]()
        for kept, name in self._waiting():
            attempt = None if name in failed else self._claim(kept.alert, name, now)
            if attempt is None:
                continue
            try:
                send(self.case.alerts[name], kept.alert, attempt)
            except AlertUndelivered as fault:
                failed[name] = fault
                self._put(kept.alert, _claim(name, attempt), {"at": now, "again": now + _wait(attempt)})
                continue
            self._create(kept.alert, f"{name}.json", {"at": now, "attempt": attempt})
            sent += 1
        return sent, list(failed.values())

    def _waiting(self) -> Iterator[tuple[Kept, str]]:
        order = {"opened": 0, "resolved": 1}
        for id_, event in sorted(self._events, key=lambda seen: (seen[0], order[seen[1]])):
            files = self._events[id_, event]
            told = {file.removesuffix(".json") for file in files}
            if "_done.json" in files:
                continue
            kept = self._kept(id_, event)
            left = [name for name in kept.to if name not in told and name in self.case.alerts]
            if not left:
                self._create(kept.alert, "_done.json", {})
            yield from ((kept, name) for name in left if event == "opened" or self._told(id_, name))

    def _told(self, id_: str, name: str) -> bool:
        # Looked up anew: it may have been told a moment ago, by this very run.
        return f"{self._root}/{id_}/opened/{name}.json" in self.lake.keys(f"{self._root}/{id_}/opened")

    def _claim(self, told: Alert, name: str, now: datetime) -> int | None:
        """Number of an attempt that is ours to make; `None` while another is under way or has to wait."""
        place = f"{self._root}/{told.id}/{told.event}"
        files = [key.rpartition("/")[2] for key in self.lake.keys(place)]
        numbers = [int(found[1]) for file in files if (found := re.fullmatch(rf"{name}\.claim-([0-9]+)\.json", file))]
        last = max(numbers, default=0)
        if f"{name}.json" in files or (last and not self._free(place, name, last, now)):
            return None
        mine = last + 1
        return mine if self._create(told, _claim(name, mine), {"at": now, "again": now + LEASE}) else None

    def _free(self, place: str, name: str, number: int, now: datetime) -> bool:
        claim = json.loads(self.lake.get(f"{place}/{_claim(name, number)}"))
        began, again = datetime.fromisoformat(claim["at"]), datetime.fromisoformat(claim["again"])
        # Two that tell at once may have looked at their clocks in another order than they claim: a claim from a moment
        # ahead stands. One from further ahead is of a clock that was wrong.
        return not began - LEASE <= now < again

    def _keep(self, told: Alert, to: Sequence[str]) -> bool:
        content = canonical({"alert": json.loads(to_bytes(told)), "to": list(to)})
        new = self.lake.create(f"{self._root}/{told.id}/{told.event}/_alert.json", content)
        self._events[told.id, told.event] = {"_alert.json"}
        return new

    def _kept(self, id_: str, event: Event) -> Kept:
        said = json.loads(self.lake.get(f"{self._root}/{id_}/{event}/_alert.json"))
        return Kept(from_bytes(canonical(said["alert"])), tuple(said["to"]))

    def _create(self, told: Alert, file: str, said: Mapping[str, object]) -> bool:
        return self.lake.create(f"{self._root}/{told.id}/{told.event}/{file}", _json(said))

    def _put(self, told: Alert, file: str, said: Mapping[str, object]) -> None:
        self.lake.put(f"{self._root}/{told.id}/{told.event}/{file}", _json(said))

    @cached_property
    def _events(self) -> dict[tuple[str, Event], set[str]]:
        """Files by alert and event, as they lay there when this was first asked."""
        found: dict[tuple[str, Event], set[str]] = {}
        for key in self.lake.keys(self._root):
            id_, event, file = key.removeprefix(f"{self._root}/").split("/")
            if event in ("opened", "resolved"):
                found.setdefault((id_, event), set()).add(file)  # type: ignore[arg-type]
        return {seen: files for seen, files in found.items() if "_alert.json" in files}

    @property
    def _root(self) -> str:
        return f"alerts/{self.case.name}"


def _claim(name: str, number: int) -> str:
    return f"{name}.claim-{number:04d}.json"


def _wait(attempt: int) -> timedelta:
    return timedelta(0) if attempt < _QUICK else min(timedelta(minutes=2 ** min(attempt - _QUICK, 12)), _LONGEST)


def _json(said: Mapping[str, object]) -> bytes:
    return canonical(
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in said.items()}
    )
