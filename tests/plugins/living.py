"""The life of a small use case in Airflow's tasks: twenty days in bulk, a training, a calm day and a moved one."""

from tests.plugins import tiny

from updraft.lake import Lake
from updraft.ledger import Ledger

FIRST, LAST = "2024-01-01", "2024-01-20"
CALM, MOVED = "2024-01-21", "2024-01-22"
SPAN = {"partition": FIRST, "through": LAST}


def live(world):
    """Run every task; what came of each, by stage, partition and task id, and the ledger after each training."""
    told, ledgers = {}, []
    tiny.deliver(world.home, tiny.DATES.keys(FIRST, LAST))
    for stage in ("ingest", "features"):
        told[stage, "span"] = world.run(stage, conf=SPAN).all()
    for attempt in (LAST, "again"):
        told["train", attempt] = world.run("train", partition=LAST).all()
        ledgers.append(kinds(world))
    for day, shift in ((CALM, 0.0), (MOVED, 2.0)):
        tiny.deliver(world.home, [day], shift=shift)
        for stage in ("ingest", "features", "score", "monitor", "retrain"):
            told[stage, day] = world.run(stage, partition=day).all()
    return told, ledgers


def lake(world):
    return Lake(str(world.home / "lake"))


def kinds(world):
    return [record.kind for record in Ledger(lake(world), "tiny").records()]


def states(ended):
    return {task: end.state for task, end in ended.items()}
