import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from tests.monitored import use_case

from updraft.monitor.reference import profile
from updraft.monitor.skew import lower_bound, skew

TRAINED = pd.DataFrame({"temp": [*np.linspace(0, 10, 95), *[np.nan] * 5], "carrier": ["AA", "UA", "DL", "AA"] * 25})
CASE = use_case()
PROFILE = profile(TRAINED, CASE, [0.1])


def rows(n=100, **odd):
    """Rows like those trained on, but for the first few of a column."""
    frame = pd.DataFrame({"temp": np.full(n, 5.0), "carrier": ["UA"] * n})
    for column, (count, value) in odd.items():
        frame.loc[: count - 1, column] = value
    return frame


def found(frame, case=CASE, of=PROFILE):
    return {(one.feature, one.kind): one for one in skew(of, frame, case)}


ODD = {
    ("carrier", "unseen"): {"carrier": (30, "ZZ")},
    ("carrier", "missing"): {"carrier": (30, None)},
    ("temp", "outside"): {"temp": (30, 10.5)},
    ("temp", "missing"): {"temp": (30, np.nan)},
}


def test_rows_like_those_trained_on_are_not_skewed():
    looks = found(rows())
    assert set(looks) == set(ODD)
    assert {one.status for one in looks.values()} == {"ok"}


@pytest.mark.parametrize("look", ODD)
def test_what_was_not_trained_on_is_skew_of_its_kind_alone(look):
    looks = found(rows(**ODD[look]))
    assert [which for which, one in looks.items() if one.status == "skewed"] == [look]
    one = looks[look]
    assert (one.share, one.n) == (0.3, 100)
    assert one.base == (0.05 if look == ("temp", "missing") else 0.0)
    assert one.base < one.low < one.share
    assert one.reason.startswith("30 of 100 rows (30.0%)")


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        pytest.param(rows(10, carrier=(1, "ZZ")), "ok", id="one odd row of ten says little"),
        pytest.param(rows(1000, carrier=(100, "ZZ")), "skewed", id="a hundred of a thousand say more"),
        pytest.param(rows(1000, carrier=(10, "ZZ")), "ok", id="as many as are allowed"),
    ],
)
def test_a_share_counts_only_when_it_is_sure(frame, status):
    assert found(frame)["carrier", "unseen"].status == status


@pytest.mark.parametrize("value", [-0.5, math.inf, -math.inf])
def test_every_number_beyond_the_ends_is_outside(value):
    assert found(rows(temp=(50, value)))["temp", "outside"].status == "skewed"


@pytest.mark.parametrize("value", [0.0, 10.0])
def test_the_ends_are_inside(value):
    assert found(rows(temp=(50, value)))["temp", "outside"].status == "ok"


def test_fewer_missing_values_are_no_skew():
    often = profile(rows(temp=(90, np.nan)), CASE, [0.1])
    assert found(rows(), of=often)["temp", "missing"].status == "ok"


@pytest.mark.parametrize("limit", ["unseen", "outside", "missing"])
def test_the_spec_says_how_much_is_allowed(limit):
    lenient = use_case(skew={limit: 0.5})
    odd = {which: frame for which, frame in ODD.items() if which[1] == limit}
    assert {found(rows(**frame), lenient)[which].status for which, frame in odd.items()} == {"ok"}


def test_what_is_not_known_is_said():
    old = profile(TRAINED, CASE, [0.1])
    looks = found(rows(), of=type(old)(old.features, old.scores))
    assert (looks["temp", "outside"].status, looks["carrier", "unseen"].status) == ("unknown", "unknown")
    other = use_case(features={"carrier": {"type": "number"}, "new": {"type": "number"}})
    frame = rows().assign(carrier=1.0, new=1.0)
    assert {one.status for one in skew(PROFILE, frame, other)} == {"unknown"}
    assert {one.status for one in skew(PROFILE, rows(0), CASE)} == {"unknown"}


@pytest.mark.parametrize(("odd", "n"), [(1, 10), (3, 40), (500, 1000)])
def test_the_bound_is_exact(odd, n):
    """At the bound, as many odd rows or more come up just as often as the error allows."""
    assert binom.sf(odd - 1, n, lower_bound(odd, n, 0.01)) == pytest.approx(0.01)
