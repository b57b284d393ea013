"""Bytes and rows on their way: the same whether they are few or many, and nothing is left of them."""

import io

import pyarrow as pa
import pytest

from updraft.spool import SMALL, Left, Pile, chunks, folder, sha256, size, spool


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))


def table(first, rows):
    return pa.table(
        {"n": pa.array(range(first, first + rows), pa.int64()), "s": pa.array(["x" * 20] * rows, pa.string())}
    )


def piled(tables):
    pile = Pile()
    for each in tables:
        pile.put(each)
    return pile.done()


FEW = [table(0, 3), table(3, 0), table(3, 2)]
MANY = [table(200_000 * i, 200_000) for i in range(5)]


@pytest.mark.parametrize(("tables", "in_memory"), [(FEW, True), (MANY, False)])
def test_tables_come_out_as_they_were_put(tables, in_memory):
    pile = piled(tables)
    assert pile.in_memory == in_memory
    assert pile.rows == sum(map(len, tables))
    for _ in range(2):
        assert pa.concat_tables(list(pile)) == pa.concat_tables(tables)


def test_several_may_read_a_pile_at_a_time():
    pile = piled(MANY)
    one, other = iter(pile), iter(pile)
    first = next(one)
    assert [each["n"][0] for each in other] == [each["n"][0] for each in MANY]
    assert pa.concat_tables([first, *one]) == pa.concat_tables(MANY)


def test_nothing_of_it_can_be_seen_or_is_left():
    pile, file = piled(MANY), spool()
    file.write(b"x" * (SMALL + 1))
    assert list(folder().iterdir()) == []
    del pile
    assert list(folder().iterdir()) == []


@pytest.mark.parametrize("count", [0, 1, SMALL + 1])
def test_a_file_tells_its_size_and_digest_wherever_it_stands(count):
    import hashlib

    file = spool()
    file.write(b"x" * count)
    assert size(file) == count
    assert sha256(file) == hashlib.sha256(b"x" * count).hexdigest()
    assert b"".join(chunks(file, 1)) == b"x" * max(0, count - 1)


def test_what_is_left_of_a_file_has_the_rest_behind_it_and_does_not_close_it():
    file = io.BytesIO(b"header\nrow\n")
    file.seek(7)
    with Left(file, b"end\n") as left:
        assert left.read(100) + left.read(100) + left.read(100) == b"row\nend\n"
    assert not file.closed
