"""Search for better settings than the declared ones, with Optuna, within a budget.

Trial 0 is what the spec declares. Every other is drawn by a sampler that starts from the seed and the trial's number
and knows the trials before it, so a search of so many trials always ends the same way, also when it was killed in
between. Minutes are counted over all attempts: a training that has used them up finds the same trials again.
A trial is tried fold by fold and given up when it lags behind the median of those before it. Losses are told to Optuna
as differences from the declared settings', since some folds are harder than others.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from updraft.model.manifest import Parameter
from updraft.spec.model import Model
from updraft.train.trials import Trial, Trials

if TYPE_CHECKING:
    import optuna

# Family -> setting -> lowest and highest; whole numbers stay whole. All but shares are searched on a log scale.
SPACE: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "lightgbm": {
        "rounds": (50, 800),
        "learning_rate": (0.01, 0.2),
        "leaves": (4, 128),
        "min_leaf_rows": (20, 2000),
        "feature_share": (0.3, 1.0),
        "row_share": (0.5, 1.0),
        "l2": (0.001, 100.0),
    },
    "logistic": {"l2": (0.01, 10_000.0)},
}
STARTUP = 5  # trials before any is given up
Loss = Callable[[Model, int], float]


@dataclass(frozen=True)
class Tuned:
    """Settings to train with, and the trials they came from; none when nothing was searched."""

    settings: Model
    trials: tuple[Trial, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the parameters should know."""
        if not self.trials:
            return ()
        best, pruned = _best(self.trials), sum(trial.pruned for trial in self.trials)
        found = "the declared settings stay" if best.number == 0 else f"trial {best.number} is taken"
        said = f"log loss {best.loss:.5f} on the folds, {self.trials[0].loss:.5f} as declared"
        return (f"tuned over {len(self.trials)} trials, {pruned} given up early: {found}, {said}",)


def tune(family: str, settings: Model, folds: int, loss: Loss, trials: Trials) -> Tuned:
    """Search the settings of a family until the budget is used up, trials done before included.

    :param folds: How many there are.
    :param loss: Mean loss of settings on a fold; the newest fold is the last.
    """
    if family not in SPACE or not settings.tuning.trials:
        return Tuned(settings)
    done = trials.done(family)
    while _goes_on(settings, done):
        begun = time.monotonic()
        trial = _next(family, settings, folds, loss, done)
        trials.keep(family, replace(trial, seconds=time.monotonic() - begun))
        done = trials.done(family)
    done = done[: settings.tuning.trials]
    return Tuned(_with(family, settings, _best(done).settings), tuple(done))


def _goes_on(settings: Model, done: Sequence[Trial]) -> bool:
    minutes = settings.tuning.minutes
    searched = sum(family in SPACE for family in settings.families)
    spent = sum(trial.seconds for trial in done)
    in_time = minutes is None or not done or spent < minutes * 60 / searched
    return len(done) < settings.tuning.trials and in_time


def _next(family: str, settings: Model, folds: int, loss: Loss, done: Sequence[Trial]) -> Trial:
    if not done:
        declared = _declared(family, settings)
        return Trial(0, declared, tuple(loss(settings, fold) for fold in range(folds)), pruned=False, seconds=0)
    asked = _study(family, settings, done).ask(_distributions(family))
    losses: list[float] = []
    for fold in range(folds):
        losses.append(loss(_with(family, settings, asked.params), fold))
        asked.report(_lag(losses, done[0]), fold)
        if len(losses) < folds and asked.should_prune():
            break
    return Trial(len(done), dict(asked.params), tuple(losses), pruned=len(losses) < folds, seconds=0)


def _study(family: str, settings: Model, done: Sequence[Trial]) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=settings.seed * 10_007 + len(done))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    for trial in done:
        study.add_trial(_told(family, trial, done[0]))
    return study


def _told(family: str, trial: Trial, first: Trial) -> "optuna.trial.FrozenTrial":
    from optuna.trial import TrialState, create_trial

    lags = {fold: _lag(trial.losses[: fold + 1], first) for fold in range(len(trial.losses))}
    return create_trial(
        state=TrialState.PRUNED if trial.pruned else TrialState.COMPLETE,
        value=None if trial.pruned else lags[len(lags) - 1],
        params=_inside(family, trial.settings),
        distributions=_distributions(family),
        intermediate_values=lags,
    )


def _lag(losses: Sequence[float], first: Trial) -> float:
    return sum(own - declared for own, declared in zip(losses, first.losses, strict=False)) / len(losses)


def _distributions(family: str) -> dict[str, Any]:
    from optuna.distributions import FloatDistribution, IntDistribution

    return {
        name: IntDistribution(int(low), int(high), log=True)
        if isinstance(low, int)
        else FloatDistribution(low, high, log=not name.endswith("_share"))
        for name, (low, high) in SPACE[family].items()
    }


def _inside(family: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as Optuna may know them: a spec may declare more than is searched, such as no penalty at all."""
    return {name: min(max(settings[name], low), high) for name, (low, high) in SPACE[family].items()}


def _declared(family: str, settings: Model) -> dict[str, Parameter]:
    part = getattr(settings, family)
    return {name: getattr(part, name) for name in SPACE[family]}


def _with(family: str, settings: Model, found: Mapping[str, Parameter]) -> Model:
    part = getattr(settings, family).model_copy(update=dict(found))
    return settings.model_copy(update={family: part})


def _best(trials: Sequence[Trial]) -> Trial:
    """The lowest loss among those tried on every fold; of equals the first."""
    return min((trial for trial in trials if not trial.pruned), key=lambda trial: (trial.loss, trial.number))
