"""What is known of labels at a moment: where they have come, and what the champion says of the rows they belong to."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from updraft import dataset, features, score
from updraft.lake import Lake
from updraft.life.train import answers
from updraft.model.model import Model
from updraft.partition import Partition, calendar
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame

# Estimates rest on so many partitions at least, however short a look is, and on none older than so many looks.
LEAST, BACK = 7, 4


def share(matured: "DataFrame", label: str) -> dict[str, float]:
    """Share of rows with a label, by partition."""
    there = matured[label].notna().groupby(matured["partition"]).mean()
    return {str(key): float(one) for key, one in there.items()}


def scored_and_mature(case: UseCase, at: Partition, lake: Lake) -> list[str]:
    """Scored partitions whose labels are complete at the moment of a partition, oldest first."""
    last = calendar(case).last_mature(at.as_of)
    return [key for key in lake.partitions(score.table(case)) if last is not None and key <= last.key]


def with_labels(case: UseCase, lake: Lake, keys: Sequence[str]) -> "DataFrame":
    """The scores that count, with features and labels (missing where there is none)."""
    return _joined(case, lake, keys, scores(case, lake, keys))


def scores(case: UseCase, lake: Lake, keys: Sequence[str]) -> "DataFrame":
    """The scores that count."""
    rows = score.read(case, keys, lake)
    return (score.schema(case).empty_table() if rows is None else rows).to_pandas()


def known(
    case: UseCase, at: Partition, lake: Lake, champion: str, model: Model | None, truth: "DataFrame"
) -> "DataFrame":
    """Labelled rows of the newest partitions that the champion did not learn from, and what it says of them.

    Where another model decided, the champion is asked now: after a promotion its estimates need not wait for labels.
    Where labels stopped arriving, those from before are what there is.

    :param model: The champion itself, where it is at hand.
    :param truth: What `with_labels` gave of some partitions, so that they are not read again.
    """
    import pandas as pd

    keys = _labelled(case, at, lake, model)
    other = [key for key in keys if key not in set(truth["partition"])]
    own = truth[truth["partition"].isin(keys)]
    decided = pd.concat([with_labels(case, lake, other), own]) if other else own
    decided = decided[decided["model"] == champion]
    rest = [key for key in keys if key not in set(decided["partition"])]
    if model is None or not rest or not answers(case, model):
        return decided
    return pd.concat([_asked(case, lake, rest, model), decided])


def prepare(case: UseCase, at: Partition, lake: Lake, model: Model | None, matured: Sequence[str]) -> dict[str, str]:
    """Write the labels a look rests on, and say which of `matured` cannot be, with the reason.

    Those of `known` are among them: what a look says must not depend on who wrote which labels before.
    """
    waiting = dataset.mature_labels(case, sorted({*matured, *_candidates(case, at, lake, model)}), lake)
    return {key: waiting[key] for key in matured if key in waiting}


def _candidates(case: UseCase, at: Partition, lake: Lake, model: Model | None) -> list[str]:
    """Mature partitions that are not too old, and that a model did not learn from."""
    last, enough = calendar(case).last_mature(at.as_of), max(case.monitor.window, LEAST)
    if last is None:
        return []
    oldest = calendar(case).step(last, -BACK * enough).start
    learnt = {key for name, keys in _windows(model).items() if name != "holdout" for key in keys}
    found = [key for key in lake.partitions(features.table(case)) if key <= last.key and key not in learnt]
    return [key for key in found if calendar(case).at(key).start >= oldest]


def _labelled(case: UseCase, at: Partition, lake: Lake, model: Model | None) -> list[str]:
    """The newest of these that have labels by today's definitions."""
    there, enough = set(lake.partitions(features.table(case, "label"))), max(case.monitor.window, LEAST)
    recent = [key for key in _candidates(case, at, lake, model) if key in there][-enough:]
    stale = {*features.stale(case, recent, lake), *features.stale(case, recent, lake, "label")}
    return [key for key in recent if key not in stale]


def _windows(model: Model | None) -> Mapping[str, Sequence[str]]:
    return {} if model is None else model.manifest.windows


def _asked(case: UseCase, lake: Lake, keys: Sequence[str], model: Model) -> "DataFrame":
    """What a model says of labelled rows that another one decided."""
    rows = lake.read(features.table(case), keys)
    if rows is None:
        raise ValueError("partitions whose features are up to date have rows")
    # A challenger's rows are never acted on, so that nobody explains them.
    return _joined(case, lake, keys, score.computed(case, rows, model, role="challenger").to_pandas())


def _joined(case: UseCase, lake: Lake, keys: Sequence[str], answers: "DataFrame") -> "DataFrame":
    by = ["partition", *case.entity]
    truth = dataset.joined(case, lake, keys)[[*by, *case.features, case.label.column]]
    return answers.merge(truth, on=by, how="left", validate="one_to_one")
