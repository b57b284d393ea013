import pytest

from updraft.train.trials import Trial, Trials
from updraft.train.tuning import SPACE, Tuned, tune


@pytest.fixture
def settings(make_case):
    def make(**model):
        return make_case(model={"seed": 3, **model}).model

    return make


class Hill:
    """A loss with its best at `l2` 1, the same on every fold but for the fold's own difficulty; counts its calls."""

    def __init__(self, die_at=None):
        self.calls, self.die_at = 0, die_at

    def __call__(self, settings, fold):
        self.calls += 1
        if self.calls == self.die_at:
            raise KeyboardInterrupt
        part = settings.logistic
        return fold + (part.l2 - 1) ** 2 / (1 + part.l2)


def test_without_a_budget_the_declared_settings_stay_and_nothing_is_tried(settings):
    hill = Hill()
    assert tune("logistic", settings(), 2, hill, Trials()) == Tuned(settings())
    assert tune("trivial", settings(tuning={"trials": 9}), 2, hill, Trials()).trials == ()
    assert hill.calls == 0
    assert Tuned(settings()).notes == ()


def test_the_first_trial_is_what_the_spec_declares(settings):
    found = tune("logistic", settings(tuning={"trials": 1}), 2, Hill(), Trials())
    assert found.settings == settings(tuning={"trials": 1})
    assert found.trials[0].settings == {"l2": 10.0}
    assert found.trials[0].losses == (81 / 11, 1 + 81 / 11)
    assert "tuned over 1 trials, 0 given up early: the declared settings stay" in found.notes[0]


def test_trials_done_before_are_not_done_again_and_the_best_whole_one_counts(settings):
    trials, hill = Trials(), Hill()
    for trial in (
        Trial(0, {"l2": 10.0}, (2.0, 2.0), pruned=False, seconds=1),
        Trial(1, {"l2": 0.5}, (1.0, 1.0), pruned=False, seconds=1),
        Trial(2, {"l2": 0.1}, (0.5,), pruned=True, seconds=1),
    ):
        trials.keep("logistic", trial)
    found = tune("logistic", settings(tuning={"trials": 3}), 2, hill, trials)
    assert hill.calls == 0
    assert found.settings.logistic.l2 == 0.5
    assert "tuned over 3 trials, 1 given up early: trial 1 is taken, log loss 1.00000 on the folds" in found.notes[0]
    fewer = tune("logistic", settings(tuning={"trials": 1}), 2, hill, trials)
    assert (fewer.settings.logistic.l2, len(fewer.trials)) == (10.0, 1), "a smaller budget asks for less"


def test_minutes_are_counted_over_all_attempts_and_shared_by_the_families(settings):
    trials, hill = Trials(), Hill()
    trials.keep("logistic", Trial(0, {"l2": 10.0}, (2.0, 2.0), pruned=False, seconds=31))
    both = settings(tuning={"trials": 50, "minutes": 1})
    assert len(tune("logistic", both, 2, hill, trials).trials) == 1
    assert hill.calls == 0


def test_every_setting_that_is_searched_is_one_of_the_spec(settings):
    for family, space in SPACE.items():
        declared = getattr(settings(), family)
        for name, (low, high) in space.items():
            assert low < high
            assert type(declared).model_validate({name: low})
            assert type(declared).model_validate({name: high})


# ---- with Optuna -------------------------------------------------------------------------------------------------


@pytest.fixture
def optuna():
    import optuna

    return optuna


@pytest.mark.usefixtures("optuna")
class TestSearch:
    def test_a_search_finds_better_settings_and_always_the_same(self, settings):
        budget = settings(tuning={"trials": 25})
        found = [tune("logistic", budget, 2, Hill(), Trials()) for _ in range(2)]
        assert found[0].settings == found[1].settings
        assert [t.settings for t in found[0].trials] == [t.settings for t in found[1].trials]
        assert Hill()(found[0].settings, 0) < Hill()(budget, 0) / 3
        other = tune("logistic", settings(seed=4, tuning={"trials": 25}), 2, Hill(), Trials())
        assert [t.settings for t in other.trials[1:]] != [t.settings for t in found[0].trials[1:]]

    @pytest.mark.parametrize("die_at", [1, 2, 3, 8, 20])
    def test_a_search_that_dies_goes_on_and_ends_the_same(self, settings, lake, die_at):
        budget = settings(tuning={"trials": 15})
        whole = tune("logistic", budget, 2, Hill(), Trials())
        with pytest.raises(KeyboardInterrupt):
            tune("logistic", budget, 2, Hill(die_at), Trials(lake, "tuning/tiny/abc"))
        again = tune("logistic", budget, 2, Hill(), Trials(lake, "tuning/tiny/abc"))
        assert [t.to_json() for t in again.trials] == [t.to_json() for t in whole.trials]
        assert again.settings == whole.settings

    def test_hopeless_settings_are_given_up_before_the_last_fold(self, settings):
        hill = Hill()
        found = tune("logistic", settings(tuning={"trials": 30}), 4, hill, Trials())
        assert any(trial.pruned for trial in found.trials)
        assert hill.calls == sum(len(trial.losses) for trial in found.trials) < 30 * 4

    def test_what_is_declared_may_lie_outside_what_is_searched(self, settings):
        odd = settings(lightgbm={"l2": 0.0, "rounds": 5}, tuning={"trials": 3})
        found = tune("lightgbm", odd, 1, lambda tried, fold: tried.lightgbm.learning_rate, Trials())
        assert len(found.trials) == 3
        assert found.trials[0].settings["l2"] == 0.0
