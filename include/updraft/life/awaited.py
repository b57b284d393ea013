"""What others wait for: that a model drifts, that labels are complete. Read from the lake, never from an event."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from updraft import dataset
from updraft.errors import SettingInvalid, did_you_mean
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life.monitor import monitor_table
from updraft.monitor import table, watch
from updraft.partition import calendar
from updraft.spec.model import UseCase

Evidence = Literal["incident", "alarm"]
_LONGEST = 500  # characters of a reason: it goes into an XCom


@dataclass(frozen=True)
class Looked:
    """One look.

    :param met: Whether what is waited for is so.
    :param why: What was seen of it, or what is missing.
    """

    met: bool
    why: str


def drift(case: UseCase, lake: Lake, *, kinds: Sequence[str], since: str, evidence: Evidence) -> Looked:
    """Look for drift at a partition or after it.

    :param kinds: Kinds of alarm that count; all, when empty.
    :param evidence: `alarm`: of one partition. `incident`: one that was recorded since, or is open still.
    :raises PartitionInvalid: If `since` is no partition of the use case.
    :raises SettingInvalid: If there is no such kind.
    """
    counting, first = _kinds(kinds), calendar(case).at(since).key
    found = _alarms(case, lake, first) if evidence == "alarm" else _incidents(case, lake, first)
    for kind, why in found:
        if kind in counting:
            return Looked(True, why[:_LONGEST])
    measured = lake.partitions(monitor_table(case))
    newest = f"the newest partition measured is {measured[-1]}" if measured else "nothing has been measured yet"
    return Looked(False, f"no {evidence} of {' or '.join(counting)} about {case.name} since {first}; {newest}")


def labels(case: UseCase, lake: Lake, keys: Sequence[str]) -> Looked:
    """Look whether everything has been delivered that the labels of partitions could rest on."""
    missing = dataset.immature_labels(case, keys, lake)
    if not missing:
        return Looked(True, f"the labels of {case.name} are complete for {len(keys)} partitions to {keys[-1]}")
    told = "; ".join(f"{key} {why}" for key, why in list(missing.items())[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return Looked(False, f"labels of {case.name}: {told}{more}"[:_LONGEST])


def _kinds(kinds: Sequence[str]) -> list[str]:
    known = [str(kind) for kind in watch.HEADLINES]
    for kind in kinds:
        if kind not in known:
            raise SettingInvalid(
                f"There is no alarm of kind {kind[:40]!r}; {did_you_mean(kind, known)}.",
                next_step="correct the kinds that are waited for.",
            )
    return [*kinds] or known


def _incidents(case: UseCase, lake: Lake, since: str) -> list[tuple[str, str]]:
    """Kind and reason of those that are open, and of those recorded since, the newest first."""
    state = Ledger(lake, case.name).state()
    still = {record.sequence for record in state.open_incidents}
    told = [record for record in state.records if record.kind == "incident"]
    counts = [record for record in told if record.sequence in still or (record.partition or "") >= since]
    return [(str(record.facts.get("kind")), record.why) for record in reversed(counts)]


def _alarms(case: UseCase, lake: Lake, since: str) -> list[tuple[str, str]]:
    """Kind and reason of every alarm of a partition, the newest first."""
    keys = [key for key in lake.partitions(monitor_table(case)) if key >= since]
    rows = lake.read(monitor_table(case), keys) if keys else None
    seen = [] if rows is None else sorted(table.from_arrow(rows), key=lambda m: m.partition, reverse=True)
    alarms = [watch.alarm([*own]) for _, own in groupby(seen, key=lambda m: m.partition)]
    return [
        (str(kind), f"{alarm.partition}: {why}") for alarm in alarms if alarm for kind, why in alarm.reasons.items()
    ]
