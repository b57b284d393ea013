import numpy as np
import pytest

from updraft.model.calibration import Calibration
from updraft.train.calibration_choice import Held, choose, fit


def held(truth, rows=4000, seed=0, days=10):
    """Rows whose model says `z` while the truth's log-odds are `truth(z)`."""
    draw = np.random.default_rng(seed)
    z = draw.normal(0, 2, rows)
    y = (draw.random(rows) < 1 / (1 + np.exp(-truth(z)))).astype(float)
    return Held(z, y, np.repeat([f"{seed}-{n:02}" for n in range(days)], rows // days))


TRUTHS = {
    "none": lambda z: z,
    "platt": lambda z: 0.4 * z - 1,
    "isotonic": lambda z: np.where(z < 0, -3.0, 1.0),
}


@pytest.mark.parametrize("method", list(TRUTHS))
def test_the_method_that_would_have_served_a_window_later_is_taken(method):
    truth = TRUTHS[method]
    older = [(held(truth, seed=1), held(truth, seed=2)), (held(truth, seed=2), held(truth, seed=3))]
    found = choose(held(truth, seed=3), older)
    assert found.method == method
    assert set(found.losses) == {"none", "platt", "isotonic"}
    assert f"calibration {method}: the simplest within one standard error" in found.reason
    z = np.array([-2.0, 2.0])
    assert found.fitted.calibration.log_odds(z) == pytest.approx(truth(z), abs=0.35)
    probabilities, rows = found.tried
    assert len(probabilities) == len(rows.labels) == 8000


def test_what_is_fitted_to_the_newest_window_is_not_tried_on_it():
    newest = held(TRUTHS["platt"], seed=3)
    upside_down = Held(newest.log_odds, 1 - newest.labels, newest.partitions)
    older = [(held(TRUTHS["platt"], seed=1), held(TRUTHS["platt"], seed=2))]
    found, other = choose(newest, older), choose(upside_down, older)
    assert found.tried[0].tolist() == other.tried[0].tolist()
    assert {m: e.tolist() for m, e in found.losses.items()} == {m: e.tolist() for m, e in other.losses.items()}


def test_without_an_older_fold_the_newest_window_is_halved():
    found = choose(held(TRUTHS["platt"]), [])
    assert found.method == "platt"
    assert sorted(set(found.tried[1].partitions)) == [f"0-{n:02}" for n in range(5, 10)]


def test_one_partition_alone_gets_two_numbers_and_says_why():
    found = choose(held(TRUTHS["platt"], days=1), [])
    assert (found.method, found.losses) == ("platt", {})
    assert "no later partition" in found.reason
    assert found.to_json() == {"calibration": "platt", "log_loss": {}}


def test_few_rows_get_no_curve():
    truth = TRUTHS["isotonic"]
    found = choose(held(truth, rows=900, seed=1), [(held(truth, seed=2), held(truth, seed=3))])
    assert set(found.losses) == {"none", "platt"}


def test_no_calibration_is_the_identity():
    assert fit("none", held(TRUTHS["platt"])).calibration == Calibration()
