import numpy as np
import pytest

from updraft.errors import ModelRejected
from updraft.evidence.evidence import Evidence
from updraft.evidence.metric import mean


def brier():
    return mean("brier", lambda y, p: (y - p) ** 2, higher_is_better=False, bounds=(0.0, 1.0))


def test_a_mean_is_the_mean_of_its_losses_and_undefined_without_rows():
    assert brier()(np.array([0.0, 1.0]), np.array([0.5, 1.0])) == 0.125
    assert np.isnan(brier()(np.array([]), np.array([])))
    assert brier().undefined(np.array([]), np.array([])) == "brier is undefined: there are no rows"


def test_evidence_is_the_same_rows_for_every_model():
    rows = {"y": np.array([0.0, 1.0]), "blocks": np.array(["a", "b"]), "family": "logistic"}
    with pytest.raises(ValueError, match="3,"):
        Evidence(candidate=np.array([0.1, 0.2, 0.3]), **rows)
    with pytest.raises(ModelRejected, match="1 of 2 values that are not probabilities"):
        Evidence(candidate=np.array([0.1, 1.2]), **rows)
