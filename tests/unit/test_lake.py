import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import NameInvalid, SpecInvalid
from updraft.lake import Lake
from updraft.lake.still import Still
from updraft.rows import digest


def rows(partition: str, *values: int, **more: list[object]) -> pa.Table:
    return pa.table({"partition": pa.array([partition] * len(values), pa.string()), "x": [*values], **more})


def content(lake: Lake, *partitions: str) -> list[tuple[str, int]]:
    found = lake.read("t", partitions or None)
    return sorted(zip(found["partition"].to_pylist(), found["x"].to_pylist(), strict=True))


def test_there_is_nothing_in_a_lake_nobody_wrote_to(lake):
    assert lake.read("t") is None
    assert lake.version("t") is None
    assert lake.partitions("t") == []
    assert lake.keys("o") == []


def test_writing_the_same_rows_again_commits_nothing(lake):
    first = lake.replace("t", rows("a", 1, 2), ["a"])
    assert lake.replace("t", rows("a", 1, 2), ["a"]) == first
    assert lake.replace("t", rows("a", 2, 1), ["a"]) == first, "nor does another order"
    assert lake.replace("t", rows("a", 2, 1, 1), ["a"]) == first + 1


def test_a_partition_is_replaced_whole_and_the_others_are_left_alone(lake):
    lake.replace("t", pa.concat_tables([rows("a", 1, 2), rows("b", 3)]), ["a", "b"])
    lake.replace("t", rows("a", 9), ["a"])
    assert content(lake) == [("a", 9), ("b", 3)]
    assert content(lake, "b") == [("b", 3)]
    assert lake.partitions("t") == ["a", "b"]


def test_a_partition_written_with_no_rows_is_empty_from_then_on(lake):
    lake.replace("t", pa.concat_tables([rows("a", 1), rows("b", 3)]), ["a", "b"])
    lake.replace("t", rows("a"), ["a"])
    assert content(lake) == [("b", 3)]
    assert lake.partitions("t") == ["b"]


def test_rows_of_a_partition_that_was_not_named_are_refused_before_anything_is_written(lake):
    with pytest.raises(ValueError, match="partitions \\['b'\\] in a write to \\['a'\\]"):
        lake.replace("t", rows("b", 1), ["a"])
    assert lake.version("t") is None


def test_a_column_that_comes_later_is_null_in_the_rows_before_it(lake):
    lake.replace("t", rows("a", 1), ["a"])
    lake.replace("t", rows("b", 2, y=["new"]), ["b"])
    assert lake.read("t").sort_by("x")["y"].to_pylist() == [None, "new"]


def test_the_rows_of_each_partition_are_counted_without_being_read(lake, tmp_path):
    assert lake.counts("t") == {}
    lake.replace("t", pa.concat_tables([rows("a", 1, 2), rows("b", 3)]), ["a", "b", "c"])
    lake.replace("t", rows("b", 4, 5, 6), ["b"])
    lake.pour("t", "d", [rows("d", 7), rows("d", 8)], rows("d", 7).schema, pc.scalar(False))
    for file in (tmp_path / "lake" / "t").rglob("*.parquet"):
        file.write_bytes(b"broken")
    assert lake.counts("t") == {"a": 2, "b": 3, "d": 2}


def test_only_the_columns_asked_for_are_read(lake):
    lake.replace("t", rows("a", 1, y=["z"]), ["a"])
    assert lake.read("t", columns=["y"]).to_pydict() == {"y": ["z"]}


def test_timestamps_and_texts_come_back_as_they_went_in(lake):
    moment = pa.scalar(1_372_636_799_123_456, pa.timestamp("us", "UTC"))
    written = rows(
        "a", 1, at=pa.array([moment]), word=["é😀"], reasons=[["x", "y"]], none=pa.array([None], pa.string())
    )
    lake.replace("t", written, ["a"])
    read = lake.read("t")
    assert read.select(written.column_names).to_pylist() == written.to_pylist()
    assert read.schema.field("at").type == pa.timestamp("us", "UTC")
    assert digest(read) == digest(written)


def at_once(count: int, work) -> list[object]:
    """Run `work(0)` to `work(count - 1)` in threads that start together; return what each gave or raised."""
    results: list[object] = [None] * count
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def add(lake: Lake, number: int) -> int:
    return lake.update("t", ["a"], lambda now: rows("a", *([] if now is None else now["x"].to_pylist()), number))


@pytest.mark.parametrize("exists", [False, True], ids=["a new table", "a table that exists"])
def test_no_row_is_lost_when_eight_writers_add_one_each(lake, exists):
    if exists:
        lake.replace("t", rows("b", 0), ["b"])
    versions = at_once(8, lambda number: add(lake, number))
    assert all(isinstance(version, int) for version in versions), versions
    assert content(lake, "a") == [("a", number) for number in range(8)]


def test_a_change_runs_again_on_fresh_rows_when_another_writer_was_first(lake):
    lake.replace("t", rows("a", 0), ["a"])
    seen: list[list[int]] = []

    def change(now: pa.Table | None) -> pa.Table:
        seen.append(sorted(now["x"].to_pylist()))
        if len(seen) == 1:
            other = threading.Thread(target=add, args=(lake, 1))
            other.start()
            other.join()
        return rows("a", *now["x"].to_pylist(), 2)

    lake.update("t", ["a"], change)
    assert seen == [[0], [0, 1]]
    assert content(lake) == [("a", 0), ("a", 1), ("a", 2)]


def test_writers_of_different_partitions_all_land(lake):
    lake.replace("t", rows("z", 0), ["z"])
    results = at_once(6, lambda number: lake.replace("t", rows(f"p{number}", number), [f"p{number}"]))
    assert all(isinstance(result, int) for result in results), results
    assert content(lake) == [*((f"p{number}", number) for number in range(6)), ("z", 0)]


def test_writers_of_one_partition_leave_the_rows_of_exactly_one(lake):
    results = at_once(6, lambda number: lake.replace("t", rows("a", number, number), ["a"]))
    assert all(isinstance(result, int) for result in results), results
    assert content(lake) in [[("a", number)] * 2 for number in range(6)]


def test_an_object_is_created_once_and_only_one_of_many_creates_it(lake):
    won = at_once(8, lambda number: lake.create("ledger/tiny/1.json", str(number).encode()))
    assert sorted(won) == [False] * 7 + [True]
    assert lake.get("ledger/tiny/1.json") == str(won.index(True)).encode()


def test_an_object_is_replaced_whole_listed_and_found(lake):
    lake.put("models/tiny/b", b"long content")
    lake.put("models/tiny/b", b"new")
    lake.put("models/tiny/a/x", b"")
    lake.put("models/tiny2/c", b"")
    assert lake.get("models/tiny/b") == b"new"
    assert lake.keys("models/tiny") == ["models/tiny/a/x", "models/tiny/b"]
    assert Path(lake.location("models/tiny/b")).read_bytes() == b"new"


def test_an_object_that_is_not_there_is_not_found(lake):
    with pytest.raises(FileNotFoundError):
        lake.get("models/tiny/none")


HOSTILE = [
    "", "/", "/etc/passwd", "../x", "a/../../x", "a/..", "..", ".", "a/./b", "a//b", "a/", "/a", "a\\b", "..\\x",
    "a\x00b", "a\nb", "%2e%2e/x", "a/%2E%2E/x", "a%2fb", "a b", "a?b", "a#b", "a:b", "C:", "~", "$HOME", "`id`", "a;b",
    "a*", "é", "s3://other/x", "file:///etc/passwd", "\u2024\u2024/x", "x" * 300, "'; DROP TABLE", "{a}", "...",
]  # fmt: skip


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_could_mean_more_than_itself_is_refused(lake, key):
    for attempt in (
        lambda: lake.create(key, b""),
        lambda: lake.put(key, b""),
        lambda: lake.get(key),
        lambda: lake.keys(key),
        lambda: lake.location(key),
        lambda: lake.read(key),
        lambda: lake.replace(key, rows("a", 1), ["a"]),
    ):
        with pytest.raises(NameInvalid):
            attempt()


@pytest.mark.parametrize("key", ["", "a'b", "a b", "a/b", "../a", "a\x00", "é", "'; DROP", "a%27"])
def test_a_partition_that_could_mean_more_than_itself_is_refused(lake, key):
    lake.replace("t", rows("a", 1), ["a"])
    with pytest.raises(NameInvalid):
        lake.replace("t", rows(key, 1), [key])


segments = st.sampled_from(["..", ".", "", "a", "%2e%2e", "%2F", "~", " ", "A.b", "x=1", "\\", "..a", "a.."]) | st.text(
    max_size=4
)


@given(st.lists(segments, min_size=1, max_size=4).map("/".join))
def test_a_key_that_is_accepted_stays_inside_the_root(tmp_path_factory, key):
    root = tmp_path_factory.mktemp("lake")
    lake = Lake(str(root / "lake"))
    try:
        lake.put(key, b"x")
        lake.replace(f"tables/{key}", rows("a", 1), ["a"])
    except NameInvalid:
        return
    assert lake.get(key) == b"x"
    assert len(lake.read(f"tables/{key}")) == 1
    assert [found.name for found in root.iterdir()] == ["lake"]
    assert (root / "lake" / key).read_bytes() == b"x", "the file stands where the key says"


def test_no_secret_shows_in_a_lake_s_repr():
    assert "hush" not in repr(Lake("s3://bucket/lake", {"aws_secret_access_key": "hush"}))


def test_a_column_keeps_its_type_for_it_would_be_cast_in_silence(lake):
    lake.replace("t", rows("a", 1), ["a"])
    fractions = pa.table({"partition": pa.array(["b"]), "x": pa.array([1.5])})
    with pytest.raises(SpecInvalid, match=r"'x' of t is number in spec.yaml, but its rows in the lake are integer"):
        lake.replace("t", fractions, ["b"])
    assert content(lake) == [("a", 1)]


def test_a_still_lake_keeps_seeing_the_version_it_saw_first(lake):
    lake.replace("t", pa.table({"x": [1], "partition": ["2024-01-01"]}), ["2024-01-01"])
    still = Still(lake.uri, lake.options)
    assert still.read("t")["x"].to_pylist() == [1]
    lake.replace("t", pa.table({"x": [2], "partition": ["2024-01-01"]}), ["2024-01-01"])
    assert (still.read("t")["x"].to_pylist(), lake.read("t")["x"].to_pylist()) == ([1], [2])
    assert still.still().read("t")["x"].to_pylist() == [1]


class TestPoured:
    """Rows that need not fit into memory, written as files that one commit makes the content of a partition."""

    SHAPE = rows("a", 1).schema

    def pour(self, lake, *tables, beside=None):
        return lake.pour("t", "a", list(tables), self.SHAPE, pc.scalar(False) if beside is None else beside)

    def test_a_partition_holds_what_was_poured_and_the_others_are_left_alone(self, lake):
        lake.replace("t", pa.concat_tables([rows("a", 1, 2), rows("b", 3)]), ["a", "b"])
        self.pour(lake, rows("a", 7), rows("a"), rows("a", 8, 9))
        assert content(lake) == [("a", 7), ("a", 8), ("a", 9), ("b", 3)]
        assert sorted(v for some in lake.scan("t", ["a"]) for v in some["x"].to_pylist()) == [7, 8, 9]

    def test_present_rows_that_are_to_stay_do(self, lake):
        lake.replace("t", rows("a", 1, 2, 3), ["a"])
        self.pour(lake, rows("a", 9), beside=pc.field("x") > 1)
        assert content(lake) == [("a", 2), ("a", 3), ("a", 9)]

    def test_a_column_that_the_table_has_besides_stays(self, lake):
        lake.replace("t", rows("a", 1, y=["old"]), ["a"])
        self.pour(lake, rows("a", 9), beside=pc.field("x") == 1)
        assert sorted((r["x"], r["y"]) for r in lake.read("t").to_pylist()) == [(1, "old"), (9, None)]

    def test_another_type_is_refused(self, lake):
        lake.replace("t", pa.table({"partition": ["a"], "x": ["text"]}), ["a"])
        with pytest.raises(SpecInvalid, match="x"):
            self.pour(lake, rows("a", 9))

    def test_no_rows_empty_the_partition(self, lake):
        lake.replace("t", rows("a", 1), ["a"])
        self.pour(lake)
        assert content(lake) == []

    @pytest.mark.parametrize("begun", [False, True])
    def test_of_writers_at_once_the_rows_of_one_stand_whoever_pours(self, lake, begun):
        lake.replace("t", rows("a" if begun else "b", 0), ["a" if begun else "b"])

        def write(number):
            values = [number] * (number + 1)
            return self.pour(lake, rows("a", *values)) if number % 2 else lake.replace("t", rows("a", *values), ["a"])

        versions = at_once(6, write)
        assert all(isinstance(version, int) for version in versions), versions
        found = [x for key, x in content(lake) if key == "a"]
        assert found in [[number] * (number + 1) for number in range(6)]
