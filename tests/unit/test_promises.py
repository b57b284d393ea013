"""Each promise can be broken, and then says so; on a sound lake all of them are silent."""

import threading
import time

import pytest
from tests import promises
from tests.breaking import TABLES, spoil, without_first

from updraft.errors import DeliveryMissing, FeaturesInvalid

pytestmark = pytest.mark.slow  # lives a short life first


def test_a_sound_world_keeps_all_six(observed):
    attempts = [promises.attempt("nothing", 5, lambda: None)]
    before = promises.acknowledged(observed.lake, observed.case)
    assert sum(len(rows) for rows in before.rows.values()) > 2000
    assert len(before.decisions) == 3
    assert promises.broken(observed.lake, observed.case, before=before, attempts=attempts) == []


def test_a_champion_that_mlflow_shows_keeps_all_six(promoted):
    assert promises.broken(promoted.lake, promoted.case, registry=promoted.registry) == []


def test_a_lake_nobody_wrote_to_keeps_all_six(lake, case):
    assert promises.broken(lake, case) == []


def test_an_ingested_lake_keeps_all_six(ingested, parcels_case):
    before = promises.acknowledged(ingested, parcels_case)
    assert sum(before.rows["quarantine/parcels/parcels"].values()) > 0
    assert promises.broken(ingested, parcels_case, before=before) == []


def fail(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize(
    ("call", "violations"),
    [
        pytest.param(lambda: 1, 0, id="success"),
        pytest.param(
            fail(FeaturesInvalid("no", next_step="mend it.")), 0, id="a permanent failure that says what to do"
        ),
        pytest.param(fail(DeliveryMissing("no", next_step="wait.")), 0, id="a failure that may pass"),
        pytest.param(fail(FeaturesInvalid("no", next_step=" ")), 1, id="no next step"),
        pytest.param(fail(KeyError("x")), 1, id="an error nobody sorted"),
        pytest.param(fail(SystemExit(1)), 1, id="a process that gave up"),
    ],
)
def test_i6_wants_success_or_a_failure_that_says_why(call, violations):
    assert len(promises.every_run_ends([promises.attempt("train", 5, call)])) == violations


def test_i6_names_a_run_that_does_not_end():
    gate = threading.Event()
    begun = time.monotonic()
    made = promises.attempt("train", 0.05, gate.wait)
    assert time.monotonic() - begun < 2
    gate.set()
    assert promises.every_run_ends([made]) == ["train was still running after 0.05 seconds"]


def test_every_violation_carries_the_number_of_its_promise(observed):
    before = promises.acknowledged(observed.lake, observed.case)
    spoil(observed.lake, TABLES["scores"], without_first)
    attempts = [promises.attempt("train", 5, fail(KeyError("x")))]
    found = promises.broken(observed.lake, observed.case, before=before, attempts=attempts)
    assert [why[:2] for why in found] == ["I1", "I3", "I6"]
