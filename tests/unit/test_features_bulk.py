"""Many partitions at once are what each would be alone, however little memory there is."""

from functools import cache
from tempfile import TemporaryDirectory

import pytest
from tests import flights

from updraft import features
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import digest

pytestmark = pytest.mark.slow

CASE = flights.case()
DATES = calendar(CASE)


@pytest.mark.parametrize(
    ("last", "together"),
    [
        pytest.param("2013-03-08", 3, id="eight days, three at a time"),
        pytest.param("2013-05-04", features.TOGETHER, id="as many as there are at a time", marks=pytest.mark.deep),
    ],
)
def test_a_long_history_in_bulk_has_the_bytes_of_one_partition_after_the_other(tmp_path, monkeypatch, last, together):
    """More partitions than share one loading of history, and than are committed together."""
    monkeypatch.setattr(features, "TOGETHER", together)
    first = "2013-03-01"
    keys = DATES.keys(first, last)
    assert len(keys) > features.TOGETHER
    found = {}
    for name, chunks in {"bulk": [keys], "each": [[key] for key in keys]}.items():
        lake = Lake(str(tmp_path / name))
        flights.write(CASE, lake, flights.raw_rows(CASE, first, last, per_day=6))
        for chunk in chunks:
            assert features.build(CASE, chunk, lake).partitions == len(chunk)
        files = (tmp_path / name / "features").rglob("*.parquet")
        found[name] = {file.parent.name: file.read_bytes() for file in files}
        assert sorted(found[name]) == [f"partition={key}" for key in keys]
    assert found["bulk"] == found["each"]


@pytest.mark.parametrize(
    ("memory", "value_bytes", "shared"),
    [
        pytest.param("", 8, [8], id="no limit"),
        pytest.param("1GB", 8, [8], id="enough for all"),
        pytest.param("64MB", 6_000, [4, 2, 1, 1], id="enough for fewer, the longer they look back"),
        pytest.param("64MB", 1 << 20, [1] * 8, id="never enough: one by one, and the rest goes to disk"),
    ],
)
def test_where_memory_is_short_fewer_partitions_share_a_history_and_nothing_else_changes(
    tmp_path, monkeypatch, memory, value_bytes, shared
):
    wanted = unlimited()
    monkeypatch.setenv("UPDRAFT_MEMORY", memory)
    monkeypatch.setattr(features, "VALUE_BYTES", value_bytes)
    lake, keys = Lake(str(tmp_path)), DATES.keys("2013-03-01", "2013-03-08")
    flights.write(CASE, lake, flights.raw_rows(CASE, keys[0], keys[-1], per_day=6))
    asked = [(day, day.as_of) for day in map(DATES.at, keys)]
    assert [len(some) for some in features._loadings(CASE, "features", asked, lake)] == shared
    features.build(CASE, keys, lake)
    assert digest(lake.read(features.table(CASE))) == wanted


@cache
def unlimited():
    """Digest of the same features with all the memory there is."""
    keys = DATES.keys("2013-03-01", "2013-03-08")
    with TemporaryDirectory() as folder:
        lake = Lake(folder)
        flights.write(CASE, lake, flights.raw_rows(CASE, keys[0], keys[-1], per_day=6))
        features.build(CASE, keys, lake)
        return digest(lake.read(features.table(CASE)))
