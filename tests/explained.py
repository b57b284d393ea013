"""A prediction of the parcels that is explained, and values of a lake that are changed behind its back."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
from tests import parcels

from updraft import features, ingest, passport, score
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import promotion, train
from updraft.partition import calendar

AT, DAY = "2024-01-18", "2024-01-17"
WHO, SOURCE = f"{DAY}-007", f"parcels/parcels/{DAY}"


def live(case, folder):
    """A lake whose rows came as files, with a champion and two scored partitions."""
    lake, keys, at = Lake(str(folder / "lake")), calendar(case).keys("2024-01-01", AT), calendar(case).at(AT)
    parcels.drop(case, folder / "inbox", keys)
    for source in case.sources:
        ingest.stage(case, source, keys, lake, folder / "inbox")
    features.build(case, keys, lake)
    made = asdict(train.fit(case, at, lake, code_version="test", who="train__1"))
    found = promotion.examine(case, at, lake, made, who="train__1")
    facts = {"gated": found["gated"], "champion": None, "approval": {"by": "Ada", "decision": "approved"}}
    Ledger(lake, case.name).append(
        "promoted", why="PASS", who="train__1", partition=AT, model=made["candidate"], facts=facts
    )
    by = {"who": "score__7", "code_version": "abc"}
    score.partitions(case, [DAY, AT], lake, champion=made["candidate"], **by)
    return lake


def explain(case, lake, who=WHO, key=DAY):
    return passport.explain(case, lake, who, key)


def said(found, outcome="broken"):
    return {(check.layer, check.what) for check in found.checks if check.outcome == outcome}


def in_table(table, column, value, key=DAY, who=WHO):
    """Change a value of the entity's row, or of the partition's first row."""

    def tamper(lake):
        rows = lake.read(table, [key])
        names = rows["parcel"].to_pylist() if "parcel" in rows.column_names else []
        place = names.index(who) if who in names else 0
        values = rows[column].to_pylist()
        values[place] = value
        at = rows.schema.get_field_index(column)
        new = pa.array(values, rows.schema.field(column).type)
        lake.replace(table, rows.set_column(at, rows.schema.field(column), new), [key])

    return tamper


def gone(prefix):
    def tamper(lake):
        for place in lake.keys(prefix):
            Path(lake.location(place)).unlink()

    return tamper
