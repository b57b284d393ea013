import math

import numpy as np
import pandas as pd
import pytest
from tests.week import CASE, CHAMPION, DAY, DAYS, HOLDOUT, PROFILE, look, one, rows

from updraft.monitor.measures import outage
from updraft.monitor.watch import alarm
from updraft.monitor.window import Window

NOTHING = pd.DataFrame({"partition": [], "late": []})


def told(labels, waiting=None):
    (found,) = outage.measure(
        Window(CASE, DAY, CHAMPION, PROFILE, NOTHING, NOTHING, NOTHING, waiting or {}, HOLDOUT, labels=labels)
    )
    return found


@pytest.mark.parametrize(
    ("labels", "waiting", "status", "value", "reason"),
    [
        pytest.param({}, {}, "unknown", None, "no scored partition is mature yet", id="nothing is mature"),
        pytest.param({"d1": 0.97, "d2": 0.98}, {}, "ok", 0, "labels arrived up to d2", id="they arrive"),
        pytest.param({"d1": 0.97, "d2": 0.0, "d3": 0.98}, {}, "ok", 0, "labels arrived up to d3", id="an old gap"),
        pytest.param({"d1": 1.0, "d2": 1.0, "d3": 0.6}, {}, "ok", 0, "labels arrived up to d3", id="fewer than usual"),
        pytest.param(
            {"d1": 1.0, "d2": 0.0},
            {"d2": "waits for outcomes of d3"},
            "drifted",
            1,
            "performance is unknown since d2 (1 partitions): waits for outcomes of d3",
            id="a delivery is awaited",
        ),
        pytest.param(
            {"d1": 1.0, "d2": 0.0, "d3": 0.0},
            {},
            "drifted",
            2,
            "performance is unknown since d2 (2 partitions): 0% of its rows have a label, 100% elsewhere",
            id="deliveries came empty",
        ),
        pytest.param(
            {"d1": 1.0, "d2": 1.0, "d3": 0.1},
            {},
            "drifted",
            1,
            "performance is unknown since d3 (1 partitions): 10% of its rows have a label, 100% elsewhere",
            id="all but stopped",
        ),
        pytest.param(
            {},
            {"d1": "waits for outcomes of d2"},
            "drifted",
            1,
            "performance is unknown since d1 (1 partitions): waits for outcomes of d2",
            id="none ever came",
        ),
    ],
)
def test_labels_that_stop_are_told_since_when_and_what_is_not_mature_is_no_outage(
    labels, waiting, status, value, reason
):
    found = told(labels, waiting)
    assert (found.status, found.reason) == (status, reason)
    assert math.isnan(found.value) if value is None else found.value == value


def test_in_an_outage_estimates_go_on_and_nothing_is_calm_or_alarming_about_performance():
    frame = rows()
    silent = frame.assign(late=np.nan)
    seen = look(frame, matured=silent, waiting=dict.fromkeys(DAYS, "waits for outcomes"), known=frame)
    assert (one(seen, "auc").status, one(seen, "label_outage").status) == ("unknown", "drifted")
    assert (one(seen, "label_outage").value, one(seen, "estimated_auc").status) == (7, "ok")
    assert one(seen, "estimate_error").reason == "labels are missing"
    raised = alarm(seen)
    assert raised is None or "performance" not in raised.reasons
