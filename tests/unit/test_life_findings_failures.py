"""What is told of a task that failed: what it means, once a day, and no stranger's words."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.telling import SOME

from updraft.errors import DeliveryBlocked, DeliveryMissing, DeliveryRefused, TrainingRefused
from updraft.life.findings.failures import failure


def wrapped(own):
    error = RuntimeError(f"{type(own).__name__}: {own}")
    error.__cause__ = own
    return error


@pytest.mark.parametrize(
    ("error", "waited", "kind"),
    [
        pytest.param(wrapped(DeliveryRefused("unreadable", next_step="ask")), False, "delivery_blocked", id="refused"),
        pytest.param(wrapped(DeliveryMissing("gone", next_step="wait")), False, "delivery_missing", id="missing"),
        pytest.param(TimeoutError("12 hours"), True, "delivery_missing", id="a sensor that gave up"),
        pytest.param(ZeroDivisionError("x"), False, "task_failed", id="something else"),
        pytest.param(None, False, "task_failed", id="killed"),
        pytest.param(wrapped(DeliveryBlocked("bad rows", next_step="look")), False, None, id="the lake says it"),
        pytest.param(wrapped(TrainingRefused("too few", next_step="wait")), False, None, id="the ledger says it"),
    ],
)
def test_a_failed_task_is_told_as_what_it_means(error, waited, kind):
    found = failure(replace(SOME, error=error, waited=waited))
    assert (found and found.kind) == kind


def test_what_fails_again_and_for_many_partitions_is_one_alert_a_day():
    many = [
        replace(SOME, error=OSError("x"), run=run, partitions=keys) for run in "ab" for keys in (["2024-01-06"], [])
    ]
    assert len({failure(one).identity for one in many}) == 1
    tomorrow = replace(many[0], day=many[0].day + timedelta(days=1))
    other = [tomorrow, replace(many[0], task="other"), replace(many[0], error=KeyError("x"))]
    assert len({failure(one).identity for one in (many[0], *other)}) == 4


def test_the_words_of_an_error_that_is_not_ours_are_not_told():
    error = ConnectionError("postgres://me:canary-secret@db/x refused")
    assert "facts.publish was killed, or ended without a word" in failure(replace(SOME, error=None)).what
    found = failure(replace(SOME, error=error))
    assert "canary-secret" not in json.dumps([found.what, found.facts])
    assert found.what == "tiny__ingest.facts.publish failed with ConnectionError. Its log says more."
    ours = failure(replace(SOME, error=wrapped(DeliveryRefused("The file is cut.", next_step="ask for it again."))))
    assert ours.what == "The file is cut. Next: ask for it again."
