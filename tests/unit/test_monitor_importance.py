import pytest
from tests import parcels

from updraft import dataset, score
from updraft.life.train import profile_key
from updraft.model import store
from updraft.monitor.importance import importance
from updraft.monitor.reference import from_bytes

pytestmark = pytest.mark.slow


def test_what_the_champion_goes_by_weighs_most_and_all_adds_up(world):
    digest = score.pin(world.case, world.lake)
    rows = dataset.frame(world.case, world.lake, ["2024-01-14", "2024-01-15"])
    found = importance(store.load(world.lake, "parcels", digest), rows)
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=found.__getitem__) == "weight", "parcels are late by their weight"
    assert len(rows) == 2 * parcels.PER_DAY


def test_a_training_keeps_it_with_the_reference(world):
    kept = from_bytes(world.lake.get(profile_key(world.case, score.pin(world.case, world.lake))))
    assert sum(kept.importance.values()) == pytest.approx(1)
    assert kept.partitions[0] == "2024-01-01"
    assert kept.partitions[-1] == "2024-01-15", "the holdout is part of the reference"


def test_a_model_that_says_the_same_of_every_row_goes_by_nothing(world):
    from updraft.ledger import Ledger

    (trained, *_) = Ledger(world.lake, "parcels").records()
    rows = dataset.frame(world.case, world.lake, ["2024-01-14"])
    trivial = store.load(world.lake, "parcels", trained.facts["baselines"]["trivial"])
    assert importance(trivial, rows) == {}
    assert importance(trivial, rows.iloc[:0]) == {}
