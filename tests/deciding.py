"""Decisions about training, asked for in a world whose parcels turned on the nineteenth, and what is on record."""

from updraft.ledger import Ledger
from updraft.life import measured, retrain
from updraft.partition import calendar

QUIET, FIRST, COOLING, READY, NEXT = "2024-01-18", "2024-01-19", "2024-01-21", "2024-01-23", "2024-01-24"


def consider(world, key):
    return retrain.consider(world.case, calendar(world.case).at(key), world.lake, who="test")


def decisions(world):
    return [r for r in Ledger(world.lake, "parcels").records() if r.kind == "decided"]


def append(world, kind, key, **more):
    return Ledger(world.lake, "parcels").append(kind, **{"why": "by hand", "who": "test", "partition": key, **more})


def look(world, key):
    """What was measured of a partition."""
    return measured.measurements(world.case, [key], world.lake)
