"""The decisions behind a prediction: the model, its training, its gates, who let it count; as the ledger has them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from updraft.errors import LedgerBroken, ModelRejected
from updraft.life.train import evidence_key
from updraft.model.manifest import Manifest
from updraft.passport.check import Check, broken
from updraft.passport.scene import Scene
from updraft.records import Record, State, canonical, digest


def checks(scene: Scene) -> Iterator[Check]:
    """Hold the model, the ledger and the evidence against their digests and each other."""
    if isinstance(scene.loaded, ModelRejected):
        yield broken("model", scene.loaded.what, f"model {scene.model[:12]}", "files that are not it")
    else:
        what = f"the files are those of model {scene.model[:12]}, and it gives its golden predictions"
        yield Check("model", "holds", what)
    if isinstance(scene.ledger, LedgerBroken):
        yield broken("ledger", scene.ledger.what, "a chain of hashes that holds", "one that does not")
        return
    yield Check("ledger", "holds", f"the chain of {scene.ledger.head} records holds")
    about = [record for record in scene.ledger.records if record.model == scene.model]
    if scene.role == "champion" and not _newest(about, "promoted", "rolled_back"):
        yield broken("ledger", "the ledger never made this model champion", "a record that did", "none")
    if scene.role == "fallback" and not _stood_in(scene.ledger, scene.model):
        yield broken("ledger", "the ledger knows this model neither as champion nor as baseline", "either", "neither")
    yield _evidence(scene, _newest(about, "gated"))


def model(scene: Scene) -> dict[str, Any]:
    """What the model is and what it was trained on; only its digest when it does not load."""
    if isinstance(scene.loaded, ModelRejected):
        return {"digest": scene.model}
    told: Manifest = scene.loaded.manifest
    names = ("family", "label", "as_of", "threshold", "code_version", "data", "libraries", "notes")
    windows = {name: _span(keys) for name, keys in told.windows.items()}
    return {"digest": scene.model, **told.model_dump(mode="json", include=set(names)), "windows": windows}


def decisions(scene: Scene) -> dict[str, Any]:
    """What the ledger has about the model: its training, its gates, who approved it, and every change since."""
    if isinstance(scene.ledger, LedgerBroken):
        return {}
    about = [record for record in scene.ledger.records if record.model == scene.model]
    trained, gated, raised = (_newest(about, kind) for kind in ("trained", "gated", "promoted"))
    approval = (raised.facts.get("approval") if raised else None) or {}
    return {
        "trained": _told(trained),
        "gated": None if gated is None else {**(_told(gated) or {}), **_examined(gated.facts)},
        "promoted": _told(raised),
        "approved_by": approval.get("by"),
        "history": [_told(record) for record in about if record.kind not in ("trained", "gated")],
    }


def _stood_in(state: State, model: str) -> bool:
    """Whether a model may ever have stood in for a champion: it was one, or is the baseline of a training."""
    return any(
        model in r.facts.get("baselines", {}).values()
        if r.kind == "trained"
        else r.model == model and r.kind in ("promoted", "rolled_back")
        for r in state.records
    )


def _examined(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Verdicts as a record has them: whole, or in short where the whole is too long for a record."""
    short = [{"gate": gate, "outcome": outcome} for gate, outcome in facts.get("gates", {}).items()]
    return {name: facts.get(name) for name in ("outcome", "champion")} | {"verdicts": facts.get("verdicts", short)}


def _evidence(scene: Scene, gated: Record | None) -> Check:
    """The examination in the lake is the one the ledger records."""
    if gated is None:
        return Check("evidence", "unknown", "the ledger has no examination of this model")
    where = evidence_key(scene.case, scene.model)
    try:
        said = json.loads(scene.lake.get(where))
    except FileNotFoundError:
        return broken("evidence", f"{where} is gone", f"the examination of record {gated.sequence}", "nothing")
    except ValueError:
        return broken("evidence", f"{where} was changed", f"the examination of record {gated.sequence}", "no JSON")
    # What a gate measured of the machine is in no record, and a record says more than the examination.
    found = canonical({name: value for name, value in said.items() if name != "measured"})
    recorded = canonical({name: gated.facts[name] for name in said if name in gated.facts})
    named = gated.facts.get("report")
    if digest(found) in str(named) if named else found == recorded:
        return Check("evidence", "holds", f"the examination is that of record {gated.sequence}")
    expected = str(named)[-69:-5] if named else digest(recorded)
    return broken("evidence", f"{where} is not the examination of record {gated.sequence}", expected, digest(found))


def _newest(records: Sequence[Record], *kinds: str) -> Record | None:
    return next((record for record in reversed(records) if record.kind in kinds), None)


def _told(record: Record | None) -> dict[str, Any] | None:
    names = ("sequence", "kind", "at", "partition", "who", "why")
    return None if record is None else {name: getattr(record, name) for name in names}


def _span(keys: Sequence[str]) -> Mapping[str, Any]:
    return {"first": keys[0], "last": keys[-1], "partitions": len(keys)} if keys else {"partitions": 0}
