"""Late rows: which computed partitions they would have changed, and what becomes of these."""

import json
import shutil
from datetime import datetime, timedelta

import pyarrow.compute as pc
import pytest
from tests.inbox import put

from updraft import dataset, features, ingest
from updraft.ingest import Feed, late
from updraft.ingest.computed import affected, computed
from updraft.lake import Lake
from updraft.life import features as stage
from updraft.partition import calendar
from updraft.rows import digest

pytestmark = pytest.mark.slow

DAYS = [f"2024-01-{day:02}" for day in range(1, 9)]
FEATURES = """
SELECT 'x' AS id, starts_at AS event_time, (SELECT sum(amount) FROM facts) AS amount, 'red' AS colour
FROM this_partition
"""
LABEL = "SELECT 'x' AS id, (sum(amount) > 100)::INT AS late FROM facts, this_partition GROUP BY ALL"


@pytest.fixture
def make(sql_case, make_case, tmp_path):
    """A use case that sums facts up; what it knows by then."""

    def make(policy="keep", lookback=None, label=LABEL):
        source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True)
        return sql_case(FEATURES, label, sources={"facts": source | {"late": policy, "lookback": lookback}})

    return make


def drop(tmp_path, day, rows):
    """A delivery of rows `(id, amount, known at)`."""
    lines = [f"{i},{n},2024-01-01T00:00:00Z,{known}:00Z" for i, n, known in rows]
    put(tmp_path / f"inbox/facts/{day}.csv", "\n".join(["id,amount,happened_at,reported_at", *lines]) + "\n")


def take_in(case, lake, tmp_path, *days):
    return ingest.stage(case, "facts", days, lake, tmp_path / "inbox")


def on_time(case, lake, tmp_path):
    """Eight days delivered and computed, each in its turn: on day n, a fact n known at noon of the day before."""
    for number, day in enumerate(DAYS, start=1):
        known = calendar(case).at(day).start - timedelta(hours=12)
        drop(tmp_path, day, [(number, number, f"{known:%Y-%m-%dT%H:%M}")])
    take_in(case, lake, tmp_path, *DAYS)
    stage.build(case, DAYS, lake)
    dataset.mature_labels(case, DAYS[:5], lake)


def amounts(lake):
    rows = lake.read("features/tiny").sort_by("partition").to_pylist()
    return {row["partition"][-2:]: row["amount"] for row in rows}


CORRECTED = [(4, 400, "2024-01-03T15:00")]  # of the fourth day, known before its features are computed at 18:00


def correct(case, lake, tmp_path, day=DAYS[3], rows=CORRECTED):
    drop(tmp_path, day, rows)
    return take_in(case, lake, tmp_path, day)


@pytest.mark.parametrize(
    ("known", "delivered", "lookback", "expected"),
    [
        pytest.param("01-03T15:00", "04", None, ("04 05 06 07 08", "02 03 04 05"), id="before the moment"),
        pytest.param("01-03T18:00", "04", None, ("04 05 06 07 08", "02 03 04 05"), id="at the very moment"),
        pytest.param("01-03T18:01", "04", None, ("05 06 07 08", "02 03 04 05"), id="after the moment"),
        pytest.param("01-04T00:01", "04", None, ("05 06 07 08", "03 04 05"), id="after a label matured"),
        pytest.param("01-03T15:00", "04", "2d", ("04 05 06", "02 03 04 05"), id="within the lookback"),
        pytest.param("02-01T00:00", "04", None, ("", ""), id="known long after"),
    ],
)
def test_what_was_computed_without_a_row_it_would_have_seen(make, lake, tmp_path, known, delivered, lookback, expected):
    case = make(lookback=lookback)
    on_time(case, lake, tmp_path)
    moment = datetime.fromisoformat(f"2024-{known}:00+00:00")
    found = affected(case, "facts", moment, f"2024-01-{delivered}", computed(case, lake))
    assert tuple(" ".join(key[-2:] for key in found[which]) for which in ("features", "label")) == expected


def test_a_query_that_does_not_read_the_source_is_not_affected(make, lake, tmp_path):
    case = make(label="SELECT 'x' AS id, 1 AS late FROM this_partition")
    on_time(case, lake, tmp_path)
    moment = calendar(case).at(DAYS[3]).as_of
    found = affected(case, "facts", moment, DAYS[3], computed(case, lake))
    assert found == {"features": tuple(DAYS[3:]), "label": ()}


def test_what_comes_in_time_is_not_late(make, lake, tmp_path):
    case = make()
    on_time(case, lake, tmp_path)
    assert late.recorded(case, lake) == ()
    assert "late" not in take_in(case, lake, tmp_path, *DAYS).summary()


def test_late_rows_are_in_the_summary_the_log_and_the_lake(make, lake, tmp_path, caplog):
    case = make()
    on_time(case, lake, tmp_path)
    done = correct(case, lake, tmp_path)
    said = {"policy": "keep", "features": ", ".join(DAYS[3:]), "labels": ", ".join(DAYS[1:5])}
    assert done.summary()["late"] == said
    assert len(json.dumps(done.summary())) < 4096
    assert f"facts of {DAYS[3]} came late for features of {', '.join(DAYS[3:])} and labels of" in caplog.text
    (noted,) = late.recorded(case, lake)
    assert (noted.features, noted.labels, noted.rebuilt) == (tuple(DAYS[3:]), tuple(DAYS[1:5]), False)
    assert take_in(case, lake, tmp_path, DAYS[3]) == done, "a retry says the same"


def test_a_run_killed_before_it_published_has_said_what_would_change(make, lake, tmp_path):
    case = make()
    on_time(case, lake, tmp_path)
    twin = Lake(str(shutil.copytree(lake.uri, tmp_path / "twin")))
    done = correct(case, twin, tmp_path)
    ingest.land(case, "facts", [DAYS[3]], lake, tmp_path / "inbox")
    feed = Feed(case, "facts", lake)
    _, new = feed.deliveries([DAYS[3]])
    rows = twin.read("raw/tiny/facts", [DAYS[3]])
    parts = {new.identity: rows.filter(pc.equal(rows["delivery"], new.delivery))}
    late.note(feed, late.changed(feed, [new], parts))
    assert late.recorded(case, lake) == late.recorded(case, twin)
    assert take_in(case, lake, tmp_path, DAYS[3]) == done


def test_kept_partitions_stay_as_computed_until_their_definition_changes(make, lake, tmp_path):
    case = make()
    on_time(case, lake, tmp_path)
    before, labels = digest(lake.read("features/tiny")), digest(lake.read("labels/tiny"))
    correct(case, lake, tmp_path)
    built = stage.build(case, DAYS[2:5], lake)
    assert (built["partitions"], built["kept"]) == (1, DAYS[3:5])
    dataset.mature_labels(case, DAYS[:5], lake)
    assert (digest(lake.read("features/tiny")), digest(lake.read("labels/tiny"))) == (before, labels)
    (case.folder / "features.sql").write_text(FEATURES.replace("red", "blue"))
    assert "kept" not in stage.build(case, DAYS[3:5], lake)
    assert amounts(lake)["04"] == 406


@pytest.mark.parametrize("told", [DAYS[:1], DAYS[3:4], []])
def test_rebuilt_partitions_are_those_that_would_have_been_computed_in_time(make, lake, tmp_path, told):
    case, then = make("rebuild"), Lake(str(tmp_path / "then"))
    on_time(case, lake, tmp_path)
    assert amounts(lake) == {"01": 1, "02": 3, "03": 6, "04": 10, "05": 15, "06": 21, "07": 28, "08": 36}
    correct(case, lake, tmp_path)
    built = stage.build(case, told, lake) if told else stage.rebuild(case, lake)
    assert (built["rebuilt"], built["relabelled"]) == (DAYS[3:], DAYS[1:5])
    # In time: the correction lies in the inbox beside the first delivery, before anything is computed.
    for number, day in enumerate(DAYS, start=1):
        known = calendar(case).at(day).start - timedelta(hours=12)
        drop(tmp_path, day, [(number, number, f"{known:%Y-%m-%dT%H:%M}")])
    take_in(case, then, tmp_path, *DAYS)
    correct(case, then, tmp_path)
    features.build(case, DAYS, then)
    features.build_labels(case, DAYS[:5], then)
    for table in ("features/tiny", "labels/tiny"):
        assert digest(lake.read(table)) == digest(then.read(table)), table
    assert amounts(lake)["04"] == 406


def test_what_was_rebuilt_is_rebuilt_once(make, lake, tmp_path):
    case = make("rebuild")
    on_time(case, lake, tmp_path)
    correct(case, lake, tmp_path)
    stage.rebuild(case, lake)
    versions = [lake.version(f"{table}/tiny") for table in ("features", "labels")]
    assert stage.rebuild(case, lake) == {}
    assert [lake.version(f"{table}/tiny") for table in ("features", "labels")] == versions
    assert [noted.rebuilt for noted in late.recorded(case, lake)] == [True]


def test_the_first_delivery_of_a_partition_is_not_late_for_the_partition_itself(make, lake, tmp_path):
    """Its features were computed too early; the features stage must be able to mend that."""
    case = make()
    drop(tmp_path, DAYS[0], [(1, 1, "2024-01-01T09:00")])
    take_in(case, lake, tmp_path, DAYS[0])
    stage.build(case, DAYS[1:3], lake)
    drop(tmp_path, DAYS[1], [(2, 2, "2024-01-01T12:00")])
    done = take_in(case, lake, tmp_path, DAYS[1])
    assert done.summary()["late"] == {"policy": "keep", "features": DAYS[2], "labels": ""}
    stage.build(case, DAYS[1:3], lake)
    assert amounts(lake) == {"02": 3, "03": 1}


def test_a_record_that_grew_meanwhile_stays_open(make, lake, tmp_path):
    case = make("rebuild")
    on_time(case, lake, tmp_path)
    correct(case, lake, tmp_path)
    (noted,) = late.recorded(case, lake)
    lake.put(lake.keys("late")[0], json.dumps({**vars(noted), "labels": DAYS}).encode())
    late.settle(case, lake, [noted])
    assert [one.rebuilt for one in late.recorded(case, lake)] == [False]
