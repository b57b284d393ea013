"""Labels that have not come, and what cannot be said without them."""

import pytest
from tests.outcomes import seen, window
from tests.week import DAYS, one, rows

from updraft.monitor.measures import calibration, fairness, slices, value
from updraft.monitor.truth import truth


@pytest.mark.parametrize(
    ("frame", "waiting", "why"),
    [
        pytest.param(rows()[:0], {}, "no partition that this champion scored has mature labels yet", id="nothing yet"),
        pytest.param(
            rows(), {DAYS[6]: "waits"}, "no labels of 2013-04-07, the newest partition that should have them",
            id="the newest waits",
        ),
        pytest.param(
            rows().assign(late=lambda f: f["late"].where(f["partition"] != DAYS[6])), {},
            "no labels of 2013-04-07, the newest partition that should have them", id="the newest has none",
        ),
        pytest.param(rows(n=20), {}, "140 labelled rows, 500 are needed", id="too few rows"),
        pytest.param(
            rows().assign(late=0.0), {}, "0 labelled rows of the rarer class, 10 are needed", id="one class only"
        ),
    ],
)  # fmt: skip
def test_what_has_not_come_true_is_unknown_everywhere(frame, waiting, why):
    assert truth(window(frame, waiting=waiting)).blind == why
    for measure in (calibration, fairness, slices):
        found = seen(measure, frame, waiting=waiting)
        judged = [m for m in found if m.metric != "calibration_error"]
        assert judged
        assert {(m.status, m.reason) for m in judged} == {("unknown", why)}
    assert one(seen(value, frame, waiting=waiting), "value_per_row", "all").status == "unknown"


def test_an_old_gap_in_the_labels_does_not_blind_and_is_left_out():
    came_true = truth(window(rows(), waiting={DAYS[2]: "waits"}))
    assert (came_true.blind, came_true.n) == ("", 900)
