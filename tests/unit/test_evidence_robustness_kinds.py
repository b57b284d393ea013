"""What a broken feature does to a model of classes or of a number is measured by the loss of its kind, and bounded."""

from dataclasses import replace

import numpy as np
import pytest
from tests import planted

from updraft.evidence import Evidence
from updraft.evidence.gates import robustness

LOSS = {"multiclass": "log loss", "regression": "rmse"}


class Fixed:
    """A model by hand: classes, or a number, by `signal` alone; what it makes of the rest is what `more` adds."""

    def __init__(self, kind, more=lambda frame: 0.0):
        self.kind, self.more = kind, more

    @property
    def manifest(self):
        types = ((name, feature["type"]) for name, feature in planted.SPEC["features"].items())
        return type("Manifest", (), {"features": tuple(types)})

    def predict(self, frame):
        number = frame["signal"].to_numpy(float) + self.more(frame)
        if self.kind == "regression":
            return number
        scores = np.exp(np.column_stack([-2 * number, 0 * number, 2 * number]).clip(-30, 30))
        return scores / scores.sum(axis=1, keepdims=True)


def seen(kind, more=lambda frame: 0.0):
    rows = planted.clean(4, per_day=40)
    draw, model = np.random.default_rng(4), Fixed(kind, more)
    number = rows["signal"].to_numpy() + draw.normal(0, 0.3, len(rows))
    y = number if kind == "regression" else np.searchsorted([-0.5, 0.5], number).astype(float)
    given = {"candidate": model.predict(rows), "family": "lightgbm", "model": model, "kind": kind}
    return Evidence(y=y, blocks=rows["partition"].to_numpy(object), rows=rows, **given)


@pytest.mark.parametrize("kind", LOSS)
def test_a_model_that_stands_on_one_number_is_found_out_when_its_unit_changes(kind):
    verdict = robustness.gate(seen(kind), planted.case(kind=kind))
    assert verdict.outcome == "FAIL"
    assert f"signal x1000: {LOSS[kind]} grows " in verdict.reason
    assert verdict.numbers["over"] == 2
    assert verdict.numbers["noise.extra"] == 1, "it does not look at it"


@pytest.mark.parametrize("kind", LOSS)
def test_a_model_that_trips_over_a_gap_is_found_out(kind):
    trips = seen(kind, lambda frame: np.where(frame["place"].isna(), 9.0, 0.0))
    lenient = {"noise": 9, "units": 1e9}
    verdict = robustness.gate(trips, planted.case(kind=kind, robustness=lenient))
    assert verdict.outcome == "FAIL"
    assert verdict.reason.startswith(f"place missing: {LOSS[kind]} grows ")
    assert verdict.numbers["over"] == 1


@pytest.mark.parametrize("kind", LOSS)
def test_an_answer_that_is_no_number_is_worse_than_any(kind):
    lost = seen(kind)
    broken = replace(lost, model=Fixed(kind, lambda frame: np.where(frame["mark"] == robustness.UNSEEN, np.nan, 0.0)))
    verdict = robustness.gate(broken, planted.case(kind=kind))
    assert f"mark unseen: {LOSS[kind]} grows inf times" in verdict.reason


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_unit_of_a_number_does_not_matter(scale):
    plain = seen("regression")

    class Scaled(Fixed):
        def predict(self, frame):
            return scale * super().predict(frame)

    scaled = replace(plain, y=scale * plain.y, candidate=scale * plain.candidate, model=Scaled("regression"))
    case = planted.case(kind="regression")
    told, expected = (robustness.gate(each, case).numbers for each in (scaled, plain))
    assert told["units.signal.x1.8+32"] == pytest.approx(expected["units.signal.x1.8+32"])


@pytest.mark.slow  # trains real models
@pytest.mark.parametrize("kind", LOSS)
def test_a_sound_model_passes(kind):
    case = planted.case("lightgbm", kind)
    verdict = robustness.gate(planted.evidence(planted.of_kind(kind, 7), case), case)
    assert verdict.outcome == "PASS", verdict.reason
    assert LOSS[kind] in verdict.reason
    assert case.gates.mode("robustness") == "warn", "nobody declared its limits"


def test_few_rows_cannot_tell():
    few = planted.case(kind="regression", min_rows=5000)
    assert robustness.gate(seen("regression"), few).outcome == "INSUFFICIENT"
