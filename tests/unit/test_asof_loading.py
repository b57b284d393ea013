import duckdb
import pyarrow as pa
import pytest

from updraft.asof import loading
from updraft.asof.loading import Loading, slices
from updraft.lake import Lake

KEYS = ["a", "b", "c", "d"]
SHAPE = pa.schema([("x", pa.int64()), ("partition", pa.string())])


@pytest.fixture
def db():
    with duckdb.connect() as db:
        yield db


@pytest.mark.parametrize(
    ("counts", "width", "read"),
    [
        pytest.param({}, 1, ["abcd"], id="nothing is there"),
        pytest.param(dict.fromkeys("abcd", 2), 1, ["abcd"], id="all of it fits"),
        pytest.param(dict.fromkeys("abcd", 5), 1, ["ab", "cd"], id="two fit"),
        pytest.param(dict.fromkeys("abcd", 5), 2, ["a", "b", "c", "d"], id="as many rows, twice as wide"),
        pytest.param({"b": 99}, 1, ["a", "b", "cd"], id="one is too large, and stands alone"),
        pytest.param({"a": 10, "d": 1}, 1, ["abc", "d"], id="what is empty costs nothing"),
    ],
)
def test_partitions_are_read_together_while_their_values_fit(monkeypatch, counts, width, read):
    monkeypatch.setattr(loading, "TOGETHER", 10)
    assert ["".join(some) for some in slices(counts, KEYS, width)] == read


@pytest.mark.parametrize("together", [loading.TOGETHER, 1])
def test_a_table_has_the_rows_of_its_partitions_each_reading_in_its_order(lake, db, monkeypatch, together):
    monkeypatch.setattr(loading, "TOGETHER", together)
    rows = pa.table({"x": [3, 1, 2, 9, 8], "partition": ["a", "a", "b", "d", "e"]})
    lake.replace("t", rows, [*KEYS, "e"])
    Loading(db, lake, "t", KEYS, SHAPE).into("t", SHAPE.names, "x", order="ORDER BY partition, x")
    assert db.sql("FROM t").fetchall() == [(1,), (3,), (2,), (9,)]


class Counting(Lake):
    """A lake that notes what is read."""

    def read(self, table, partitions=None, columns=None):
        READ.append(list(partitions))
        return super().read(table, partitions, columns)


READ = []


@pytest.mark.parametrize(("together", "read"), [(loading.TOGETHER, [["a", "b"]]), (1, [["a"], ["b"], ["a"], ["b"]])])
def test_what_fits_is_read_once_however_often_it_is_asked_for(lake, db, monkeypatch, together, read):
    monkeypatch.setattr(loading, "TOGETHER", together)
    lake.replace("t", pa.table({"x": [1, 2], "partition": ["a", "b"]}), ["a", "b"])
    READ.clear()
    found = Loading(db, Counting(lake.uri), "t", ["a", "b"], SHAPE)
    for name in ("t", "u"):
        found.into(name, ["x"], "x")
    assert read == READ


@pytest.mark.parametrize("together", [loading.TOGETHER, 1])
@pytest.mark.parametrize(
    ("values", "again"),
    [([1, 2, 3], set()), ([1, 2, 1], {1}), ([None, None, 2], {None}), ([], set())],
    ids=["none", "over two partitions", "a missing one", "no rows"],
)
def test_keys_that_come_again_are_found_over_all_partitions(lake, db, monkeypatch, values, again, together):
    monkeypatch.setattr(loading, "TOGETHER", together)
    rows = {"x": pa.array(values, pa.int64()), "partition": pa.array(KEYS[: len(values)], pa.string())}
    lake.replace("t", pa.table(rows), KEYS)
    found = Loading(db, lake, "t", KEYS, SHAPE)
    assert found.several(["x"]) is bool(again)
    found.into("t", ["x"], f"x, {loading.hashed(['x'])} IN (FROM {loading.AGAIN}) AS several")
    assert {x for x, several in db.sql("FROM t").fetchall() if several} == again


def test_a_table_nobody_wrote_is_empty_with_its_columns(lake, db):
    found = Loading(db, lake, "t", KEYS, SHAPE)
    assert not found.several(["x"])
    found.into("t", ["x"], "x", order="ORDER BY x")
    assert (db.sql("FROM t").columns, db.sql("FROM t").fetchall()) == (["x"], [])
