"""What a model card says, as plain values that a template can show."""

from collections.abc import Mapping, Sequence
from typing import Any

from updraft.model.manifest import Manifest
from updraft.query import shared_of
from updraft.records import Record, add_up
from updraft.spec import shared
from updraft.spec.load import digest as spec_digest
from updraft.spec.model import UseCase

NUMBERS_SHOWN = 60
_PICTURES = {
    "calibration.png": "Of the rows that were given a probability, the share that came true.",
    "value.png": "What acting is worth per row, from any threshold on.",
    "roc.png": "How well rows that came true are ranked above the others.",
    "scores.png": "Which probabilities are given to rows that came true, and to the others.",
    "confusion.png": "Which classes are taken for which.",
    "predicted.png": "What was predicted, and what came.",
    "errors.png": "How far predictions are from what came.",
    "importance.png": "Which features move the predictions.",
}


def facts(
    case: UseCase,
    digest: str,
    manifest: Manifest,
    examined: Mapping[str, Any],
    records: Sequence[Record],
    pictures: Mapping[str, bytes],
) -> dict[str, Any]:
    """Put together what a card says.

    :param examined: What the gates said, as the lake keeps it.
    :param records: The ledger of the use case.
    :param pictures: PNG by file name.
    """
    about = [record for record in records if record.model == digest or _taken_down(record, digest)]
    trained = _newest(about, "trained")
    return {
        "use_case": case.name,
        "digest": digest,
        "family": manifest.family,
        "purpose": _purpose(case, manifest),
        "standing": _standing(digest, records, about),
        "gates": _gates(examined),
        "metrics": _metrics(examined),
        "rivals": list(_rivals(examined)),
        "holdout": {name: examined.get(name) for name in ("n", "positives", "blocks", "first", "last")},
        "compared_with": examined.get("champion"),
        "confidence": case.gates.confidence,
        "chosen": trained.why if trained else "",
        "data": _data(case, manifest, trained),
        "features": _features(case),
        "limits": _limits(case, manifest, examined),
        "approval": _approval(case, about),
        "history": [_told(record, digest) for record in about],
        "pictures": [(name, text) for name, text in _PICTURES.items() if name in pictures],
        "origin": _origin(case, digest, manifest),
    }


def _purpose(case: UseCase, manifest: Manifest) -> dict[str, Any]:
    return {
        "goal": case.problem.goal,
        "decision": case.problem.decision,
        "kind": case.problem.kind,
        "lead_time": _lead_time(case),
        "owner": f"{case.owner.name} <{case.owner.email}>",
        "value": _worth(case),
        "threshold": manifest.threshold,
    }


def _worth(case: UseCase) -> dict[str, float]:
    """What the decision is worth, by what was done and what came of it."""
    worth, cost = case.problem.value, case.problem.cost
    named: dict[str, float] = {}
    if worth is not None:
        named = {
            "acted, and it came true": worth.true_positive,
            "acted, and it did not come true": worth.false_positive,
            "did not act, and it came true": worth.false_negative,
            "did not act, and it did not come true": worth.true_negative,
        }
    if cost is not None:
        named = {"predicted one too many": -cost.over, "predicted one too few": -cost.under}
    return named


def _standing(digest: str, records: Sequence[Record], about: Sequence[Record]) -> str:
    state = add_up(records, "")
    if state.champion == digest:
        return "champion"
    if state.challenger == digest:
        return "challenger"
    if digest in state.previous:
        return "earlier champion"
    decided = _newest(about, "promoted", "rejected", "retired", "rolled_back")
    return _what(decided, digest) if decided else "candidate, not decided yet"


def _taken_down(record: Record, digest: str) -> str:
    """What a rollback to another model did to this one; empty where it did nothing."""
    if record.kind != "rolled_back" or record.model == digest:
        return ""
    left, skipped = record.facts.get("left"), record.facts.get("skipped", ())
    return "rolled back" if left == digest else "passed over by a rollback" if digest in skipped else ""


def _what(record: Record, digest: str) -> str:
    return _taken_down(record, digest) or ("restored" if record.kind == "rolled_back" else record.kind)


def _gates(examined: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = [
        {**verdict, "numbers": list(verdict.get("numbers", {}).items())[:NUMBERS_SHOWN]}
        for verdict in examined.get("verdicts", ())
    ]
    return {
        "outcome": examined.get("outcome"),
        "verdicts": verdicts,
        "not_applicable": list(examined.get("not_applicable", ())),
    }


def _metrics(examined: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per metric: the candidate's with its bounds, and every model's on the same rows."""
    return [
        {"name": name, **{end: found.get(end) for end in ("value", "low", "high")},
         "others": [measured.get(name) for measured in _rivals(examined).values()]}
        for name, found in examined.get("metrics", {}).items()
    ]  # fmt: skip


def _rivals(examined: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {role: measured for role, measured in examined.get("roles", {}).items() if role != "candidate"}


def _data(case: UseCase, manifest: Manifest, trained: Record | None) -> dict[str, Any]:
    known = trained.facts if trained else {}
    windows = [
        {"name": name, "first": keys[0], "last": keys[-1], "partitions": len(keys)}
        for name, keys in manifest.windows.items()
        if keys
    ]
    return {
        "as_of": manifest.as_of,
        "windows": sorted(windows, key=lambda window: str(window["first"])),
        "rows": known.get("rows"),
        "undefined": known.get("undefined"),
        "versions": dict(known.get("versions", {})),
        "maturity": case.label.model_dump(mode="json")["maturity"],
        "label": manifest.label,
        "sources": [{"name": name, "type": source.type} for name, source in case.sources.items()],
    }


def _features(case: UseCase) -> list[dict[str, Any]]:
    """Features with who answers for them: the owner of the shared set they come from, else of the use case."""
    owners = dict.fromkeys(case.features, case.owner.name)
    for name in shared_of(case, case.sql("features"), f"features.sql of {case.name}"):
        declared = shared.declared(name, case.folder.parent)
        owners |= {column: f"{declared.owner.name} ({name})" for column in declared.columns if column in owners}
    return [
        {
            "name": name,
            "type": feature.type,
            "nullable": feature.nullable,
            "about": feature.about,
            "owner": owners[name],
        }
        for name, feature in case.features.items()
    ]


def _limits(case: UseCase, manifest: Manifest, examined: Mapping[str, Any]) -> list[str]:
    """What the model was not shown, not made for, or not examined on."""
    seen = [key for keys in manifest.windows.values() for key in keys]
    found = [
        f"It knows nothing of before {min(seen)} or after {max(seen)}." if seen else "",
        f"It predicts {_lead_time(case)} before a partition of one {case.partitions.every} begins, from what is "
        "known by then; it was not examined for any other moment.",
        f"It scores rows of feature definition {manifest.fingerprint[:12]} alone; rows of another are refused, and so "
        "are rows with an infinite number.",
        "Levels of a category that were rare or absent in training count as one level, other.",
    ]
    found += [f"Gate {name} had nothing to say." for name in examined.get("not_applicable", ())]
    short = [v for v in examined.get("verdicts", ()) if v.get("outcome") == "INSUFFICIENT"]
    found += [f"Gate {verdict['gate']} had too little to judge by: {verdict['reason']}" for verdict in short]
    return [limit for limit in (*found, *manifest.notes) if limit]


def _approval(case: UseCase, about: Sequence[Record]) -> dict[str, Any]:
    decided = next((r for r in reversed(about) if r.facts.get("approval")), None)
    said = decided.facts["approval"] if decided else {}
    return {
        "asked": case.rollout.approval == "required",
        "by": said.get("by"),
        "decision": said.get("decision"),
        "at": decided.at if decided and said else None,
    }


def _origin(case: UseCase, digest: str, manifest: Manifest) -> dict[str, Any]:
    return {
        "model": digest,
        "data": manifest.data,
        "feature definition": manifest.fingerprint,
        "spec": spec_digest(case),
        "code version": manifest.code_version,
        "seed": manifest.seed,
        **{f"setting {name}": value for name, value in sorted(manifest.parameters.items())},
        **{f"library {name}": version for name, version in sorted(manifest.libraries.items())},
        **{f"file {name}": sha for name, sha in sorted(manifest.files.items())},
    }


def _lead_time(case: UseCase) -> str:
    return str(case.problem.model_dump(mode="json")["lead_time"])


def _newest(records: Sequence[Record], *kinds: str) -> Record | None:
    return next((record for record in reversed(records) if record.kind in kinds), None)


def _told(record: Record, digest: str) -> dict[str, Any]:
    told = {name: getattr(record, name) for name in ("sequence", "at", "partition", "who", "why")}
    return {**told, "kind": _what(record, digest)}
