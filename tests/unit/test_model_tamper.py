"""Model files that were flipped, cut or swapped are never scored with; a slice of `tests/bench/tamper_study.py`."""

import random

import pytest
from tests.bench.tamper_study import damaged, study

from updraft import score
from updraft.ledger import Ledger
from updraft.rows import digest

DAY = "2024-01-18"
KINDS = {"flip", "cut", "cut out", "swap parts", "swap files", "swap models", "swap all"}


def test_damage_is_of_every_kind_and_changes_something_almost_always():
    draw = random.Random(1)
    files, other = {"a": b"0123456789", "b": b"abcdefghij"}, {"a": b"9876543210", "manifest.json": b"{}"}
    made = [damaged(draw, files, [other]) for _ in range(300)]
    assert {kind for kind, _ in made} == KINDS
    assert sum(bool(after) for _, after in made) > 250
    assert all(files[name] != content for _, after in made for name, content in after.items())


@pytest.mark.slow
def test_damaged_models_are_refused_whatever_the_damage(observed):
    (trained,) = [r for r in Ledger(observed.lake, "parcels").records() if r.kind == "trained"]
    models = [trained.model, *trained.facts["baselines"].values()]
    before = observed.lake.read(score.table(observed.case), [DAY])
    counted = study(observed.case, observed.lake, DAY, models, 200)
    assert (counted.total(), counted["scored"]) == (200, 0)
    assert set(counted) - {"scored"} == KINDS
    score.partitions(observed.case, [DAY], observed.lake, champion=trained.model, rescore=True)
    after = observed.lake.read(score.table(observed.case), [DAY])
    assert digest(before) == digest(after), "the sound model gives what it gave"
