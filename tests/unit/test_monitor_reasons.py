"""Why the champion scores as it does, held against its holdout."""

from dataclasses import replace

import numpy as np
import pytest
from tests.outcomes import BEHAVED, seen
from tests.week import PROFILE, one, rows

from updraft.monitor.conduct import EXPLAINED
from updraft.monitor.measures import reasons


def test_a_reason_that_moved_is_named_and_no_other():
    frame = rows().assign(wind=lambda f: f["wind"] + 1.5)
    found = seen(reasons, frame)
    assert {m.subject: m.status for m in found} == {"temp": "ok", "wind": "drifted", "carrier": "ok"}
    assert one(found, "reason_shift", "wind").value == pytest.approx(0.75 / BEHAVED.weight, rel=0.2)


def test_reasons_are_of_a_bounded_sample_that_the_seed_draws():
    found = seen(reasons, rows())
    assert {m.n for m in found} == {EXPLAINED}
    assert found == seen(reasons, rows())


@pytest.mark.parametrize(
    ("how", "why"),
    [
        pytest.param({"model": None}, "the champion is not at hand", id="no model"),
        pytest.param(
            {"profile": PROFILE}, "the champion's mean reasons on its holdout are not known", id="an older reference"
        ),
        pytest.param(
            {"profile": replace(PROFILE, conduct=replace(BEHAVED, weight=0.0))}, "its scores never vary", id="constant"
        ),
    ],
)
def test_reasons_that_cannot_be_compared_are_unknown(how, why):
    (found,) = seen(reasons, rows(), **how)
    assert (found.subject, found.status, found.reason) == ("features", "unknown", why)


def test_rows_the_champion_cannot_score_are_not_explained():
    frame = rows().assign(fingerprint="another")
    (found,) = seen(reasons, frame)
    assert found.reason == "no row of the window is of the champion's feature definition"
    odd = rows().assign(temp=lambda f: f["temp"].mask(f.index % 3 > 0, np.inf))
    assert {m.n for m in seen(reasons, odd)} == {350}
