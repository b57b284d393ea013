import pytest

from updraft.spec.skew import Skew


def test_skew_warns_unless_the_spec_says_otherwise():
    assert (Skew().severity, Skew().unseen, Skew().outside, Skew().missing) == ("warn", 0.01, 0.01, 0.05)


@pytest.mark.parametrize("said", [{"severity": "quarantine"}, {"unseen": 1.1}, {"outside": -0.1}, {"drift": 0.2}])
def test_what_makes_no_sense_is_refused(said):
    with pytest.raises(ValueError, match=next(iter(said))):
        Skew.model_validate(said)
