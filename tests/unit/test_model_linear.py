import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from updraft.model.linear import CLIP, Category, Linear, Number, Scaling

NUMBER = Number(Scaling(median=1.0, mean=2.0, scale=2.0), weight=0.5, missing=0.25, average=0.125)
CATEGORY = Category(weights=(1.0, -1.0, 0.0), average=0.5)
LINEAR = Linear(-2.0, (NUMBER, CATEGORY))


@pytest.mark.parametrize(
    ("row", "log_odds"),
    [
        pytest.param([4.0, 0.0], -2.0 + 0.5 * 1 + 1.0, id="one deviation up"),
        pytest.param([2.0, 1.0], -2.0 + 0.0 - 1.0, id="the mean"),
        pytest.param([np.nan, 2.0], -2.0 + 0.5 * -0.5 + 0.25 + 0.0, id="the median and the indicator where missing"),
        pytest.param([1e100, 2.0], -2.0 + 0.5 * CLIP, id="an absurd value is clipped"),
    ],
)
def test_log_odds_are_the_sum_of_the_terms(row, log_odds):
    assert LINEAR.log_odds(np.array([row])) == pytest.approx([log_odds])


def test_a_contribution_is_the_term_less_its_training_mean():
    assert LINEAR.contributions(np.array([[4.0, 1.0]])).tolist() == [[0.5 - 0.125, -1.0 - 0.5, -2.0 + 0.625]]


@given(hnp.arrays(np.float64, (4, 1), elements=st.floats(allow_nan=True, allow_infinity=False)))
@settings(max_examples=50, derandomize=True, deadline=None)
def test_contributions_add_up_to_the_log_odds_and_are_finite(numbers):
    matrix = np.column_stack([numbers, [0.0, 1.0, 2.0, 0.0]])
    shares = LINEAR.contributions(matrix)
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=1), LINEAR.log_odds(matrix), atol=1e-12)


@pytest.mark.parametrize(
    ("values", "scaling"),
    [
        pytest.param([1.0, 3.0], Scaling(2.0, 2.0, 1.0), id="plain"),
        pytest.param([5.0, 5.0], Scaling(5.0, 5.0, 1.0), id="constant"),
        pytest.param([np.nan, np.nan], Scaling(0.0, 0.0, 1.0), id="never there"),
        pytest.param([np.nan, 1.0, 1.0, 4.0], Scaling(1.0, 1.75, 1.299038105676658), id="median fills"),
    ],
)
def test_scaling_measures_training_values(values, scaling):
    assert Scaling.fit(np.array(values)) == scaling


def test_what_is_written_reads_back_equal():
    assert Linear.parse(LINEAR.dump()) == LINEAR


@pytest.mark.parametrize("content", [b"{}", b'{"intercept":1,"terms":[{}]}', b"[]", b"not json"])
def test_other_content_is_an_error(content):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Linear.parse(content)
