import pytest

from updraft.train.trials import Trial, Trials

FIRST = Trial(0, {"l2": 10.0}, (0.5, 0.25), pruned=False, seconds=1.5)
SECOND = Trial(1, {"l2": 3.5, "rounds": 7}, (0.7,), pruned=True, seconds=0.1)


@pytest.fixture(params=["lake", "memory"])
def trials(request, lake):
    return Trials(lake if request.param == "lake" else None, "tuning/tiny/abc")


def test_what_was_kept_is_found_again_in_order(trials):
    assert trials.done("logistic") == []
    for trial in (SECOND, FIRST):
        trials.keep("logistic", trial)
    assert trials.done("logistic") == [FIRST, SECOND]
    assert trials.done("lightgbm") == []


def test_a_trial_after_a_missing_one_does_not_count(trials):
    trials.keep("logistic", SECOND)
    assert trials.done("logistic") == []


def test_who_was_first_stays(trials):
    trials.keep("logistic", FIRST)
    trials.keep("logistic", Trial(0, {"l2": 1.0}, (9.0,), pruned=False, seconds=9))
    assert trials.done("logistic") == [FIRST]


def test_the_loss_of_a_trial_is_the_mean_of_its_folds_and_its_clock_is_not_told():
    assert FIRST.loss == 0.375
    assert FIRST.to_json() == {"number": 0, "settings": {"l2": 10.0}, "losses": (0.5, 0.25), "pruned": False}
