"""Whatever is promoted, rolled back, killed, moved by hand or lost, a repair makes MLflow follow the ledger."""

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.promoting import CASE, MODELS, A, B, by_hand, decide_and_promote, examined, opened, refusing, repair

from updraft import alias
from updraft.errors import ModelRejected, NoChampion, WriteConflict
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.promote import rollback

pytestmark = pytest.mark.slow  # talks to a real MLflow


class Killed(BaseException):
    """What a SIGKILL looks like from inside."""


@dataclass(frozen=True)
class Dying(Lake):
    """A lake whose writer is killed at its n-th write, before or after it."""

    left: list[int] = field(default_factory=list)

    def _step(self, write, *args):
        self.left[0] -= 1
        if self.left[0] == 0:
            raise Killed
        done = write(*args)
        self.left[0] -= 1
        if self.left[0] == 0:
            raise Killed
        return done

    def create(self, key, content):
        return self._step(super().create, key, content)

    def put(self, key, content):
        return self._step(super().put, key, content)


ANY, DAYS = st.sampled_from(MODELS), st.sampled_from(["2013-04-01", "2013-04-02"])


class Following(RuleBasedStateMachine):
    """Promotions, rejections, rollbacks, kills, hands on the alias and lost versions, in any order; then a repair."""

    seen: Path

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.lake, self.registry = opened(self.seen, self.folder)
        self.champion, self.earned = None, set()

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(model=ANY, day=DAYS, outcome=st.sampled_from(["PASS", "PASS", "FAIL"]), after=st.integers(0, 12))
    def decide(self, model, day, outcome, after):
        against = self.state().champion
        lake = Dying(self.lake.uri, left=[after]) if after else self.lake
        with suppress(Killed, WriteConflict, ModelRejected):
            decide_and_promote(lake, self.registry, CASE, model, examined(outcome, against), partition=day, who="t")

    @rule(model=ANY)
    def decide_against_a_stranger(self, model):
        with suppress(WriteConflict):
            stale = examined(against="e" * 64)
            decide_and_promote(self.lake, self.registry, CASE, model, stale, partition="2013-04-03", who="t")

    @rule(broken=st.sets(ANY), after=st.integers(0, 6))
    def roll_back(self, broken, after):
        lake = Dying(self.lake.uri, left=[after]) if after else self.lake
        with suppress(Killed, NoChampion):
            rollback(lake, self.registry, CASE, who="t", why="w", verify=refusing(*broken))

    @precondition(lambda self: self.registry._version("flights", A) and self.registry._version("flights", B))
    @rule(model=st.sampled_from([A, B]))
    def move_the_alias_by_hand(self, model):
        by_hand(self.registry, model)

    @rule(model=ANY)
    def delete_a_version(self, model):
        if version := self.registry._version("flights", model):
            self.registry._client.delete_model_version("flights", version)

    @rule()
    def repair(self):
        repair(self.lake, self.registry)
        assert self.registry.champion_alias("flights") == self.state().champion
        assert self.state().champion is None or alias.confirmed(self.state())

    @invariant()
    def the_ledger_holds(self):
        assert Ledger(self.lake, "flights").faults() == []

    @invariant()
    def whoever_is_champion_earned_it_or_was_fallen_back_to(self):
        records = self.state().records
        for record in records:
            if record.kind == "promoted":
                gated = records[record.facts["gated"] - 1]
                assert (gated.kind, gated.model, gated.facts["outcome"]) == ("gated", record.model, "PASS")
            if record.kind in ("rolled_back", "confirmed"):
                assert any(r.kind == "promoted" and r.model == record.model for r in records[: record.sequence])

    def state(self):
        return Ledger(self.lake, "flights").state()


def test_whatever_happens_a_repair_makes_mlflow_follow_the_ledger(seen):
    class Here(Following):
        pass

    Here.seen = seen
    how = {"max_examples": 8, "stateful_step_count": 10, "deadline": None, "derandomize": True}
    run_state_machine_as_test(Here, settings=settings(**how, suppress_health_check=list(HealthCheck)))
