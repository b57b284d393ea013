"""The stages in order, without Airflow: the same calls its operators make."""

import getpass
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from updraft import ingest as ingest_
from updraft import score as score_
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import confined, promotion
from updraft.life import features as features_
from updraft.life import monitor as monitor_
from updraft.life import retrain as retrain_
from updraft.life import rollout as rollout_
from updraft.life import score as scoring
from updraft.partition import calendar
from updraft.registry import Registry
from updraft.spec.model import UseCase

STAGES = ("ingest", "features", "score", "monitor", "train", "retrain", "life")
Told = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Life:
    """A use case with everything its stages need; each stage yields what it did, as small JSON values."""

    case: UseCase
    lake: Lake
    registry: Registry
    inbox: Path

    @property
    def who(self) -> str:
        """Who runs it, for the ledger."""
        return f"{getpass.getuser()}, by hand"

    def ingest(self, keys: Sequence[str]) -> Told:
        """Land, validate and publish every source, those that others refer to first."""
        for source in self.case.sources_in_order:
            published = ingest_.stage(self.case, source, keys, self.lake, self.inbox)
            yield {"stage": "ingest", "source": source, **published.summary()}

    def features(self, keys: Sequence[str]) -> Told:
        """Build features as of each partition's moment."""
        yield {"stage": "features", **features_.build(self.case, keys, self.lake)}

    def score(self, keys: Sequence[str]) -> Told:
        """Score with the champion and reconcile."""
        champion = score_.pinned(self.case, self.lake)
        by: dict[str, Any] = {"who": self.who, "code_version": _code_version()}
        _, skew = scoring.partitions(self.case, keys, self.lake, champion=champion, **by)
        yield {"stage": "score", **asdict(score_.reconcile(self.case, keys, self.lake)), "skew": skew}

    def monitor(self, keys: Sequence[str]) -> Told:
        """Mature labels, measure, and record an incident that lasts."""
        at = calendar(self.case).at(keys[-1])
        monitor_.mature(self.case, at, self.lake)
        watched = monitor_.watch_partitions(self.case, keys, self.lake)
        told = watched.summary()
        if watched.due:
            told |= monitor_.settle(self.case, at, self.lake, who=self.who)
        yield {"stage": "monitor", **told}
        if self.case.rollout.staged:
            yield {"stage": "rollout", **rollout_.advance(self.case, at, self.lake, self.registry, who=self.who)}

    def train(self, keys: Sequence[str]) -> Told:
        """Train at the last partition's moment, examine, promote or reject."""
        at = calendar(self.case).at(keys[-1])
        version = _code_version()
        trained = asdict(confined.fit(self.case, at, self.lake, code_version=version, who=self.who))
        yield {"stage": "train", **trained}
        yield {"stage": "gates", **promotion.examine(self.case, at, self.lake, trained, who=self.who)}
        done = promotion.conclude(self.case, at, self.lake, self.registry, trained["candidate"], who=self.who)
        yield {"stage": "promote", **asdict(done)}

    def retrain(self, keys: Sequence[str]) -> Told:
        """Decide what to do about the model, and do it."""
        at = calendar(self.case).at(keys[-1])
        decision = retrain_.consider(self.case, at, self.lake, who=self.who, code_version=_code_version())
        yield {"stage": "retrain", **decision}
        if decision["action"] == "retrain":
            yield from self.train([at.key])
        if decision["action"] == "roll_back":
            how = {"who": self.who, "why": decision["because"], "leave": decision["champion"], "partition": at.key}
            back = promotion.roll_back(self.case, self.lake, self.registry, **how)
            yield {"stage": "roll_back", **asdict(back)}

    def life(self, keys: Sequence[str]) -> Told:
        """Live partition by partition: ingest, features, score, monitor, and retrain while an incident lasts."""
        for key in keys:
            yield from self.ingest([key])
            yield from self.features([key])
            if Ledger(self.lake, self.case.name).state().champion is None:
                yield {"stage": "score", "partition": key, "skipped": "no champion yet; run `train`"}
                continue
            yield from self.score([key])
            for told in self.monitor([key]):
                yield told
                if told.get("due"):
                    yield from self.retrain([key])


def _code_version() -> str:
    return os.environ.get("UPDRAFT_CODE_VERSION", "unversioned")
