"""Live through the partitions of a span under a policy, in a shadow, by the stages that live through them for real."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from updraft import features, promote
from updraft.asof import raw_table
from updraft.errors import FeaturesSkewed, SpecInvalid, TrainingRefused, did_you_mean
from updraft.lake import Lake
from updraft.lake.shadow import Shadow, inventory, seal
from updraft.ledger import Ledger
from updraft.life import train
from updraft.life.run import Life, Told
from updraft.partition import calendar
from updraft.records import canonical, digest
from updraft.registry import Registry
from updraft.replay.ground import BUILT, INPUTS, lay
from updraft.replay.policy import DRIFT, POLICIES, due
from updraft.replay.report import Report, report
from updraft.spec.load import digest as spec_digest
from updraft.spec.load import load
from updraft.spec.model import UseCase

WHO = "replay"
CODE = "replay"


@dataclass(frozen=True)
class Arm:
    """One policy under one spec.

    :param name: What it is called in the report.
    :param case: The use case as its spec says; its features and labels are those of the live one.
    """

    name: str
    policy: str
    case: UseCase

    @property
    def folder(self) -> str:
        """Name of its folder: another spec is another life."""
        return f"{self.policy}-{spec_digest(self.case)[:12]}"


@dataclass(frozen=True)
class _NoRegistry(Registry):
    """Stands where MLflow would: the ledger decides, and the alias stays pending."""

    tracking_uri: str = field(default="sqlite:///", repr=False)
    artifacts: str = ""

    def point_champion(self, use_case: str, digest: str) -> bool:
        """Say that the alias does not follow."""
        return False


@dataclass(frozen=True)
class _Replayed(Life):
    """The stages of a life, with trainings in this process, timed, and without cards and MLflow."""

    @property
    def who(self) -> str:
        return WHO

    def train(self, keys: Sequence[str]) -> Told:
        at = calendar(self.case).at(keys[-1])
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            told = self._trained(at.key)
        except TrainingRefused as refused:
            told = {"outcome": "refused", "why": refused.what}
        cost = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        yield {"stage": "train", **told, **cost}

    def _trained(self, key: str) -> dict[str, Any]:
        case, lake, at = self.case, self.lake, calendar(self.case).at(key)
        trained = asdict(train.fit(case, at, lake, code_version=CODE, who=WHO))
        candidate, champion = trained["candidate"], Ledger(lake, case.name).state().champion
        if candidate == champion:
            return {"outcome": "kept", "candidate": candidate}
        found = train.gate(case, at, lake, trained, champion=champion)
        promote.gate(lake, case, candidate, found, partition=key, who=WHO)
        done = promote.promote(lake, self.registry, case, candidate, partition=key, who=WHO)
        return {"outcome": done.outcome, "candidate": candidate, "why": done.why[:500]}


def arms(case: UseCase, policies: Sequence[str], specs: Sequence[Path], folder: Path) -> list[Arm]:
    """Cross policies with the spec as it stands and with edited ones.

    :param specs: Edited `spec.yaml` files; what they say of training, gates, monitoring and retraining counts.
    :param folder: Where a copy of the use cases is kept per edited spec.
    :raises SpecInvalid: If a policy is unknown, or an edited spec is invalid or defines other features or labels.
    """
    for policy in policies:
        if policy not in POLICIES:
            raise SpecInvalid(
                f"There is no policy {policy[:80]!r}; {did_you_mean(policy, POLICIES)}", next_step="name a policy."
            )
    edited = {spec.stem: _edited(case, spec, folder / "specs" / spec.stem) for spec in specs}
    plain = [Arm(policy, policy, _unasked(case)) for policy in dict.fromkeys(policies)]
    return plain + [
        Arm(f"{arm.policy} ({stem})", arm.policy, _unasked(other)) for stem, other in edited.items() for arm in plain
    ]


def place(case: UseCase, live: Lake, home: Path, keys: Sequence[str]) -> Path:
    """Folder of a replay: another span, other rows, other definitions or other code have another one."""
    tables = [features.table(case), features.table(case, "label"), *(raw_table(case, name) for name in case.sources)]
    rests_on = [
        [live.version(table) for table in tables],
        [features.fingerprint(case), features.fingerprint(case, "label")],
        os.environ.get("UPDRAFT_CODE_VERSION", "unversioned"),
    ]
    mark = digest(canonical(rests_on))[:12]
    return home / "replays" / case.name / f"{keys[0]}..{keys[-1]}-{mark}"


def replay(
    case: UseCase,
    live: Lake,
    folder: Path,
    keys: Sequence[str],
    lived: Sequence[Arm],
    told: Callable[[str, str, Sequence[dict[str, Any]]], None] = lambda *_: None,
) -> Report:
    """Live through `keys` under each policy and say what came of it; what was lived before is not lived again.

    :param live: Read, never written.
    :param folder: Where shadows and report are kept.
    :param told: Called with arm, partition and what its stages told.
    """
    before = inventory(live)
    ground = lay(case, live, folder, keys[-1])
    there = set(ground.partitions(features.table(case)))
    built = [key for key in keys if key in there]
    shadows = {arm.name: _shadow(ground, folder, arm) for arm in lived}
    for arm in lived:
        _begin(ground, folder, arm, built[:1])
        for key, stages in _play(arm, built, shadows[arm.name]):
            told(arm.name, key, stages)
    after = inventory(live)
    touched = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    made = report(case, {arm.name: (arm.policy, shadows[arm.name]) for arm in lived}, keys, seal(after), touched)
    made.write(folder)
    return made


def _begin(ground: Shadow, folder: Path, arm: Arm, first: Sequence[str]) -> None:
    """Start from a copy of the first partition: the lives of one spec are the same in it, with its training."""
    lake, begun = Path(_shadow(ground, folder, arm).uri), Arm("first", "first", arm.case)
    if lake.exists():
        return
    origin = _shadow(ground, folder, begun)
    for _ in _play(begun, first, origin):
        pass
    whole = lake.with_name(f"{lake.name}.part")
    shutil.rmtree(whole, ignore_errors=True)
    shutil.copytree(origin.uri, whole)
    whole.rename(lake)


def _play(arm: Arm, keys: Sequence[str], lake: Shadow) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    life = _Replayed(arm.case, lake, _NoRegistry(), Path())
    kept = set(lake.keys(f"replay/{arm.case.name}"))
    for key in keys:
        place = f"replay/{arm.case.name}/{key}.json"
        if place in kept:
            yield key, json.loads(lake.get(place))
            continue
        stages = [*_partition(life, arm.policy, key)]
        lake.put(place, json.dumps(stages).encode())
        yield key, stages


def _partition(life: _Replayed, policy: str, key: str) -> Told:
    """Score, monitor, and do what the policy says; the first champion is trained for, week by week until one rises.

    It is not asked of the controller, for it would count against the budget, as what a person starts does not.
    """
    ledger, dates = Ledger(life.lake, life.case.name), calendar(life.case)
    first = ledger.state().champion is None
    if first and due("always", key, ledger.state(), dates):
        yield from life.train([key])
    if ledger.state().champion is None:
        return
    try:
        yield from life.score([key])
    except FeaturesSkewed as blocked:
        yield {"stage": "score", "partition": key, "blocked": blocked.what[:500]}
        return
    yield from life.monitor([key])
    if first:
        return
    if policy == DRIFT:
        yield from life.retrain([key])
    elif due(policy, key, ledger.state(), dates):
        yield from life.train([key])


def _shadow(ground: Shadow, folder: Path, arm: Arm) -> Shadow:
    return Shadow.over(ground, str(folder / "policies" / arm.folder), (*INPUTS, *BUILT))


def _unasked(case: UseCase) -> UseCase:
    """The use case with nobody to ask for an approval: whoever would be asked says yes."""
    return case.model_copy(update={"rollout": case.rollout.model_copy(update={"approval": "none"})})


def _edited(case: UseCase, spec: Path, folder: Path) -> UseCase:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(case.folder.parent, folder)
    shutil.copyfile(spec, folder / case.name / "spec.yaml")
    other = load(case.name, folder)
    for which in ("features", "label"):
        if features.fingerprint(other, which) != features.fingerprint(case, which):
            raise SpecInvalid(
                f"{spec} defines other {which} than {case.name} has.",
                next_step="edit only what it says of training, gates, monitoring and retraining.",
            )
    return other
