"""A function in the use case's folder: what it is given, and what is said when it fails."""

import sys
from textwrap import dedent

import pytest

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, SourceUnavailable, SpecInvalid
from updraft.sources import Connection, Found
from updraft.sources.decode import decode

DAY = "2024-01-02"
COLUMNS = {"id": {"type": "string"}, "at": {"type": "timestamp"}}


@pytest.fixture
def fetch(make_case, tmp_path):
    """Fetch from a `source.py` with some code; without code there is no file."""

    def fetch(code=None, **settings):
        about = {"key": ["id"], "event_time": "at", "known_at": {"delay": "1h"}, "columns": COLUMNS}
        asked = {"call": "source.py:rows", **settings}
        case = make_case(sources={"facts": {"type": "python", **about, "python": asked}})
        case._folder = tmp_path
        if code is not None:
            (tmp_path / "source.py").write_text("import pyarrow as pa\n" + dedent(code))
        found = Found(DAY, f"source.py:rows/{DAY}")
        connection = Connection("api", password="canary-secret")
        data = sources.fetch(case.sources["facts"], found, tmp_path, case=case, connections=lambda name: connection)
        return decode(data, case.sources["facts"]).rows.drop_columns("row").to_pylist()

    return fetch


def test_it_is_given_the_partition_s_interval(fetch):
    (row,) = fetch("def rows(start, end):\n    yield pa.table({'id': [f'{start} {end}'], 'at': [start]})")
    assert row["id"] == "2024-01-02 00:00:00+00:00 2024-01-03 00:00:00+00:00"


def test_it_is_given_the_connection_it_names(fetch):
    code = """
        def rows(start, end, connection):
            yield pa.table({"id": [connection.id], "at": [start]})
    """
    assert [row["id"] for row in fetch(code, connection="api")] == ["api"]


def test_its_file_is_read_as_it_is_now_and_the_import_path_is_left_alone(fetch):
    before = list(sys.path)
    code = "def rows(start, end):\n    return [pa.table({{'id': ['{0}'], 'at': [start]}})]"
    assert [fetch(code.format(word))[0]["id"] for word in ("first", "second")] == ["first", "second"]
    assert sys.path == before


def test_a_function_without_batches_is_an_empty_delivery(fetch):
    assert fetch("def rows(start, end):\n    return []") == []


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        pytest.param(None, SpecInvalid, "no source.py beside spec.yaml", id="no file"),
        pytest.param("", SpecInvalid, "source.py has no function 'rows'", id="no function"),
        pytest.param("rows = 1", SpecInvalid, "source.py has no function 'rows'", id="something else"),
        pytest.param("def rows(:", DeliveryRefused, "source.py:rows failed with SyntaxError", id="no Python"),
        pytest.param("import nosuchmodule", DeliveryRefused, "in line 2 with ModuleNotFoundError", id="import"),
        pytest.param("def rows(a):\n    return []", DeliveryRefused, "with TypeError", id="other arguments"),
        pytest.param("def rows(a, b):\n    yield 1 / 0", DeliveryRefused, "in line 3 with ZeroDivision", id="a fault"),
        pytest.param("def rows(a, b):\n    raise ValueError('canary')", DeliveryRefused, "in line 3", id="a secret"),
        pytest.param("def rows(a, b):\n    return None", DeliveryRefused, "with TypeError", id="nothing"),
        pytest.param("def rows(a, b):\n    yield [1]", DeliveryRefused, "yields list", id="no Arrow"),
        pytest.param("def rows(a, b):\n    raise ConnectionError", SourceUnavailable, "in line 3", id="a connection"),
        pytest.param("from updraft.errors import DeliveryMissing\ndef rows(a, b):\n"
                     "    raise DeliveryMissing('Not yet.', next_step='wait.')", DeliveryMissing, "Not yet",
                     id="its own"),
        pytest.param("def rows(a, b):\n    yield pa.table({'id': [1], 'at': [a]})", DeliveryRefused,
                     "id is int64, declared string", id="another type"),
        pytest.param("def rows(a, b):\n    yield pa.table({'idd': ['x'], 'at': [a]})", DeliveryRefused,
                     "did you mean 'idd'", id="another name"),
    ],
)  # fmt: skip
def test_what_goes_wrong_in_it_names_file_function_and_line(fetch, code, error, said):
    with pytest.raises(error, match=said) as failure:
        fetch(code)
    assert "canary" not in str(failure.value)
