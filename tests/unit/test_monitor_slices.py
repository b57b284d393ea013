"""Parts of the rows that fare worse, and groups that are treated apart."""

import numpy as np
import pytest
from tests.outcomes import case, seen
from tests.week import one, rows

from updraft.monitor.measures import fairness, slices


def turned(frame, where):
    """Outcomes drawn anew, without regard to the score, where `where` says so."""
    drawn = np.random.default_rng(6).random(len(frame)) < frame["late"].mean()
    return frame.assign(late=frame["late"].where(~where, drawn.astype(float)))


@pytest.mark.parametrize(
    ("limit", "status"),
    [pytest.param(None, "info", id="only reported"), pytest.param(0.05, "drifted", id="judged where the spec says so")],
)
def test_a_slice_that_got_worse_is_reported_and_judged_only_when_asked(limit, status):
    frame = rows(n=600)
    found = seen(slices, turned(frame, frame["carrier"] == "DL"), use_case=case({"slice_drop": limit}))
    assert one(found, "slice_auc", "carrier is DL").status == status
    others = {m.status for m in found if m.subject in ("carrier is AA", "carrier is UA")}
    assert others == ({"info"} if limit is None else {"ok"})


def test_a_slice_without_support_is_unknown():
    frame = rows(n=600)
    found = seen(slices, frame[frame["carrier"] != "DL"])
    gone = one(found, "slice_auc", "carrier is DL")
    assert (gone.status, gone.reason, gone.n) == ("unknown", "0 labelled rows, 100 are needed", 0)
    new = one(seen(slices, frame.assign(carrier="ZZ")), "slice_auc", "carrier is anything else")
    assert (new.status, new.reason) == ("info", "of the holdout it is not known")


@pytest.mark.parametrize("measure", [slices, fairness], ids=["slices", "fairness"])
def test_nothing_is_measured_that_nobody_declared(measure):
    assert seen(measure, rows(), use_case=case(slices={}, fairness={})) == []


@pytest.mark.parametrize(
    ("acted", "status"),
    [
        pytest.param(lambda f: f["acted"], "ok", id="alike"),
        pytest.param(lambda f: f["acted"] | (f["carrier"] == "UA"), "drifted", id="one is always acted on"),
    ],
)
def test_groups_that_are_treated_apart_are_named(acted, status):
    found = seen(fairness, rows(n=600).assign(acted=acted))
    assert {m.subject for m in found} == {
        f"{rate} by carrier" for rate in ("selection_rate", "true_positive_rate", "false_positive_rate")
    }
    parity = one(found, "fairness_gap", "selection_rate by carrier")
    assert (parity.status, parity.limit) == (status, 0.1)
    assert parity.low <= parity.value <= parity.high
    if status == "drifted":
        assert parity.reason.startswith("UA against ")


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        pytest.param(rows().assign(carrier="UA"), "there is one group only, a gap takes two", id="one group"),
        pytest.param(
            rows().assign(carrier=lambda f: np.where(f.index < 9, "AA", "UA")), "9 rows of AA, 100 are needed",
            id="a small group",
        ),
    ],
)  # fmt: skip
def test_a_gap_without_support_is_unknown(frame, why):
    found = one(seen(fairness, frame), "fairness_gap", "selection_rate by carrier")
    assert (found.status, found.reason) == ("unknown", why)
