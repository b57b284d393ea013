"""The passport of one prediction, put together from its layers."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from updraft import score
from updraft.errors import FeaturesInvalid, ModelRejected
from updraft.lake import Lake
from updraft.passport import asked, behind, decided, delivered, recomputed
from updraft.passport.behind import Behind, Sight
from updraft.passport.check import Check, Layer, at_fault
from updraft.passport.scene import Scene
from updraft.query import sources_of
from updraft.receipt import Receipt
from updraft.rows import Rows
from updraft.spec.model import UseCase


@dataclass(frozen=True)
class Passport:
    """Everything behind one prediction.

    :param prediction: Score, decision, threshold, reasons, or why it was refused.
    :param features: Value per feature, with what it means.
    :param behind: Per source, the raw rows and deliveries the feature row could rest on.
    :param definition: Fingerprint of the features, and the SHA-256 of `features.sql` as it is today.
    :param scored: Who scored it, when, by which code; `None` without a receipt.
    :param checks: What was held against what, and what came of it.
    """

    use_case: str
    entity: Mapping[str, str]
    partition: str
    event_time: datetime | None
    as_of: datetime
    prediction: Mapping[str, Any]
    features: Mapping[str, Any]
    behind: tuple[Behind, ...]
    definition: Mapping[str, Any]
    model: Mapping[str, Any]
    decisions: Mapping[str, Any]
    scored: Mapping[str, Any] | None
    checks: tuple[Check, ...]

    @property
    def recomputes(self) -> bool:
        """Whether the score and its feature row came out again, to the last bit."""
        again = [check for check in self.checks if check.recomputed and check.layer in ("scores", "features")]
        layers = {check.layer for check in again if check.outcome == "holds"}
        return layers == {"scores", "features"} and all(check.outcome == "holds" for check in again)

    @property
    def at_fault(self) -> tuple[Layer, ...]:
        """Layers that were changed; empty when everything that has a witness holds."""
        return at_fault(self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        whole = {**asdict(self), "recomputes": self.recomputes, "at_fault": list(self.at_fault)}
        plain: dict[str, Any] = json.loads(json.dumps(whole, default=_plain))
        return plain


@dataclass
class Desk:
    """Answers for one partition; whatever its predictions share is read once."""

    case: UseCase
    lake: Lake
    key: str
    _scores: Rows | None = field(init=False)
    _scenes: dict[tuple[str, ...], tuple[Scene, list[Sight]]] = field(init=False, default_factory=dict)

    _checked: dict[tuple[str, ...], tuple[Check, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        # Two readings of a table must not see two versions of it.
        self.lake = self.lake.still()
        self._scores = self.lake.read(score.table(self.case), [self.key])

    def passport(self, values: Mapping[str, str]) -> Passport:
        """The passport of an entity's prediction.

        :raises PredictionMissing: If there is none.
        """
        row = asked.prediction(self.case, self.key, self._scores, values)
        scene, sights = self._scene(row)
        stored = recomputed.only(scene.stored, values)
        receipts = scene.receipts[0]
        with ThreadPoolExecutor(1) as pool:  # the longest part by far, beside the next longest
            ahead = pool.submit(lambda: scene.rebuilt)
            checks = [check for sight in sights for check in self._delivered(sight)]
            ahead.result()
        return Passport(
            use_case=self.case.name,
            entity=dict(values),
            partition=self.key,
            event_time=row["event_time"],
            as_of=scene.day.as_of,
            prediction=_prediction(self.case, scene, row, values),
            features={name: _value(self.case, name, stored or {}) for name in self.case.features},
            behind=tuple(sight.behind(stored) for sight in sights),
            definition=_definition(scene),
            model=decided.model(scene),
            decisions=decided.decisions(scene),
            scored=_scored(receipts[0]) if receipts else None,
            checks=(*checks, *recomputed.checks(scene, row, values), *decided.checks(scene)),
        )

    def _delivered(self, sight: Sight) -> tuple[Check, ...]:
        named = (sight.name, sight.scene.role, sight.scene.model, sight.scene.data)
        if named not in self._checked:
            self._checked[named] = delivered.checks(sight)
        return self._checked[named]

    def _scene(self, row: Mapping[str, Any]) -> tuple[Scene, list[Sight]]:
        named = tuple(str(row[name]) for name in ("role", "model", "data", "fingerprint"))
        if named not in self._scenes:
            scene = Scene(self.case, self.lake, self.key, *named)
            self._scenes[named] = scene, behind.of(scene, _sources(self.case))
        return self._scenes[named]


def _sources(case: UseCase) -> list[str]:
    try:
        return sources_of(case, case.sql("features"), f"features.sql of {case.name}")
    except FeaturesInvalid:  # the query was broken since; that is for the check of the definition to say
        return []


def _scored(by: Receipt) -> dict[str, str]:
    told = {name: str(getattr(by, name)) for name in ("who", "at", "code_version")}
    return told | ({"because": by.because} if by.because else {})


def _prediction(case: UseCase, scene: Scene, row: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """What was predicted; reasons that were not stored, since nobody acted on the row, are given now."""
    model, reasons = scene.loaded, json.loads(row["reasons"]) if row["reasons"] else []
    told = {name: row[name] for name in ("score", "acted", "refused", "role")}
    told |= {"reasons_stored": bool(reasons), "threshold": None, "decision": case.problem.decision}
    if isinstance(model, ModelRejected):
        return {**told, "reasons": reasons}
    if not reasons and row["refused"] is None and scene.recomputed is not None:
        reasons = [
            found for given in model.reasons(asked.rows_of(scene.as_scored, values).to_pandas()) for found in given
        ]
    return {**told, "reasons": reasons, "threshold": model.threshold}


def _value(case: UseCase, name: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    return {"value": stored.get(name), "about": case.features[name].about}


def _definition(scene: Scene) -> dict[str, Any]:
    sql = hashlib.sha256(scene.case.sql("features").encode()).hexdigest()
    return {"fingerprint": scene.fingerprint, "sql_sha256": sql, "as_today": scene.same_definition}


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
