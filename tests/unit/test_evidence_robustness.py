"""What a broken feature does to a real model is measured, bounded and told in few words."""

from dataclasses import replace

import numpy as np
import pytest
from tests import planted

from updraft.evidence.gates import robustness

pytestmark = pytest.mark.slow  # trains real models


@pytest.fixture(scope="module", params=["logistic", "lightgbm"])
def seen(request):
    case = planted.case(request.param)
    return planted.evidence(planted.clean(7), case)


def case(**limits):
    return planted.case(robustness={"missing": 100, "noise": 100, "unseen": 100, "units": 100, **limits})


def test_every_feature_is_broken_in_every_way_that_can_reach_the_model(seen):
    verdict = robustness.gate(seen, case())
    faults = {name for name in verdict.numbers if "." in name}
    assert verdict.outcome == "PASS"
    assert faults == {
        *(f"{kind}.{name}" for name in ("weight", "rate", "extra") for kind in ("missing", "noise")),
        *(f"noise.{name}" for name in ("signal", "hour")),  # they are never missing, so says the spec
        *(f"units.{n}.{by}" for n in ("signal", "weight", "rate", "hour", "extra") for by in ("x1000", "x1.8+32")),
        *(f"{kind}.{name}" for name in ("place", "mark") for kind in ("missing", "unseen")),
    }
    assert verdict.numbers["faults"] == len(faults)


def test_what_carries_the_model_costs_the_most(seen):
    numbers = robustness.gate(seen, case()).numbers
    assert numbers["units.signal.x1.8+32"] > 1.05
    assert numbers["noise.extra"] == pytest.approx(1, abs=0.02)
    assert numbers["unseen.mark"] == pytest.approx(1, abs=0.05)


def test_a_loss_beyond_its_limit_fails_by_feature_and_fault(seen):
    verdict = robustness.gate(seen, case(units=1.01))
    assert verdict.outcome == "FAIL"
    assert verdict.reason.startswith("signal x1.8+32: log loss grows ")
    assert "and may 1.01 times" in verdict.reason
    assert verdict.numbers["over"] >= 2


def test_limits_are_per_kind_of_fault(seen):
    assert robustness.gate(seen, case(unseen=1.2, noise=1.2)).outcome == "PASS"


def test_it_is_the_same_every_time(seen):
    assert robustness.gate(seen, case()) == robustness.gate(seen, case())


def test_the_rows_scored_are_bounded_and_so_are_the_words(seen):
    verdict = robustness.gate(seen, case(missing=1, noise=1, unseen=1, units=1))
    assert verdict.numbers["rows"] <= 2000
    assert len(verdict.reason) < 400
    assert "more" in verdict.reason


def test_a_model_that_gives_no_probability_for_a_broken_row_fails(seen):
    class Brittle:
        manifest = seen.model.manifest

        def predict(self, frame):
            scores = seen.model.predict(frame)
            return np.where(frame["place"].isna(), np.nan, scores)

    verdict = robustness.gate(replace(seen, model=Brittle()), case())
    assert verdict.outcome == "FAIL"
    assert verdict.reason.startswith("place missing: log loss grows inf times")


def test_too_few_rows_cannot_tell_and_no_rows_have_nothing_to_say(seen):
    assert robustness.gate(seen, planted.case(min_rows=10_000)).outcome == "INSUFFICIENT"
    assert robustness.gate(replace(seen, rows=None), case()) is None
    assert robustness.gate(replace(seen, model=None), case()) is None
