import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.rows import digest

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
