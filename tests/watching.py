"""Days of the parcels that are told of, and what the monitor made of them."""

from updraft.ledger import Ledger
from updraft.life import monitor
from updraft.partition import calendar

QUIET, FIRST, SECOND, LATE = "2024-01-18", "2024-01-19", "2024-01-20", "2024-01-23"
MONITOR, MARKS = "monitor/parcels", "published/parcels/arrivals"


def measured(world, key, metric, subject=None):
    rows = world.lake.read(MONITOR, [key]).to_pylist()
    (found,) = [r for r in rows if r["metric"] == metric and subject in (None, r["subject"])]
    return found


def watch(world, *keys):
    return monitor.watch_partitions(world.case, keys, world.lake)


def champion(world):
    return Ledger(world.lake, "parcels").state().champion


def at(world, key):
    return calendar(world.case).at(key)
