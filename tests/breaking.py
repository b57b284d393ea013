"""Ways to break a promise behind the lake's back: rows gone, doubled or changed, and records by hand."""

import pyarrow as pa

from updraft.ledger import Ledger

DAY = "2024-01-18"
TABLES = {
    "raw": "raw/parcels/arrivals",
    "features": "features/parcels",
    "labels": "labels/parcels",
    "scores": "scores/parcels",
    "monitor": "monitor/parcels",
}


def spoil(lake, table, change, key=DAY):
    """Write a partition of a table as `change` makes it."""
    lake.replace(table, change(lake.read(table, [key])), [key])


def set_column(name, value):
    """Change the first row's value of a column."""

    def change(rows):
        place = rows.schema.get_field_index(name)
        new = pa.array([value, *rows[name].to_pylist()[1:]], rows.schema.field(name).type)
        return rows.set_column(place, rows.schema.field(name), new)

    return change


def without_first(rows):
    return rows.slice(1)


def first_doubled(rows):
    return pa.concat_tables([rows, rows.slice(0, 1)])


def append(world, kind, **more):
    return Ledger(world.lake, "parcels").append(kind, **{"why": "by hand", "who": "test", "partition": DAY, **more})
