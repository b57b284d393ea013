import numpy as np
import pandas as pd
import pytest

from updraft.monitor.arrival import Arrivals, by_outcome, by_score, curve, missing

NEVER = np.nan


def cohorts(*rows, ages=(1, 2, 4), mature=2):
    """Cohorts from (partition, looked, [(label, age, score), …])."""
    each = [(p, looked, *row) for p, looked, own in rows for row in own]
    frame = pd.DataFrame(each, columns=["partition", "looked", "label", "age", "score"]).astype(
        {"label": float, "age": float, "score": float}
    )
    return Arrivals(frame, ages, mature)


def shares(arrivals):
    return {one.age: (one.share, one.n, one.cohorts) for one in curve(arrivals, confidence=0.95, seed=1)}


def test_the_curve_is_over_cohorts_that_are_old_enough_at_each_age():
    old = ("d1", 4, [(1, 1, 0.5), (0, 2, 0.5), (0, 4, 0.5), (NEVER, NEVER, 0.5)])
    young = ("d2", 1, [(1, 1, 0.5), (NEVER, NEVER, 0.5)])
    assert shares(cohorts(old, young)) == {1: (2 / 6, 6, 2), 2: (0.5, 4, 1), 4: (0.75, 4, 1)}


def test_labels_that_have_all_arrived_in_a_few_rows_prove_little():
    (found,) = curve(cohorts(("d1", 1, [(1, 1, 0.5)] * 10), ages=(1,), mature=1), confidence=0.95, seed=1)
    assert found.share == found.high == 1.0
    assert found.low == pytest.approx(0.787, abs=0.001)


def test_cohorts_that_differ_make_the_curve_less_sure_than_their_rows():
    rows = [(f"d{n}", 1, [(1, 1 if n % 2 else NEVER, 0.5)] * 500) for n in range(6)]
    (found,) = curve(cohorts(*rows, ages=(1,), mature=1), confidence=0.95, seed=1)
    assert found.high - found.low > 0.5


def many(late_by_class=(0.0, 0.0), never=lambda score: 0.0, n=3000, looked=4, seed=1):
    """Cohorts of six days; `late_by_class` is the share of each class that comes after maturity."""
    random = np.random.default_rng(seed)
    score = random.random(n)
    y = (random.random(n) < score).astype(float)
    age = np.where(random.random(n) < np.array(late_by_class)[y.astype(int)], 4.0, 2.0)
    age = np.where(random.random(n) < never(score), np.nan, age)
    frame = pd.DataFrame({"partition": np.arange(n) % 6, "score": score, "label": np.where(np.isnan(age), np.nan, y)})
    return Arrivals(frame.assign(age=np.where(age <= looked, age, np.nan), looked=looked), (1, 2, 4), 2)


@pytest.mark.parametrize(
    ("late", "matters"),
    [
        pytest.param((0.0, 0.0), False, id="none is late"),
        pytest.param((0.3, 0.3), False, id="all are late alike"),
        pytest.param((0.0, 0.4), True, id="what came true is late"),
        pytest.param((0.5, 0.0), True, id="what did not is late"),
        pytest.param((0.01, 0.04), False, id="a gap too small to matter"),
    ],
)
def test_whether_arrival_depends_on_the_outcome_is_read_off_the_later_arrivals(late, matters):
    found = by_outcome(many(late), classes=True)
    assert found.matters is matters
    assert found.shares == pytest.approx([1 - one for one in late], abs=0.04)


def test_numbers_are_cut_into_groups_of_equal_size():
    arrivals = many()
    late = arrivals.rows.assign(label=arrivals.rows["score"], age=np.where(arrivals.rows["score"] > 0.8, 4.0, 2.0))
    found = by_outcome(Arrivals(late, (1, 2, 4), 2), classes=False)
    assert found.matters
    assert set(found.rows) <= {299, 300, 301}
    assert found.shares[-1] < 0.01 < 0.99 < found.shares[0]


def test_whether_labels_never_come_by_score():
    assert not by_score(many()).matters
    assert not by_score(many(never=lambda score: 0.3)).matters
    found = by_score(many(never=lambda score: 0.6 * score))
    assert found.matters
    assert found.shares[0] > 0.9 > 0.5 > found.shares[-1]


def test_a_cohort_without_any_label_says_nothing_about_which_are_late():
    arrivals = many(never=lambda score: 0.3)
    silent = arrivals.rows["partition"] == 0
    quiet = arrivals.rows.assign(age=arrivals.rows["age"].mask(silent), label=arrivals.rows["label"].mask(silent))
    assert by_score(Arrivals(quiet, (1, 2, 4), 2)).rows.sum() == 2500


def test_without_a_cohort_that_is_old_enough_late_labels_are_not_known_of():
    young = many(looked=2)
    assert by_outcome(young, classes=True) is None
    assert by_score(young).rows.sum() == 3000, "whether they came by maturity is known"
    assert by_score(Arrivals(young.rows.assign(score=np.nan), (1, 2, 4), 2)) is None


def test_a_few_rows_do_not_matter_however_they_differ():
    assert not by_outcome(many((0.0, 0.9), n=60), classes=True).matters


def test_a_cohort_whose_labels_all_came_late_says_nothing_about_which_are_late():
    on_time = ("d1", 4, [(1, 2, 0.5), (0, 2, 0.5), (0, 4, 0.5)])
    after_an_outage = ("d2", 4, [(1, 4, 0.5), (1, 4, 0.5), (1, 4, 0.5)])
    assert by_outcome(cohorts(on_time, after_an_outage), classes=True).rows.tolist() == [2, 1]
    assert missing(cohorts(on_time, after_an_outage)) == pytest.approx(1 / 3)
    assert by_outcome(cohorts(after_an_outage), classes=True) is None


@pytest.mark.parametrize(
    ("ages", "share", "complete"),
    [
        pytest.param([1, 2, 2, 2], 0.0, True, id="all came"),
        pytest.param([1, 2, 2, 4], 0.25, False, id="one came later"),
        pytest.param([1, 2, NEVER, NEVER], 0.5, False, id="two never came"),
        pytest.param([NEVER], 0.0, False, id="an outage is not told by a share"),
        pytest.param([], 0.0, True, id="no cohort"),
    ],
)
def test_the_share_that_is_missing_at_maturity(ages, share, complete):
    found = cohorts(("d1", 4, [(NEVER if age is NEVER else 1, age, 0.5) for age in ages]))
    assert (missing(found), found.complete) == (share, complete)
    assert missing(None) == 0.0
