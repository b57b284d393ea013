from io import BytesIO

import pyarrow as pa
import pytest

from updraft.errors import ReadOnly
from updraft.lake import Lake
from updraft.lake.shadow import Shadow, inventory, seal


def rows(*values):
    return pa.table({"partition": pa.array(["d"] * len(values), pa.string()), "x": pa.array(values, pa.int64())})


@pytest.fixture
def live(tmp_path):
    lake = Lake(str(tmp_path / "live"))
    lake.replace("raw/a", rows(1), ["d"])
    lake.replace("scores/a", rows(2), ["d"])
    lake.put("published/a", b"yes")
    lake.put("ledger/a", b"one")
    return lake


@pytest.fixture
def shadow(live, tmp_path):
    return Shadow.over(live, str(tmp_path / "shadow"), ["raw", "published"])


def test_what_is_shown_is_read_as_it_is_and_the_rest_of_the_lake_is_not_there(shadow):
    assert shadow.read("raw/a", ["d"])["x"].to_pylist() == [1]
    assert [len(some) for some in shadow.scan("raw/a", ["d"])] == [1]
    assert (shadow.partitions("raw/a"), shadow.version("raw/a")) == (["d"], 1)
    assert (shadow.counts("raw/a"), shadow.counts("scores/a")) == ({"d": 1}, {})
    assert (shadow.get("published/a"), shadow.keys("published")) == (b"yes", ["published/a"])
    assert shadow.fetch("published/a").read() == b"yes"
    assert shadow.location("published/a").endswith("live/published/a")
    assert shadow.read("scores/a") is None
    assert shadow.keys("ledger") == []


WRITES = {
    "replace": lambda lake, name: lake.replace(name, rows(9), ["d"]),
    "pour": lambda lake, name: lake.pour(name, "d", [rows(9)], rows().schema, pa.compute.scalar(False)),
    "create": lambda lake, name: lake.create(name, b"9"),
    "put": lambda lake, name: lake.put(name, b"9"),
    "keep": lambda lake, name: lake.keep(name, BytesIO(b"9")),
}


@pytest.mark.parametrize("write", WRITES)
def test_nothing_can_be_written_to_what_is_shown(shadow, live, write):
    before = inventory(live)
    with pytest.raises(ReadOnly, match="which is only read here"):
        WRITES[write](shadow, "raw/a")
    assert inventory(live) == before


@pytest.mark.parametrize("write", WRITES)
def test_what_is_written_stands_in_the_shadow_alone(shadow, live, write):
    before = inventory(live)
    WRITES[write](shadow, "scores/a")
    assert any(key.startswith("scores/a") for key in inventory(Lake(shadow.uri)))
    assert inventory(live) == before


def test_a_shadow_covers_every_method_of_a_lake():
    """A method that is new in the lake would otherwise read and write past what is shown."""
    public = {name for name in vars(Lake) if not name.startswith("_")} - {"options", "replace"}
    assert public <= set(vars(Shadow))


def test_a_shadow_over_a_shadow_shows_what_is_below_both(shadow, tmp_path):
    shadow.put("models/m", b"m")
    upper = Shadow.over(shadow, str(tmp_path / "upper"), ["raw", "models"])
    assert (upper.read("raw/a")["x"].to_pylist(), upper.get("models/m")) == ([1], b"m")


@pytest.mark.parametrize("place", ["live", "live/inner", ".", "other/../live"])
def test_a_shadow_within_the_lake_or_around_it_is_refused(live, tmp_path, place):
    with pytest.raises(ReadOnly, match="would lie within"):
        Shadow.over(live, str(tmp_path / place), ["raw"])


def test_a_seal_tells_whether_any_file_was_changed(live):
    before = seal(inventory(live))
    assert seal(inventory(live)) == before
    live.put("ledger/a", b"two")
    assert seal(inventory(live)) != before
