"""The line on which a row begins is the one an editor shows, and the row is the one that the reader numbered."""

import json
from io import BytesIO

import pytest
from tests.deliveries import case

from updraft.sources.decode import decode
from updraft.sources.decode.lines import lines

CSV = case().sources["flights"]
JSONL = CSV.model_copy(update={"format": "jsonl"})
HEAD = "id,at,delay\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + "1,a,1\n2,b,2\n", {1: 2, 2: 3}, id="a row a line"),
        pytest.param(HEAD + "1,a,1\n\n\n2,b,2\n", {1: 2, 2: 5}, id="blank lines"),
        pytest.param("\n\n" + HEAD + "1,a,1\n2,b,2", {1: 4, 2: 5}, id="blank lines first, no end of line last"),
        pytest.param(HEAD + '1,"a\nb\n\nc",1\n2,b,2\n', {1: 2, 2: 6}, id="line ends within quotes"),
        pytest.param(HEAD + '1,"a ""b""",1\n2,b,2\n', {1: 2, 2: 3}, id="doubled quotes"),
        pytest.param((HEAD + "1,a,1\n2,b,2\n").replace("\n", "\r\n"), {1: 2, 2: 3}, id="windows"),
        pytest.param((HEAD + "1,a,1\n2,b,2\n").replace("\n", "\r"), {1: 2, 2: 3}, id="carriage returns"),
        pytest.param("\ufeff" + HEAD + "1,a,1\n2,b,2\n", {1: 2, 2: 3}, id="byte order mark"),
        pytest.param(HEAD + "1,a\n2,b,2\n", {1: 2, 2: 3}, id="a row that is too short"),
    ],
)
def test_rows_of_csv_are_found_on_the_lines_where_they_begin(text, expected):
    data = text.encode()
    assert lines(BytesIO(data), CSV, [1, 2]) == expected
    decoded = decode(data, CSV)
    assert sorted([*decoded.rows["row"].to_pylist(), *decoded.bad]) == [1, 2]
    assert ['"1' in cell or ': "1' in cell for cell in decoded.original([1, 2])] == [True, False]


def test_objects_are_found_on_their_lines_and_blank_ones_are_none():
    data = b'\n{"id": 1}\n  \nnonsense\n{"id": 3}\n'
    assert lines(BytesIO(data), JSONL, [1, 2, 3]) == {1: 2, 2: 4, 3: 5}
    assert json.loads(decode(data.replace(b'"id"', b'"at": null, "delay": null, "id"'), JSONL).original([2])[0]) == {
        "line": "nonsense"
    }


def test_nothing_is_read_when_no_row_is_asked_for_or_the_format_has_no_lines():
    assert lines(BytesIO(b"id\n1\n"), CSV, []) == {}
    assert lines(BytesIO(b"PAR1"), CSV.model_copy(update={"format": "parquet"}), [1]) == {}


def test_reading_ends_with_the_last_row_asked_for():
    text = BytesIO((HEAD + "1,a,1\n" * 100_000).encode())
    assert lines(text, CSV, [3]) == {3: 4}
    assert text.tell() < 1000
