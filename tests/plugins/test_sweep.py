import json

import pytest
from tests.plugins import tiny

from updraft_airflow.operators.sweep import MOST

DAYS = ["2024-01-05", "2024-01-06", "2024-01-07"]


@pytest.fixture
def holed(world):
    """Three days are delivered, the one in the middle was never ingested."""
    tiny.deliver(world.home, DAYS)
    for day in (DAYS[0], DAYS[2]):
        for source in tiny.CASE.sources:
            assert world.run("ingest", partition=day).task(f"{source}.publish").state == "success"
    return world


def test_a_sweep_starts_what_fills_a_hole(holed):
    ended = holed.run("sweep", partition=DAYS[2]).task("look")
    assert ended.state == "success"
    assert ended.returned == [
        {
            "trigger_dag_id": "tiny__ingest",
            "trigger_run_id": f"sweep__{DAYS[2]}__{DAYS[1]}",
            "conf": {"partition": DAYS[1]},
        }
    ]


def test_a_sweep_of_nothing_starts_nothing(world):
    assert world.run("sweep", partition=DAYS[2]).task("look").returned == []


def test_a_sweep_without_a_partition_says_what_to_do(world):
    ended = world.run("sweep").task("look")
    assert ended.state == "failed"
    assert "fill in the form's field `Partition`" in str(ended.error)


def test_what_a_sweep_hands_on_stays_small_and_the_newest_come_first(holed):
    assert holed.run("features", partition=DAYS[0]).task("build").state == "success"
    late = "2024-03-31"
    tiny.deliver(holed.home, [late])
    days = [f"2024-{month:02}-{day:02}" for month in (2, 3) for day in range(1, 29)]
    tiny.deliver(holed.home, days)
    found = holed.run("sweep", partition=late).task("look").returned
    assert len(found) == MOST
    assert found[0]["conf"] == {"partition": late}
    assert len(json.dumps(found)) < 4096
