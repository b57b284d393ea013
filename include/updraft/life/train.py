"""From mature data to a candidate with its evidence: fit, profile, examine, and keep each under the model's digest."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from updraft import dataset, features
from updraft.errors import ModelRejected, TrainingRefused
from updraft.evidence import Evidence, Examination, examine
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import hindsight, likeness
from updraft.model import store
from updraft.model.model import Model
from updraft.monitor import reference
from updraft.monitor.conduct import conduct
from updraft.monitor.faulty import faulty
from updraft.monitor.importance import importance
from updraft.monitor.performance import WATCHED
from updraft.partition import Partition
from updraft.spec.load import digest as spec_digest
from updraft.spec.model import UseCase
from updraft.train.candidate import Candidate, train
from updraft.train.split import belonging

if TYPE_CHECKING:
    from pandas import DataFrame

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A candidate and its baselines, in the lake.

    :param candidate: Digest of the model that asks to be promoted.
    :param baselines: Digest per family of what it should be better than.
    :param family: The candidate's family, chosen for `reason`.
    :param rows: Labelled rows it rests on; `undefined` more had no defined label.
    """

    candidate: str
    baselines: Mapping[str, str]
    family: str
    reason: str
    rows: int
    undefined: int
    partitions: int


def prepare(case: UseCase, at: Partition, lake: Lake) -> dict[str, Any]:
    """Bring features and labels up to date for a training at `at`; return counts."""
    data = _sound(case, at, lake)
    keys = data.rows["partition"].unique()
    return {
        "rows": len(data.rows),
        "undefined": data.undefined,
        "partitions": len(keys),
        "first": str(keys[0]) if len(keys) else None,
        "last": str(keys[-1]) if len(keys) else None,
        "fingerprint": data.fingerprint,
        "missing": list(data.missing[:5]),
        "faulty": [f"{key}: {why[:100]}" for key, why in list(data.faulty.items())[-5:]],
    }


def fit(case: UseCase, at: Partition, lake: Lake, *, code_version: str, who: str) -> Trained:
    """Train at the moment of `at`, store the models, and record it.

    :raises TrainingRefused: If the data does not allow it; the refusal is recorded, the champion stays.
    """
    data = _sound(case, at, lake)
    ledger = Ledger(lake, case.name)
    try:
        made = train(case, data, code_version=code_version, lake=lake)
    except TrainingRefused as refused:
        facts = {"spec": spec_digest(case), "code": code_version, "notes": list(data.notes)}
        ledger.append("refused", why=str(refused), who=who, partition=at.key, facts=facts)
        raise
    for model in (made.model, *made.baselines.values()):
        store.save(lake, case.name, model)
    _keep_profile(case, lake, made, data.rows)
    lake.put(protocol_key(case, made.model.digest), json.dumps(made.protocol, sort_keys=True).encode())
    trained = Trained(
        candidate=made.model.digest,
        baselines={family: model.digest for family, model in made.baselines.items()},
        family=made.model.family,
        reason=made.reason,
        rows=len(data.rows),
        undefined=data.undefined,
        partitions=data.rows["partition"].nunique(),
    )
    _record(ledger, case, at, trained, made, who, data.versions)
    return trained


def _sound(case: UseCase, at: Partition, lake: Lake) -> dataset.Dataset:
    """Mature data, without the partitions in which a feature looks broken by the champion's reference."""
    data, state = dataset.mature(case, lake, at), Ledger(lake, case.name).state()
    made = next((r for r in reversed(state.records) if (r.kind, r.model) == ("trained", state.champion)), None)
    # What is usual of other features says nothing about these.
    if case.model.faulty == "keep" or made is None or made.facts["features"] != data.fingerprint:
        return data
    try:
        profile = profile_of(case, lake, str(made.model))
    except ModelRejected as unknown:
        _log.warning("no partition is left out as broken: %s", unknown.what)
        return data
    return data.without(faulty(case, profile, data.rows))


def gate(case: UseCase, at: Partition, lake: Lake, trained: Mapping[str, Any], *, champion: str | None) -> Examination:
    """Put a candidate through the gates, on held-out rows that neither training nor calibration has seen.

    :param trained: What `fit` returned, as a mapping.
    :param champion: Digest of the model it wants to replace.
    """
    return judge(case, lake, gather(case, at, lake, trained, champion=champion))


def gather(case: UseCase, at: Partition, lake: Lake, trained: Mapping[str, Any], *, champion: str | None) -> Evidence:
    """Collect what the gates may look at; parameters as for `gate`."""
    model = store.load(lake, case.name, trained["candidate"])
    rows = dataset.mature(case, lake, at).rows
    held, seen = (_window(rows, model, which) for which in ("holdout", "train"))
    rival = comparable(lake, case, champion)
    return Evidence(
        y=held[case.label.column].to_numpy(float),
        blocks=held["partition"].to_numpy(),
        candidate=model.predict(held),
        family=model.family,
        baselines={
            family: store.load(lake, case.name, digest).predict(held) for family, digest in trained["baselines"].items()
        },
        champion=None if rival is None else rival.predict(held),
        champion_digest=champion,
        champion_threshold=None if rival is None else rival.threshold,
        rows=held,
        training=seen,
        model=model,
        kind=case.problem.kind,
        hindsight=None if case.gates.mode("leakage") == "off" else hindsight.look_back(case, lake, model),
    )


def judge(case: UseCase, lake: Lake, evidence: Evidence) -> Examination:
    """Ask the gates about a candidate, and keep what they said under its digest."""
    if evidence.model is None:
        raise ValueError("what the gates say is kept under the candidate's digest, so they need the candidate")
    found = examine(evidence, case)
    whole = {**found.to_json(), "measured": found.measured}
    lake.put(evidence_key(case, evidence.model.digest), json.dumps(whole, sort_keys=True).encode())
    return found


def examined(case: UseCase, lake: Lake, digest: str) -> dict[str, Any]:
    """What the gates said about a model, whole.

    :raises ModelRejected: If it was never examined.
    """
    try:
        found: dict[str, Any] = json.loads(lake.get(evidence_key(case, digest)))
    except FileNotFoundError as never:
        raise ModelRejected(
            f"Model {digest[:12]} of {case.name} has not been through the gates.",
            next_step="run the gates stage first.",
        ) from never
    return found


def held_out(case: UseCase, at: Partition, lake: Lake, model: Model) -> "DataFrame":
    """Labelled rows of the partitions that were kept away from a model's training."""
    return _window(dataset.mature(case, lake, at).rows, model, "holdout")


def _window(rows: "DataFrame", model: Model, which: str) -> "DataFrame":
    inside = rows[rows["partition"].isin(model.manifest.windows[which])]
    return belonging(inside, model.manifest.group, which).reset_index(drop=True)


def comparable(lake: Lake, case: UseCase, champion: str | None) -> Model | None:
    """The champion, if it can answer for today's features; one of another definition cannot score them either."""
    if champion is None:
        return None
    try:
        model = store.load(lake, case.name, champion)
    except ModelRejected:
        # A champion that does not load scores nothing: the candidate competes with the baselines alone, and the
        # scoring stage has long been failing with the reason.
        return None
    return model if answers(case, model) else None


def answers(case: UseCase, model: Model) -> bool:
    """Whether a model can answer for today's features."""
    return model.manifest.fingerprint == features.fingerprint(case) and not model.misfit(case)


def evidence_key(case: UseCase, digest: str) -> str:
    """Where the examination of a model is kept."""
    return f"evidence/{case.name}/{digest}.json"


def protocol_key(case: UseCase, digest: str) -> str:
    """Where it is kept what a training tried on which folds."""
    return f"trainings/{case.name}/{digest}.json"


def profile_key(case: UseCase, digest: str) -> str:
    """Where a model's monitoring reference is kept."""
    return f"references/{case.name}/{digest}.json"


def profile_of(case: UseCase, lake: Lake, digest: str) -> reference.Profile:
    """A model's monitoring reference.

    :raises ModelRejected: If it is gone, or not readable.
    """
    try:
        return reference.from_bytes(lake.get(profile_key(case, digest)))
    except FileNotFoundError as gone:
        raise ModelRejected(
            f"Model {digest[:12]} of {case.name} has no monitoring reference.",
            next_step="train a new model, or roll back to one that has.",
        ) from gone


def _keep_profile(case: UseCase, lake: Lake, made: Candidate, rows: "DataFrame") -> None:
    unseen = made.split.take(rows, "holdout")
    scores = made.model.answers(made.model.predict(unseen))
    behaved = conduct(case, made.model, unseen, WATCHED[case.problem.kind][0])
    seen = reference.profile(rows, case, scores, importance(made.model, unseen))
    apart = likeness.usual(case, lake, made.model)
    kept = replace(seen, conduct=behaved, told_apart=apart, run_width=case.monitor.window)
    lake.put(profile_key(case, made.model.digest), reference.to_bytes(kept))


def _record(
    ledger: Ledger,
    case: UseCase,
    at: Partition,
    trained: Trained,
    made: Candidate,
    who: str,
    versions: Mapping[str, int],
) -> None:
    """Record a training once: the same data and code give the same digest, so a retry finds its own record."""
    known = [r for r in ledger.records() if r.kind == "trained" and r.model == trained.candidate]
    if any(r.partition == at.key for r in known):
        return
    windows = {name: [keys[0], keys[-1], len(keys)] for name, keys in made.model.manifest.windows.items() if keys}
    ledger.append(
        "trained",
        why=trained.reason,
        who=who,
        partition=at.key,
        model=trained.candidate,
        facts={
            **asdict(trained),
            "data": made.model.manifest.data,
            "features": made.model.manifest.fingerprint,
            "spec": spec_digest(case),
            "code": made.model.manifest.code_version,
            "windows": windows,
            "versions": dict(versions),
            "validation": made.validation,
            "notes": made.model.manifest.notes,
        },
    )
