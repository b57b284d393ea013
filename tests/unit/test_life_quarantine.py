"""What a replay changes downstream is listed exactly, kept as computed until asked, and rebuilt once."""

import json

import pytest
from tests.conftest import SPEC

from updraft import features, ingest
from updraft.errors import DeliveryBlocked, Permanent
from updraft.life.quarantine import act, affected

pytestmark = pytest.mark.slow

DAYS = [f"2024-01-{day:02}" for day in range(1, 8)]
HELD = DAYS[1]
FEATURES = """
SELECT 'it' AS id, starts_at AS event_time, (SELECT coalesce(sum(amount), 0) FROM facts) AS amount, 'red' AS colour
FROM this_partition
"""
LABEL = "SELECT 'it' AS id, ((SELECT coalesce(sum(amount), 0) FROM facts) > 100)::INT AS late FROM this_partition"


@pytest.fixture
def cases(sql_case):
    """The use case before and after its contract was repaired."""

    def made(top):
        facts = SPEC["sources"]["facts"]
        columns = {**facts["columns"], "amount": {"type": "number", "range": [0, top]}}
        contract = {"tolerance": 0.5}
        return sql_case(
            FEATURES, LABEL, sources={"facts": {**facts, "columns": columns, "contract": contract, "lookback": "3d"}}
        )

    return made(10), made(1000)


@pytest.fixture
def lived(cases, lake, tmp_path):
    """Seven days, features of all and labels of six; a row of the second day is held."""
    strict, _ = cases
    for number, day in enumerate(DAYS):
        rows = [f"{day},{number},{day}T09:00:00Z,{day}T10:00:00Z"]
        rows += [f"{day}-big,500,{day}T09:00:00Z,{day}T10:00:00Z"] if day == HELD else []
        file = tmp_path / "inbox" / "facts" / f"{day}.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(["id,amount,happened_at,reported_at", *rows, ""]))
    ingest.stage(strict, "facts", DAYS, lake, tmp_path / "inbox")
    features.build(strict, DAYS, lake)
    features.build_labels(strict, DAYS[:6], lake)
    return lake


def replay(case, lake, **how):
    return act(case, "replay", "facts", DAYS, lake, who="test", **how)


def amounts(lake):
    rows = lake.read("features/tiny").to_pylist()
    return {row["partition"]: row["amount"] for row in rows}


def test_partitions_that_could_have_seen_the_rows_are_listed_and_stay_as_computed(cases, lived):
    before = amounts(lived)
    told = replay(cases[1], lived)
    assert (told["partitions"], told["released"], told["held"], told["rebuilt"]) == (1, 1, 0, False)
    assert told["features"] == "2024-01-03, 2024-01-04, 2024-01-05"
    assert told["labels"] == "2024-01-01, 2024-01-02, 2024-01-03, 2024-01-04, 2024-01-05"
    assert amounts(lived) == before
    assert replay(cases[1], lived)["features"] == told["features"], "they wait until they are rebuilt"
    assert len(json.dumps(told)) < 4096


def test_those_listed_are_those_that_a_rebuild_changes(cases, lived):
    before, labels = amounts(lived), lived.read("labels/tiny").to_pylist()
    told = replay(cases[1], lived, rebuild=True)
    features.build(cases[1], DAYS, lived)
    changed = {day for day, amount in amounts(lived).items() if amount != before[day]}
    assert sorted(changed) == told["features"].split(", ")
    pairs = zip(labels, lived.read("labels/tiny").to_pylist(), strict=True)
    assert sorted(new["partition"] for old, new in pairs if new != old) == told["labels"].split(", ")


def test_what_is_rebuilt_is_rebuilt_once(cases, lived):
    assert replay(cases[1], lived, rebuild=True)["rebuilt"] is True
    assert amounts(lived)["2024-01-04"] == 0 + 1 + 500 + 2
    assert affected(cases[1], "facts", DAYS, lived).features == ()
    versions = [lived.version(f"{table}/tiny") for table in ("features", "labels", "raw")]
    assert replay(cases[1], lived, rebuild=True)["features"] == ""
    assert [lived.version(f"{table}/tiny") for table in ("features", "labels", "raw")] == versions


def test_a_list_that_was_lost_with_a_killed_replay_is_made_by_the_next(cases, lived):
    from updraft.ingest.replay import replay as move

    move(cases[1], "facts", DAYS, lived, who="test")
    assert lived.keys("affected") == []
    assert replay(cases[1], lived)["features"] == "2024-01-03, 2024-01-04, 2024-01-05"


def test_a_source_that_no_query_reads_affects_nothing(cases, lived, sql_case):
    cases[1]._folder = sql_case("SELECT 1 FROM this_partition", "SELECT 1 FROM this_partition").folder
    told = replay(cases[1], lived)
    assert (told["released"], told["features"], told["labels"]) == (1, "", "")


@pytest.mark.parametrize("action", ["replay", "discard"])
def test_a_partition_that_blocks_no_more_and_was_not_computed_is_complete(cases, lake, tmp_path, action):
    strict, repaired = cases
    file = tmp_path / "inbox" / "facts" / f"{HELD}.csv"
    file.parent.mkdir(parents=True)
    file.write_text(f"id,amount,happened_at,reported_at\na,500,{HELD}T09:00:00Z,{HELD}T10:00:00Z\n")
    with pytest.raises(DeliveryBlocked):
        ingest.stage(strict, "facts", [HELD], lake, tmp_path / "inbox")
    assert act(strict, "replay", "facts", [HELD], lake, who="test")["complete"] == []
    case = repaired if action == "replay" else strict
    told = [act(case, action, "facts", [HELD], lake, who="test", why="a broken scale") for _ in range(2)]
    assert [one["complete"] for one in told] == [[HELD], [HELD]]


def test_an_action_that_is_none_is_refused(cases, lake):
    with pytest.raises(Permanent, match="There is no action 'delete'"):
        act(cases[0], "delete", "facts", DAYS, lake, who="test")
