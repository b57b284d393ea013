"""From mature data to a candidate with its evidence: fit, profile, examine, and keep each under the model's digest."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from updraft import card, dataset, features, serving
from updraft.errors import ModelRejected, TrainingRefused
from updraft.evidence import Evidence, Examination, examine
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import hindsight, likeness
from updraft.model import store
from updraft.model.model import Model
from updraft.monitor import reference
from updraft.monitor.conduct import conduct
from updraft.monitor.importance import importance
from updraft.monitor.performance import WATCHED
from updraft.partition import Partition
from updraft.spec.load import digest as spec_digest
from updraft.spec.model import UseCase
from updraft.train.candidate import Candidate, train
from updraft.train.plots import plots, value_curve
from updraft.train.split import belonging

if TYPE_CHECKING:
    from pandas import DataFrame

    from updraft.registry import Registry
    from updraft.tracking import Tried


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
    data = dataset.mature(case, lake, at)
    keys = data.rows["partition"].unique()
    return {
        "rows": len(data.rows),
        "undefined": data.undefined,
        "partitions": len(keys),
        "first": str(keys[0]) if len(keys) else None,
        "last": str(keys[-1]) if len(keys) else None,
        "fingerprint": data.fingerprint,
        "missing": list(data.missing[:5]),
    }


def fit(case: UseCase, at: Partition, lake: Lake, *, code_version: str, who: str) -> Trained:
    """Train at the moment of `at`, store the models, and record it.

    :raises TrainingRefused: If the data does not allow it; the refusal is recorded, the champion stays.
    """
    data = dataset.mature(case, lake, at)
    ledger = Ledger(lake, case.name)
    try:
        made = train(case, data, code_version=code_version, lake=lake)
    except TrainingRefused as refused:
        facts = {"spec": spec_digest(case), "code": code_version}
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


def gate(case: UseCase, at: Partition, lake: Lake, trained: Mapping[str, Any], *, champion: str | None) -> Examination:
    """Put a candidate through the gates, on held-out rows that neither training nor calibration has seen.

    :param trained: What `fit` returned, as a mapping.
    :param champion: Digest of the model it wants to replace.
    """
    model = store.load(lake, case.name, trained["candidate"])
    rows = dataset.mature(case, lake, at).rows
    held, seen = (_window(rows, model, which) for which in ("holdout", "train"))
    rival = comparable(lake, case, champion)
    evidence = Evidence(
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
    found = examine(evidence, case)
    whole = {**found.to_json(), "measured": found.measured}
    lake.put(evidence_key(case, model.digest), json.dumps(whole, sort_keys=True).encode())
    return found


def log_run(case: UseCase, at: Partition, lake: Lake, registry: "Registry", digest: str) -> str:
    """Show a training in the registry with everything it rests on; return the run's id."""
    from updraft.registry import Training

    model = store.load(lake, case.name, digest)
    found = examined(case, lake, digest)
    facts = model.manifest
    metrics = {f"holdout_{name}": value["value"] for name, value in found["metrics"].items()}
    protocol = json.loads(lake.get(protocol_key(case, digest)))
    drawn = pictures(case, at, lake, model)
    reports = {"gates.json": json.dumps(found, indent=1).encode(), "manifest.json": facts.dump()}
    reports["protocol.json"] = json.dumps(protocol, indent=1).encode()
    training = Training(
        digest=digest,
        partition=at.key,
        params={"family": facts.family, "seed": str(facts.seed), **{k: str(v) for k, v in facts.parameters.items()}},
        metrics={name: v for name, v in metrics.items() if v is not None} | _prefixed("validation", facts.validation),
        tags={
            "code_version": facts.code_version,
            "fingerprint": facts.fingerprint,
            "spec": spec_digest(case),
            "outcome": str(found["outcome"]),
            "data": facts.data,
            "data_versions": json.dumps(_versions(case, lake, digest), sort_keys=True),
        },
        artifacts={**{f"plots/{name}": png for name, png in drawn.items()}, **reports},
        files=serving.files(case.name, model),
        trials=_tried(protocol),
    )
    return registry.log_training(case.name, training)


def _tried(protocol: Mapping[str, Any]) -> dict[str, "Tried"]:
    """The trials of every family, by a name that sorts."""
    from updraft.tracking import Tried

    return {
        f"{family} trial {trial['number']:03}": Tried(
            params={"family": family, **{name: str(value) for name, value in trial["settings"].items()}},
            metrics={f"loss_fold_{fold}": value for fold, value in enumerate(trial["losses"], start=1)},
            tags={"pruned": str(trial["pruned"]).lower()},
        )
        for family, each in protocol["families"].items()
        for trial in each["trials"]
    }


def pictures(case: UseCase, at: Partition, lake: Lake, model: Model) -> dict[str, bytes]:
    """Pictures of a model on its holdout, as PNG by file name; drawn once and kept beside its card."""
    folder = card.folder(case.name, model.digest)
    if kept := {key.rpartition("/")[2]: key for key in lake.keys(folder) if key.endswith(".png")}:
        return {name: lake.get(key) for name, key in kept.items()}
    drawn = plots(model, held_out(case, at, lake, model), case.label.column)
    worth = json.loads(lake.get(protocol_key(case, model.digest)))["value"]
    if worth is not None:
        drawn["value.png"] = value_curve(worth)
    for name, png in drawn.items():
        lake.put(f"{folder}/{name}", png)
    return drawn


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


def _versions(case: UseCase, lake: Lake, digest: str) -> dict[str, int]:
    """Versions of the tables the model was first trained on, as the ledger has them."""
    trained = (r for r in Ledger(lake, case.name).records() if r.kind == "trained" and r.model == digest)
    return next((dict(record.facts["versions"]) for record in trained), {})


def _prefixed(prefix: str, numbers: Mapping[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in numbers.items()}


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
