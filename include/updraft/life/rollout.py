"""Compare models on live rows as their labels mature, and let the evidence decide: promote, withdraw, or go back.

What there is to compare is read from the ledger, what was scored from the lake, so it may run at any time and again. A
challenger is judged once, on the first partitions that are complete, by the gate that every candidate meets: looking
again and again until it passes would promote equal models. Looks that can only stop something may be many; their level
is divided among them.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from updraft import dataset, promote, score
from updraft.evidence import Evidence, examine
from updraft.evidence.metric import Array, each_row
from updraft.lake import Lake
from updraft.ledger import Ledger, State
from updraft.monitor.performance import predicted
from updraft.partition import Partition, calendar
from updraft.rollout import Rollout, under_way, void
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from updraft.registry import Registry

Told = dict[str, Any]


def advance(case: UseCase, at: Partition, lake: Lake, registry: "Registry", *, who: str) -> Told:
    """Take every comparison as far as mature labels allow at the moment of `at`.

    :return: What came of it: `outcome` (`promoted`, `rejected`, `waits` or `nothing`), `because`, and `champion`.
    """
    state = Ledger(lake, case.name).state()
    told: Told = {"outcome": "nothing", "because": "nothing is being rolled out", "champion": state.champion}
    if (why := void(case, state)) and state.challenger:
        return {**told, **_withdrawn(case, lake, state.challenger, why, at, who)}
    for found in under_way(case, state):
        if found.way == "probation":
            _end_probation(case, at, lake, found, who)
        else:
            told |= _judge(case, at, lake, registry, found, who)
    return told


def worse(case: UseCase, at: Partition, lake: Lake) -> str | None:
    """Say why the champion on probation did worse than the one before, beyond chance; `None` when it did not."""
    state = Ledger(lake, case.name).state()
    found = next((one for one in under_way(case, state) if one.way == "probation"), None)
    return _harm(case, found, _live(case, at, lake, found)) if found else None


def _judge(case: UseCase, at: Partition, lake: Lake, registry: "Registry", found: Rollout, who: str) -> Told:
    if why := score.unusable(case, found.newer, lake):
        return _withdrawn(case, lake, found.newer, f"it cannot score: {why}", at, who)
    rows = _live(case, at, lake, found)
    done = sorted(rows["partition"].unique())
    if len(done) < found.partitions:
        if found.way == "canary" and (harm := _harm(case, found, rows)):
            return _withdrawn(case, lake, found.newer, harm, at, who)
        waits = f"{found.way}: {len(done)} of {found.partitions} partitions have mature labels"
        return {"outcome": "waits", "because": waits}
    return _concluded(case, lake, registry, found, rows, who)


def _concluded(case: UseCase, lake: Lake, registry: "Registry", found: Rollout, rows: "DataFrame", who: str) -> Told:
    examination = examine(_evidence(case, found, rows), case, asked=("champion",))
    # Evidence of the same partitions is recorded at the same partition, whenever this runs.
    last, about = str(rows["partition"].max()), {"way": found.way, "since": found.since}
    promote.gate(lake, case, found.newer, examination, partition=last, who=who, rollout=about)
    done = asdict(promote.promote(lake, registry, case, found.newer, partition=last, who=who))
    return {"outcome": done["outcome"], "because": done["why"][:1000], "champion": done["champion"], "partition": last}


def _withdrawn(case: UseCase, lake: Lake, challenger: str, why: str, at: Partition, who: str) -> Told:
    promote.withdraw(lake, case, challenger, why=why, who=who, partition=at.key)
    return {"outcome": "rejected", "because": why[:1000]}


def _end_probation(case: UseCase, at: Partition, lake: Lake, found: Rollout, who: str) -> None:
    """Record that a champion stood its probation, after which the one before is scored no more."""
    rows = _live(case, at, lake, found)
    if rows["partition"].nunique() < found.partitions or _harm(case, found, rows):
        return
    why = f"{found.newer[:12]} did no worse than {found.older[:12]} on {found.partitions} partitions; probation is over"
    facts = {"action": "none", "probation": found.since}

    def expect(state: State) -> None:
        if found not in under_way(case, state):
            raise _OverAlready

    try:
        Ledger(lake, case.name).append(
            "decided", why=why, who=who, partition=at.key, model=found.newer, facts=facts, expect=expect
        )
    except _OverAlready:
        return


class _OverAlready(Exception):  # noqa: N818 - no error: it leaves an append that is not needed
    """The probation ended meanwhile."""


def _harm(case: UseCase, found: Rollout, rows: "DataFrame") -> str | None:
    """Say how the newer model is worse beyond chance, at a level that is divided among all looks there may be."""
    if rows["partition"].nunique() < 2:
        return None
    evidence = _evidence(case, found, rows)
    looks = {"confidence": 1 - (1 - case.gates.confidence) / (found.partitions - 1)}
    strict = case.model_copy(update={"gates": case.gates.model_copy(update=looks)})
    if evidence.champion is None or evidence.shortage(case):
        return None
    seen = evidence.against(evidence.champion, case.gates.metric, strict)
    if not seen.high < 0:
        return None
    size = f"{seen.difference:+.3g}, at most {seen.high:+.3g}; {seen.n} rows of {seen.blocks} partitions"
    return f"{found.newer[:12]} is worse than {found.older[:12]} in {case.gates.metric} on the same live rows ({size})"


def _evidence(case: UseCase, found: Rollout, rows: "DataFrame") -> Evidence:
    return Evidence(
        y=rows[case.label.column].to_numpy(float),
        blocks=rows["partition"].to_numpy(),
        candidate=_predicted(case, rows["newer"]),
        family="live",
        champion=_predicted(case, rows["older"]),
        champion_digest=found.older,
        kind=case.problem.kind,
    )


def _said(case: UseCase) -> str:
    """The column of the scores that holds all a model said of a row."""
    return "probabilities" if case.label.classes else "score"


def _predicted(case: UseCase, said: "Series[Any]") -> Array:
    return predicted(case, said.to_frame(_said(case)))


def _live(case: UseCase, at: Partition, lake: Lake, found: Rollout) -> "DataFrame":
    """What both models said about the same rows, with what came true, of the first partitions that are complete."""
    dates = calendar(case)
    last = dates.last_mature(at.as_of)
    keys = [key for key in lake.partitions(score.table(case)) if last is not None and key <= last.key]
    keys = [key for key in keys if found.first is None or key >= found.first]
    both = _both(case, lake, keys, found)
    scored = sorted(both["partition"].unique())
    missing = dataset.mature_labels(case, scored, lake)
    complete = [key for key in scored if key not in missing]
    by = ["partition", *case.entity]
    truth = dataset.labels(case, lake, complete)
    rows = both.merge(truth[truth[case.label.column].notna()], on=by, how="inner", validate="one_to_one")
    judged = sorted(rows["partition"].unique())[: found.partitions]
    return rows[rows["partition"].isin(judged)].sort_values(by, ignore_index=True)


def _both(case: UseCase, lake: Lake, keys: Sequence[str], found: Rollout) -> "DataFrame":
    by, said = ["partition", *case.entity], _said(case)
    stored = lake.read(score.table(case), keys, [*by, "role", "model", said])
    rows = (score.schema(case).empty_table() if stored is None else stored).to_pandas()
    rows = rows[rows[said].notna()]
    # Of a row that was scored for another list of classes nobody can say how likely today's are.
    rows = rows[each_row(np.isfinite(predicted(case, rows)))]
    roles: dict[Literal["newer", "older"], tuple[str, ...]] = {
        "shadow": {"newer": ("challenger",), "older": ("champion",)},
        "canary": {"newer": ("canary",), "older": ("relieved",)},
        "probation": {"newer": ("champion", "relieved"), "older": ("previous",)},
    }[found.way]  # type: ignore[assignment]
    newer = rows[(rows["model"] == found.newer) & rows["role"].isin(roles["newer"])]
    older = rows[(rows["model"] == found.older) & rows["role"].isin(roles["older"])]
    left = newer[[*by, said]].rename(columns={said: "newer"})
    return left.merge(older[[*by, said]].rename(columns={said: "older"}), on=by, validate="one_to_one")
