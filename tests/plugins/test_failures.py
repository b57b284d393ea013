"""What does not go well: each failure is typed, says the next step, and announces nothing."""

import pytest
from tests.plugins import tiny

from updraft.asof import raw_table
from updraft.lake import Lake
from updraft.ledger import Ledger

FIRST = "2024-01-01"


def lake(world):
    return Lake(str(world.home / "lake"))


def test_a_delivery_that_breaks_its_contract_fails_its_publication_for_good_and_announces_nothing(world):
    tiny.deliver(world.home, [FIRST], spoilt=True)
    ended = world.run("ingest", partition=FIRST).all()
    assert (ended["plan.publish"].state, ended["plan.publish"].announced) == ("failed", {})
    assert "DeliveryBlocked" in str(ended["plan.publish"].error)
    assert ended["outcome.publish"].announced == {"tiny.raw.outcome": [FIRST]}
    assert lake(world).partitions(raw_table(tiny.CASE, "plan")) == []


def test_a_delivery_that_is_gone_when_it_should_land_is_tried_again(world):
    ended = world.run("ingest", partition=FIRST).task("plan.publish")
    assert ended.state == "up_for_retry"
    assert "DeliveryMissing" in str(ended.error)


def test_without_a_champion_scoring_fails_at_once_and_says_what_to_do(world):
    ended = world.run("score", partition=FIRST).task("pin_champion")
    assert ended.state == "failed"
    assert "NoChampion" in str(ended.error)
    assert "trigger tiny__train" in str(ended.error)


def test_a_training_without_enough_data_fails_at_once_and_is_recorded(world):
    tiny.deliver(world.home, [FIRST])
    ended = world.run("train", partition=FIRST).task("fit")
    assert ended.state == "failed"
    assert "TrainingRefused" in str(ended.error)
    assert [record.kind for record in Ledger(lake(world), "tiny").records()] == ["refused"]


@pytest.mark.parametrize(
    ("stage", "task"),
    [
        ("ingest", "plan.wait"),
        ("ingest", "plan.publish"),
        ("features", "build"),
        ("score", "score"),
        ("score", "reconcile"),
        ("monitor", "measure"),
        ("retrain", "decide"),
        ("train", "dataset"),
        ("train", "fit"),
    ],
)
def test_a_run_without_a_partition_fails_at_once_and_points_to_the_form(world, stage, task):
    run = world.run(stage)
    run.supervisor.xcoms["pin_champion", "return_value"] = "f" * 64
    ended = run.task(task)
    assert ended.state == "failed"
    assert "fill in the form's field `Partition`" in str(ended.error)
