"""A spec fits its kind of problem, or the message names file, line and field."""

import json

import pytest
import yaml
from pydantic import ValidationError
from tests import bundled

from updraft.errors import SpecInvalid
from updraft.evidence.metrics import METRICS as FOUND
from updraft.spec.load import load
from updraft.spec.problem_kinds import METRICS, NOT_COMPARED

SEVERAL = {
    "problem": {"kind": "multiclass", "act_on": ["b"]},
    "label": {"classes": ["a", "b", "c"]},
}
NUMBER = {"problem": {"kind": "regression", "value": None, "cost": {"over": 1, "under": 2, "act_from": 10}}}


def over(base, **said):
    return {k: {**base.get(k, {}), **said.get(k, {})} for k in {*base, *said}}


def test_the_metrics_a_spec_may_name_are_those_that_are_found():
    for kind, names in METRICS.items():
        assert set(names) == {name for name, metric in FOUND.items() if kind in metric.kinds}
    assert set(METRICS["binary"]) >= NOT_COMPARED


def test_what_depends_on_the_kind_has_a_default_of_the_kind(make_case):
    binary, several, number = make_case(), make_case(**SEVERAL), make_case(**NUMBER)
    assert [c.gates.metric for c in (binary, several, number)] == ["auc", "log_loss", "rmse"]
    assert [c.model.families[1] for c in (binary, several, number)] == ["logistic", "logistic", "ridge"]
    assert [c.baselines[1] for c in (binary, several, number)] == ["logistic", "logistic", "ridge"]
    assert [c.problem.threshold for c in (binary, several, number)] == [0.25, 0.25, 10]
    assert make_case(**over(NUMBER, gates={"metric": "mae"}, model={"families": ["ridge"]})).gates.metric == "mae"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"problem": {"value": None}}, "problem.value: is missing"),
        (over(NUMBER, problem={"cost": None}), "problem.cost: is missing"),
        ({"problem": {"cost": {"over": 1, "under": 1, "act_from": 0}}}, "a binary problem has no `cost`"),
        (over(NUMBER, problem={"value": bundled.VALUE}), "a regression problem has no `value`; it says `cost`"),
        (over(NUMBER, problem={"cost": {"over": 0, "under": 1, "act_from": 0}}), "greater than 0"),
        ({"problem": {"act_on": ["a"]}}, "only a multiclass problem names classes to act on"),
        (over(SEVERAL, problem={"act_on": []}), "at least one, and not all"),
        (over(SEVERAL, problem={"act_on": ["a", "b", "c"]}), "at least one, and not all"),
        (over(SEVERAL, problem={"act_on": ["bb"]}), "'bb' is no class of the label; did you mean 'b'"),
        ({"label": {"classes": ["a", "b"]}}, "a binary problem has no classes"),
        (over(SEVERAL, label={"classes": ["a", "b"]}), "at least three; two are binary"),
        (over(SEVERAL, label={"classes": ["a", "b", "b"]}), "a class stands there twice"),
        ({"gates": {"metric": "calibration_error"}}, "not a metric a binary model can be held to"),
        ({"gates": {"metric": "brier_score"}}, "did you mean 'brier'"),
        (
            over(SEVERAL, gates={"metric": "auc"}),
            "not a metric a multiclass model .* known: accuracy, log_loss, macro_auc",
        ),
        (over(NUMBER, gates={"absolute": {"rmes": {"max": 1}}}), "gates.absolute.rmes: .* did you mean 'rmse'"),
        (over(NUMBER, model={"families": ["logistic"]}), "'logistic' is not for a regression problem, 'ridge' is"),
        ({"model": {"families": ["ridge"]}}, "'ridge' is not for a binary problem"),
        ({"model": {"weight": "amuont"}}, "'amuont' is no feature; did you mean 'amount'"),
        ({"model": {"weight": "amount"}}, "'amount' has to be a number with `learn: false`"),
        (over(NUMBER, model={"class_weight": "balanced"}), "a regression problem has no classes to weigh"),
        ({"features": {"colour": {"type": "category", "monotone": "increasing"}}}, "only a number can move"),
        (over(SEVERAL, features={"x": {"type": "number", "monotone": "decreasing"}}), "what raises one lowers another"),
    ],
)
def test_what_does_not_fit_the_kind_is_refused(make_case, said, why):
    with pytest.raises(ValidationError, match=why):
        make_case(**said)


def test_the_message_names_the_line_and_the_field(tmp_path):
    case = bundled.write(tmp_path, "multiclass")
    path = case.folder / "spec.yaml"
    said = json.loads(path.read_text())
    said["gates"]["absolute"] = {"macro_au": {"min": 0.5}}
    path.write_text(yaml.safe_dump(said))
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.strip() == "macro_au:")
    with pytest.raises(SpecInvalid) as refused:
        load("wines", tmp_path)
    assert refused.value.what == (
        f"{path}:{line}: gates.absolute.macro_au: 'macro_au' is not a metric a multiclass model can be held to; "
        "did you mean 'macro_auc'?"
    )
