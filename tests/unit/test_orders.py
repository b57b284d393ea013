"""Six partitions, corrections and deletes among them, delivered in all 720 orders: the tables come out the same."""

import shutil
from itertools import combinations

import pytest
from tests.inbox import put

from updraft import features, ingest
from updraft.ingest import Feed
from updraft.lake import Lake
from updraft.rows import digest

pytestmark = pytest.mark.slow  # publishes some two hundred times

DAYS = [f"2024-01-{day:02}" for day in range(1, 7)]
NEVER, YES = "", "true"
# By day: id, amount, known on, gone. What a day says of an id may have been said otherwise on another day.
ROWS = {
    DAYS[0]: [("a", 1, "01-01", NEVER), ("b", 2, "01-01", NEVER), ("c", 3, "01-01", NEVER)],
    DAYS[1]: [("a", 10, "01-02", NEVER), ("d", 4, "01-02", NEVER), ("d", 5, "01-02", NEVER)],
    DAYS[2]: [("b", 0, "01-03", YES), ("a", 11, "01-01", NEVER), ("e", "much", "01-03", NEVER)],
    DAYS[3]: [("c", 0, "01-04", YES), ("e", 6, "01-06", NEVER)],
    DAYS[4]: [("b", 20, "01-05", NEVER), ("a", 12, "01-05", NEVER)],
    DAYS[5]: [("a", 0, "01-06", YES), ("c", 30, "01-06", NEVER), ("e", 7, "01-05", NEVER)],
}
SQL = """
SELECT id, greatest(happened_at, starts_at) AS event_time, amount, 'red' AS colour FROM facts, this_partition
"""


@pytest.fixture
def case(make_case, tmp_path):
    """A use case whose rows correct each other and go away again."""
    source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True)
    source["columns"]["is_gone"] = {"type": "boolean", "nullable": True}
    source |= {"deleted": {"column": "is_gone"}, "contract": {"tolerance": 0.5}}
    made = make_case(sources={"facts": source}, problem={"lead_time": "0h"})
    made._folder = tmp_path
    (tmp_path / "features.sql").write_text(SQL)
    for day, rows in ROWS.items():
        lines = [f"{i},{n},2024-01-01T00:00:00Z,2024-{known}T09:00:00Z,{gone}" for i, n, known, gone in rows]
        text = "\n".join(["id,amount,happened_at,reported_at,is_gone", *lines]) + "\n"
        put(tmp_path / f"facts/{day}.csv", text)
    return made


def state(case, lake):
    """Everything a later step could look at."""
    tables = {name: lake.read(f"{name}/tiny/facts") for name in ("raw", "quarantine")}
    rows = {name: None if table is None or not len(table) else digest(table) for name, table in tables.items()}
    return rows, Feed(case, "facts", lake).published()


@pytest.mark.parametrize(
    ("days", "ways", "rows"),
    [(DAYS[:4], 32, 9), pytest.param(DAYS, 192, 14, marks=pytest.mark.deep)],
    ids=["four", "six"],
)
def test_every_order_of_partitions_ends_in_the_same_tables(case, tmp_path, days, ways, rows):
    """By steps: whatever was delivered before, in whatever order, each next delivery leads to one and the same state.

    If all orders of a set of partitions end in one state, and every way to a larger set ends in one state too, then all
    orders of the larger set do. So the 192 steps between the 64 sets of six days stand for all 720 orders.
    """
    start = Lake(str(tmp_path / "landed"))
    ingest.land(case, "facts", days, start, tmp_path)
    ingest.validate(case, "facts", days, start)
    reached, steps = {frozenset(): start}, 0
    for size in range(1, len(days) + 1):
        for wanted in map(frozenset, combinations(days, size)):
            for last in sorted(wanted):
                lake = Lake(str(shutil.copytree(reached[wanted - {last}].uri, tmp_path / f"lake{steps}")))
                ingest.publish(case, "facts", [last], lake)
                steps += 1
                known = reached.setdefault(wanted, lake)
                assert state(case, lake) == state(case, known), f"{last} after {sorted(wanted - {last})}"
    assert steps == ways
    assert len(reached[frozenset(days)].read("raw/tiny/facts")) == rows


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(DAYS[::-1], id="the newest first"),
        pytest.param(DAYS[3:] + DAYS[:3], id="halves swapped", marks=pytest.mark.deep),
        pytest.param(DAYS[::2] + DAYS[1::2], id="every other one first", marks=pytest.mark.deep),
    ],
)
def test_deliveries_taken_in_one_by_one_end_in_the_same_features(case, lake, tmp_path, order):
    together = Lake(str(tmp_path / "together"))
    ingest.stage(case, "facts", DAYS, together, tmp_path)
    features.build(case, DAYS, together)
    for day in order:
        ingest.stage(case, "facts", [day], lake, tmp_path)
    for day in order:
        features.build(case, [day], lake)
    assert state(case, lake) == state(case, together)
    found = lake.read("features/tiny")
    assert digest(found) == digest(together.read("features/tiny"))
    seen = dict.fromkeys(DAYS, "") | {r["partition"]: "" for r in found.to_pylist()}
    for r in found.sort_by("id").to_pylist():
        seen[r["partition"]] += f"{r['id']}{r['amount']:g} "
    assert {day: said.strip() for day, said in seen.items()} == {
        DAYS[0]: "",
        DAYS[1]: "a1 b2 c3",
        DAYS[2]: "a10 b2 c3 d4",
        DAYS[3]: "a10 c3 d4",  # b is gone; the a of the third day claims an earlier moment than the one before
        DAYS[4]: "a10 d4",
        DAYS[5]: "a12 b20 d4 e7",  # b was made again; the e of the fourth day is not known yet
    }
