"""Put each fault into a copy of its own, look at it as the monitor does, and keep what came of it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from updraft import score
from updraft.drill.faults import Fault, Unstageable, faults
from updraft.drill.scene import Scene, copy, scene
from updraft.drill.signs import Look
from updraft.drill.verdict import Exercise, judge, untouched
from updraft.errors import DrillFailed
from updraft.lake import Lake
from updraft.lake.shadow import Shadow
from updraft.ledger import Ledger
from updraft.life import monitor, retrain
from updraft.monitor import table, watch
from updraft.partition import Partition, calendar
from updraft.records import canonical
from updraft.retrain import decide
from updraft.spec.model import UseCase


@dataclass(frozen=True)
class Drill:
    """What came of every fault.

    :param exercises: The untouched copy first.
    """

    use_case: str
    partition: str
    champion: str
    exercises: tuple[Exercise, ...]

    @property
    def outcome(self) -> Literal["PASS", "FAIL", "INSUFFICIENT"]:
        """FAIL when anything was missed or fired beside it; INSUFFICIENT when no fault made anything fire."""
        if any(one.outcome == "failed" for one in self.exercises):
            return "FAIL"
        seen = any(one.outcome == "passed" and one.fired for one in self.exercises[1:])
        return "PASS" if seen else "INSUFFICIENT"

    def demand(self) -> None:
        """Complain about a monitor that failed.

        :raises DrillFailed: If it did.
        """
        failed = [f"{one.fault}: {one.why}" for one in self.exercises if one.outcome == "failed"]
        if failed:
            raise DrillFailed(
                f"The monitor of {self.use_case} failed its drill at {self.partition}: {'; '.join(failed)[:1500]}.",
                next_step="see `updraft drill`; mend the monitor or its limits before you trust its silence.",
            )

    def told(self) -> Iterator[str]:
        """Say a line per fault."""
        for one in self.exercises:
            about = (
                f"{one.outcome}: {one.fault}, {one.what or 'not staged'}; fired: {', '.join(one.fired) or 'nothing'}"
            )
            yield f"{about}; {one.why}" if one.why else about

    def summary(self) -> dict[str, Any]:
        """What fits into an XCom."""
        told = {one.fault: one.outcome for one in self.exercises}
        return {"partition": self.partition, "outcome": self.outcome, "exercises": told}


def key(case: UseCase, partition: str) -> str:
    """Where the record of a drill lies in the lake."""
    return f"drills/{case.name}/{partition}.json"


def newest(case: UseCase, lake: Lake, at: Partition | None = None) -> Partition | None:
    """Newest scored partition, up to `at` if that is given; `None` when there is none, or no champion to watch."""
    if Ledger(lake, case.name).state().champion is None:
        return None
    scored = [key for key in lake.partitions(score.table(case)) if at is None or key <= at.key]
    return calendar(case).at(scored[-1]) if scored else None


def drill(case: UseCase, at: Partition, live: Lake, folder: Path) -> Drill:
    """Drill the monitor at a scored partition, and keep the record in the lake; all else there is only read.

    :param folder: Where the copies are made; of no use afterwards.
    """
    seen = scene(case, at, live)
    calm = _look(seen, copy(seen, folder / "untouched", {}))
    told = [untouched(calm, _live(seen)), *_exercises(seen, calm, folder)]
    done = Drill(case.name, at.key, seen.champion, tuple(told))
    live.put(key(case, at.key), canonical({**asdict(done), "outcome": done.outcome}))
    return done


def _exercises(seen: Scene, calm: Look, folder: Path) -> Iterator[Exercise]:
    for fault in faults(seen, calm.moved, calm.limits):
        if isinstance(fault, Unstageable):
            yield Exercise(fault.name, "", (), (), "unseen", fault.why)
            continue
        yield _exercise(seen, fault, calm, folder / fault.name.replace(" ", "_"))


def _exercise(seen: Scene, fault: Fault, calm: Look, folder: Path) -> Exercise:
    broken = copy(seen, folder, fault.breaks, silent=fault.silent)
    return judge(seen.case, fault, _look(seen, broken), calm)


def _look(seen: Scene, lake: Shadow) -> Look:
    case, at = seen.case, calendar(seen.case).at(seen.looks[-1])
    watched = monitor.watch_partitions(case, seen.looks, lake)
    state = retrain.model_state(case, at, lake, Ledger(lake, case.name).state())
    measured = lake.read(monitor.monitor_table(case), [at.key])
    assert measured is not None  # just written
    return Look(watched, table.from_arrow(measured), decide(state, case.retrain).action)


def _live(seen: Scene) -> Look | None:
    """What the live monitor said of the newest look, if it was about the same champion."""
    rows = seen.live.read(monitor.monitor_table(seen.case), [seen.looks[-1]])
    measured = [] if rows is None else table.from_arrow(rows)
    if not any(m.metric == "scored" and m.subject == seen.champion for m in measured):
        return None
    alarm = watch.alarm(measured)
    alarms = {str(kind): why for kind, why in alarm.reasons.items()} if alarm else {}
    return Look(monitor.Watched(seen.looks[-1], seen.champion, alarms, None, False), measured, "none")
