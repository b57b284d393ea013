import math

import pytest

from updraft.monitor.estimation_record import KEPT, Record, about, error, record
from updraft.monitor.table import Measurement

OURS, THEIRS = "c" * 64, "0" * 64


def day(key, *, champion=OURS, **values):
    """Rows of one look: who was watched, and some numbers about all."""
    scored = Measurement(key, "scored", champion, 100, 100, "info")
    return [scored, *(Measurement(key, metric, "all", value, 100, "info") for metric, value in values.items())]


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        pytest.param(day("d1", estimated_auc=0.75), 0.05, id="made and met"),
        pytest.param([], None, id="never made"),
        pytest.param(day("d2", estimated_auc=0.75), None, id="made of other partitions"),
        pytest.param(day("d1", champion=THEIRS, estimated_auc=0.75), None, id="made of another champion"),
        pytest.param(day("d1", estimated_rmse=0.75), None, id="of another metric"),
        pytest.param(day("d1", estimated_auc=math.nan), None, id="undefined then"),
    ],
)
def test_an_estimate_is_held_against_what_came_true_of_the_same_partitions_and_champion(earlier, expected):
    found = error(earlier, OURS, made="d1", metric="estimated_auc", realised=0.70)
    assert math.isnan(found) if expected is None else found == pytest.approx(expected)


def test_the_record_is_of_one_champion_and_of_the_newest_looks():
    earlier = [*day("d1", champion=THEIRS, estimate_error=9.0), *day("d2", estimate_error=0.1)]
    earlier += day("d3", estimate_error=math.nan)
    assert record(earlier, OURS, -0.3).errors == (0.1, -0.3)
    assert record(earlier, OURS).errors == (0.1,)
    assert about(earlier, OURS) == {"d2", "d3"}
    long = [row for n in range(2 * KEPT) for row in day(f"d{n:02}", estimate_error=float(n))]
    assert record(long, OURS).errors == tuple(range(KEPT, 2 * KEPT))


@pytest.mark.parametrize(
    ("errors", "mean", "spread", "bad"),
    [
        pytest.param((), None, 0.0, False, id="none"),
        pytest.param((0.2, 0.2), 0.2, 0.0, False, id="too few to say"),
        pytest.param((0.01, -0.01, 0.01), 0.01, 0.01, False, id="near"),
        pytest.param((0.1, -0.1, 0.1), 0.1, 0.1, True, id="far, either way"),
        pytest.param((0.0, 0.0, 0.3), 0.1, 0.17, True, id="far once"),
        pytest.param((0.0,) * 15 + (0.1,) * 5, 0.025, 0.05, True, id="far of late"),
        pytest.param((0.1,) * 5 + (0.0,) * 15, 0.025, 0.05, False, id="far long ago"),
    ],
)
def test_estimates_that_miss_by_more_than_they_should_tell_are_not_believed(errors, mean, spread, bad):
    found = Record(errors)
    assert math.isnan(found.mean_absolute) if mean is None else found.mean_absolute == pytest.approx(mean)
    assert found.spread == pytest.approx(spread, abs=0.005)
    assert bool(found.bad(0.05)) is bad
