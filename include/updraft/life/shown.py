"""How a training is shown: its pictures, and its run in the registry with all it rests on."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from updraft import card, serving
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life.train import examined, held_out, protocol_key
from updraft.model import store
from updraft.model.model import Model
from updraft.partition import Partition
from updraft.spec.load import digest as spec_digest
from updraft.spec.model import UseCase
from updraft.train.plots import plots, value_curve

if TYPE_CHECKING:
    from pandas import DataFrame

    from updraft.registry import Registry
    from updraft.tracking import Tried


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
    return draw(case, lake, model, held_out(case, at, lake, model))


def draw(case: UseCase, lake: Lake, model: Model, held: "DataFrame") -> dict[str, bytes]:
    """Draw a model on its holdout, and keep the pictures beside its card.

    :param held: The labelled rows of the holdout.
    """
    drawn = plots(model, held, case.label.column)
    worth = json.loads(lake.get(protocol_key(case, model.digest)))["value"]
    if worth is not None:
        drawn["value.png"] = value_curve(worth)
    for name, png in drawn.items():
        lake.put(f"{card.folder(case.name, model.digest)}/{name}", png)
    return drawn


def _versions(case: UseCase, lake: Lake, digest: str) -> dict[str, int]:
    """Versions of the tables the model was first trained on, as the ledger has them."""
    trained = (r for r in Ledger(lake, case.name).records() if r.kind == "trained" and r.model == digest)
    return next((dict(record.facts["versions"]) for record in trained), {})


def _prefixed(prefix: str, numbers: Mapping[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in numbers.items()}
