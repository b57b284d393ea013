"""Deliveries larger than memory is to hold go the way of small ones, some rows at a time."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.deliveries import DAY, QUARANTINE, RAW, case, drop, stage

from updraft import ingest
from updraft.errors import DeliveryBlocked
from updraft.ingest import bulk
from updraft.ingest.account import account
from updraft.ingest.change import kept as changes_kept
from updraft.ingest.feed import Feed
from updraft.ingest.replay import replay
from updraft.lake import Lake

pytestmark = pytest.mark.slow
ROWS = 450_000
BAD = {7: "7,2013-04-01T05:00:00Z,900", 300_000: "x,2013-04-01T05:00:00Z,1", ROWS: "1,2013-04-01T05:00:00Z,1"}
OF = case(path="flights/{partition}*.csv", rows=(1, 10**6))
STRICT = case(path="flights/{partition}*.csv", rows=(1, 10**6), tolerance=0.0)


def lines():
    """Rows by number: one out of range, one that cannot be read, and at the end one whose key the first has."""
    return [BAD.get(n) or f"{n},2013-04-01T{n % 24:02d}:00:00Z,{n % 100}" for n in range(1, ROWS + 1)]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    made = tmp_path_factory.mktemp("inbox")
    drop(made, *lines())
    return made


@pytest.fixture(scope="module")
def landed(tmp_path_factory, inbox):
    """A lake in which the delivery was blocked by a contract that tolerates nothing, and replayed by a better one."""
    home = pytest.MonkeyPatch()
    home.setenv("UPDRAFT_HOME", str(tmp_path_factory.mktemp("home")))
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    with pytest.raises(DeliveryBlocked, match=f"3 of {ROWS} rows"):
        stage(lake, inbox, of=STRICT)
    assert lake.version(RAW) is None
    done = replay(OF, "flights", [DAY], lake, who="test")
    yield lake, done
    home.undo()


def numbers(lake):
    return pa.concat_tables(list(lake.scan(RAW, [DAY], ["row"])))["row"]


def test_it_is_one_that_memory_does_not_hold(landed):
    (delivery,) = Feed(OF, "flights", landed[0]).deliveries([DAY])
    assert bulk.large([delivery]) == {DAY}
    assert (delivery.rows, delivery.columns) == (ROWS, ("id", "at", "delay"))


def test_what_keeps_the_contract_is_published_and_what_does_not_is_in_quarantine_with_its_line(landed):
    lake, done = landed
    assert (done.released, done.withdrawn, done.held) == (ROWS - 3, 0, 3)
    found = numbers(lake)
    assert pc.count_distinct(found).as_py() == len(found) == ROWS - 3
    assert not set(BAD) & set(found.to_pylist())
    rejected = lake.read(QUARANTINE).sort_by("row").to_pylist()
    assert [(row["row"], row["rule"], row["line"]) for row in rejected] == [
        (7, "range", 8), (300_000, "type", 300_001), (ROWS, "unique", ROWS + 1),
    ]  # fmt: skip
    assert '"x"' in rejected[1]["original"]


def test_what_moved_is_on_record_row_by_row(landed):
    lake, _ = landed
    (moved,) = changes_kept(Feed(OF, "flights", lake), [DAY])
    assert moved.released == ((1, 6), (8, 299_999), (300_001, ROWS - 1))
    assert moved.withdrawn == ()


def test_the_same_bytes_again_change_nothing(landed, inbox):
    lake, _ = landed
    version = lake.version(RAW)
    again = stage(lake, inbox, of=OF)
    assert (again.new, again.rows, again.quarantined, lake.version(RAW)) == (0, ROWS - 3, 3, version)


def test_a_small_delivery_joins_it_and_the_rows_of_both_add_up(landed, inbox, tmp_path):
    lake, _ = landed
    drop(tmp_path, "1,2013-04-01T05:00:00Z,50", name=f"{DAY}-more.csv")
    added = ingest.stage(OF, "flights", [DAY], lake, tmp_path)
    assert (added.new, added.rows, added.deliveries) == (1, ROWS - 2, 2)
    accounts = account(OF, "flights", [DAY], lake)
    assert all(one.adds_up for one in accounts)
    assert sorted(one.published for one in accounts) == [1, ROWS - 3]
