import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import FeaturesInvalid
from updraft.rows import as_of, digest

STAMP = pa.timestamp("us", "UTC")

tables = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.none() | st.integers(-3, 3), st.none() | st.text(max_size=3)), max_size=6
)


def table(values: list[tuple[str, int | None, str | None]]) -> pa.Table:
    types = {"partition": pa.string(), "x": pa.int64(), "y": pa.string()}
    return pa.table([pa.array(c, t) for c, t in zip(zip(*values, strict=True), types.values(), strict=True)] if values
                    else [pa.array([], t) for t in types.values()], names=list(types))  # fmt: skip


@given(tables, st.randoms(use_true_random=False))
def test_a_digest_does_not_know_the_order_of_rows_columns_and_chunks(values, random):
    shuffled = random.sample(values, len(values))
    half = len(shuffled) // 2
    other = pa.concat_tables([table(shuffled[:half]), table(shuffled[half:])]).select(["y", "partition", "x"])
    assert digest(other) == digest(table(values))


@given(tables, tables)
def test_a_digest_tells_different_rows_apart(one, other):
    alike = sorted(map(repr, one)) == sorted(map(repr, other))
    assert (digest(table(one)) == digest(table(other))) == alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"x": [1]}, {"y": [1]}, id="another name"),
        pytest.param({"x": [1]}, {"x": [1.0]}, id="another type"),
        pytest.param({"x": [None, 1]}, {"x": [0, 1]}, id="null is not zero"),
        pytest.param({"x": [1]}, {"x": [1, 1]}, id="a row twice"),
        pytest.param({"x": [1]}, {"x": [1], "y": ["a"]}, id="a column more"),
    ],
)
def test_what_is_not_the_same_has_another_digest(one, other):
    assert digest(pa.table(one)) != digest(pa.table(other))


def test_a_digest_does_not_know_how_strings_are_stored():
    plain = pa.array(["a", "b", None])
    kinds = [plain.dictionary_encode(), plain.cast(pa.large_string()), plain.cast(pa.string_view())]
    assert {digest(pa.table({"x": kind})) for kind in kinds} == {digest(pa.table({"x": plain}))}


# ---- the as-of join ----------------------------------------------------------------------------------------------


def views(folder, *histories):
    """A Parquet file per history of (key, hour, value); the value of view n is called vn."""
    files = [folder / f"view_{n}.parquet" for n in range(len(histories))]
    for n, (file, history) in enumerate(zip(files, histories, strict=True)):
        ids, hours, values = zip(*history, strict=True) if history else ((), (), ())
        columns = {"id": pa.array(ids, pa.string()), "at": hour(hours), f"v{n}": pa.array(values, pa.float64())}
        pq.write_table(pa.table(columns), file)
    return files


def hour(hours):
    return pa.array([None if h is None else h * 3_600_000_000 for h in hours], pa.int64()).cast(STAMP)


def asked(*rows):
    ids, hours = zip(*rows, strict=True)
    return pa.table({"at": hour(hours), "id": pa.array(ids, pa.string()), "label": list(range(len(rows)))})


@pytest.mark.parametrize(
    ("history", "value"),
    [
        pytest.param([("a", 9, 1.0)], 1.0, id="known before"),
        pytest.param([("a", 12, 1.0)], 1.0, id="known at the very moment"),
        pytest.param([("a", 13, 1.0)], None, id="known after"),
        pytest.param([("a", 11, 2.0), ("a", 9, 1.0), ("a", 13, 3.0)], 2.0, id="the newest known"),
        pytest.param([("a", 9, 1.0), ("a", 11, None)], None, id="taken back"),
        pytest.param([("a", 9, 1.0), ("a", 9, 2.0)], 2.0, id="the last of two for one moment"),
        pytest.param([("b", 9, 1.0)], None, id="another key"),
        pytest.param([(None, 9, 1.0), ("a", None, 1.0)], None, id="no key, no moment"),
        pytest.param([], None, id="an empty view"),
    ],
)
def test_a_row_gets_the_newest_that_was_known_at_its_moment_and_stays_when_there_is_none(tmp_path, history, value):
    found = as_of(asked(("a", 12)), views(tmp_path, history), by=["id"], at="at")
    assert found.select(["label", "v0"]).to_pylist() == [{"label": 0, "v0": value}]


def test_no_row_is_dropped_doubled_or_moved(tmp_path):
    rows = asked(("b", 12), ("a", 1), (None, 12), ("a", None), ("zz", 12), ("a", 12), ("a", 12))
    files = views(tmp_path, [("a", 2, 1.0), ("a", 2, 2.0), ("b", 3, 3.0), ("a", 4, 4.0)], [("zz", 1, 5.0)])
    found = as_of(rows, files, by=["id"], at="at")
    assert found.column_names == ["at", "id", "label", "v0", "v1"]
    assert found.select(rows.column_names).equals(rows)
    assert found["v0"].to_pylist() == [3.0, None, None, None, None, 4.0, 4.0]
    assert found["v1"].to_pylist() == [None, None, None, None, 5.0, None, None]


@pytest.mark.slow
@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.none() | st.integers(0, 5)), min_size=1, max_size=6),
    history=st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.none() | st.integers(0, 5), st.none() | st.floats(0, 1)),
        max_size=8,
    ),
)
@settings(max_examples=30)
def test_every_row_finds_what_the_plainest_search_finds(tmp_path_factory, rows, history):
    found = as_of(asked(*rows), views(tmp_path_factory.mktemp("views"), history), by=["id"], at="at")
    expected = []
    for key, at in rows:
        known = [
            (then, n, value)
            for n, (other, then, value) in enumerate(history)
            if None not in (key, at, then) and other == key and then <= at
        ]
        expected.append(max(known, key=lambda k: k[:2])[2] if known else None)
    assert found["v0"].to_pylist() == expected


def test_a_name_that_two_of_them_have_is_refused(tmp_path):
    (file,) = views(tmp_path, [("a", 1, 1.0)])
    with pytest.raises(FeaturesInvalid, match=r"view_0.parquet has v0, which the rows have already.* Next: "):
        as_of(asked(("a", 1)), [file, file], by=["id"], at="at")
