"""Whether a spec fits its kind of problem: labels, the worth of a decision, metrics and families of models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from updraft.errors import did_you_mean
from updraft.spec.prediction import ProblemKind

if TYPE_CHECKING:
    from updraft.spec.model import UseCase

# Names of the metrics found in `updraft.evidence.metrics`, which stands above the spec; a test holds the two together.
METRICS: Mapping[ProblemKind, tuple[str, ...]] = {
    "binary": ("auc", "average_precision", "brier", "calibration_error", "log_loss"),
    "multiclass": ("accuracy", "log_loss", "macro_auc", "macro_f1"),
    "regression": ("mae", "r2", "rmse"),
}
# A model that says the base rate to everybody is well calibrated, so nobody could be better than it.
NOT_COMPARED = {"calibration_error"}
LINEAR: Mapping[ProblemKind, str] = {"binary": "logistic", "multiclass": "logistic", "regression": "ridge"}
_METRIC: Mapping[ProblemKind, str] = {"binary": "auc", "multiclass": "log_loss", "regression": "rmse"}


def misfit(said: str, *place: str) -> PydanticCustomError:
    """Make the error of a field that does not fit the rest of the spec; `load` finds its line by `place`."""
    return PydanticCustomError("misfit", "{said}", {"said": f"{'.'.join(place)}: {said}", "place": place})


def with_defaults(case: "UseCase") -> "UseCase":
    """Fill in what is not said and depends on the kind: the metric of the comparisons, the families that compete."""
    kind, changed = case.problem.kind, {}
    if kind != "binary" and "metric" not in case.gates.model_fields_set:
        changed["gates"] = _with(case.gates, metric=_METRIC[kind])
    if kind == "regression" and "families" not in case.model.model_fields_set:
        changed["model"] = _with(case.model, families=("lightgbm", LINEAR[kind]))
    return _with(case, **changed) if changed else case


def _with(part: Any, **said: Any) -> Any:
    return part.model_copy(update=said)


def check(case: "UseCase") -> None:
    """Refuse what does not fit the kind of the problem.

    :raises PydanticCustomError: Names the first such field.
    """
    _check_decision(case)
    _check_label(case)
    _check_metrics(case)
    _check_learning(case)


def _check_decision(case: "UseCase") -> None:
    problem, kind = case.problem, case.problem.kind
    wanted, other = ("cost", "value") if kind == "regression" else ("value", "cost")
    if getattr(problem, other) is not None:
        raise misfit(f"a {kind} problem has no `{other}`; it says `{wanted}`", "problem", other)
    if getattr(problem, wanted) is None:
        raise misfit(f"is missing; a {kind} problem says what its decision is worth there", "problem", wanted)
    if kind != "multiclass":
        if problem.act_on:
            raise misfit("only a multiclass problem names classes to act on", "problem", "act_on")
        return
    known = case.label.classes
    if strange := [name for name in problem.act_on if name not in known]:
        raise misfit(f"{strange[0]!r} is no class of the label; {did_you_mean(strange[0], known)}", "problem", "act_on")
    if not problem.act_on or set(known) <= set(problem.act_on):
        raise misfit("name the classes that are acted on: at least one, and not all", "problem", "act_on")


def _check_label(case: "UseCase") -> None:
    classes, kind = case.label.classes, case.problem.kind
    if kind != "multiclass":
        if classes:
            raise misfit(f"a {kind} problem has no classes; `problem.kind: multiclass` has", "label", "classes")
    elif len(classes) < 3:
        raise misfit("a multiclass problem names its classes, at least three; two are binary", "label", "classes")
    elif len(set(classes)) < len(classes):
        raise misfit("a class stands there twice", "label", "classes")


def _check_metrics(case: "UseCase") -> None:
    kind = case.problem.kind
    compared = [name for name in METRICS[kind] if name not in NOT_COMPARED]
    if case.gates.metric not in compared:
        raise misfit(_no_metric(case.gates.metric, kind, compared), "gates", "metric")
    for name in case.gates.absolute:
        if name not in METRICS[kind]:
            raise misfit(_no_metric(name, kind, METRICS[kind]), "gates", "absolute", name)


def _no_metric(name: str, kind: str, known: "list[str] | tuple[str, ...]") -> str:
    return f"{name!r} is not a metric a {kind} model can be held to; {did_you_mean(name, known)}"


def _check_learning(case: "UseCase") -> None:
    kind = case.problem.kind
    for family in case.model.families:
        if family not in ("lightgbm", LINEAR[kind]):
            raise misfit(f"{family!r} is not for a {kind} problem, {LINEAR[kind]!r} is", "model", "families")
    if kind == "regression" and case.model.class_weight != "none":
        raise misfit("a regression problem has no classes to weigh", "model", "class_weight")
    _check_weight(case)
    for name, feature in case.features.items():
        if feature.monotone is None:
            continue
        place = ("features", name, "monotone")
        if feature.type != "number":
            raise misfit("only a number can move a prediction one way; this is a category", *place)
        if kind == "multiclass":
            raise misfit("with several classes, what raises one lowers another; leave it out", *place)


def _check_weight(case: "UseCase") -> None:
    name = case.model.weight
    if name is None:
        return
    if name not in case.features:
        raise misfit(f"{name!r} is no feature; {did_you_mean(name, case.features)}", "model", "weight")
    if case.features[name].type != "number" or case.features[name].learn:
        raise misfit(f"{name!r} has to be a number with `learn: false`: a weight is not learnt from", "model", "weight")
