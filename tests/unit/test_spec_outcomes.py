import pytest
from pydantic import ValidationError

from updraft.spec.monitor import Monitor
from updraft.spec.outcomes import Outcomes


def test_slices_are_only_reported_unless_the_spec_says_so():
    assert Monitor().outcomes == Outcomes()
    assert Outcomes().slice_drop is None


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"decision_rate": 0}, id="no change at all"),
        pytest.param({"decision_rate": 1.1}, id="more than every row"),
        pytest.param({"calibration_slope": -0.1}, id="a negative distance"),
        pytest.param({"slice_drop": 0}, id="no loss at all"),
        pytest.param({"ece": 0.1}, id="a limit that nothing reads"),
    ],
)
def test_a_limit_that_could_not_work_is_refused(said):
    with pytest.raises(ValidationError):
        Outcomes.model_validate(said)
