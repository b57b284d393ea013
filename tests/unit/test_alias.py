"""MLflow's alias follows the ledger, through kills at every step, hands that move it and versions that vanish."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.promoting import CASE, DAY, A, B, C, crown, examined, fine, kinds, refusing

from updraft import alias
from updraft.errors import ModelRejected, NoChampion, WriteConflict
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.promote import decide_and_promote, retire, rollback
from updraft.registry import Registry, Training

pytestmark = pytest.mark.slow  # talks to a real MLflow
MODELS = (A, B, C)


@pytest.fixture(scope="module")
def seen(mlflow_store, tmp_path_factory):
    """The file of an MLflow that has seen all models."""
    folder = tmp_path_factory.mktemp("seen")
    first = Registry(f"sqlite:///{mlflow_store(folder)}", str(folder / "artifacts"))
    for digest in MODELS:
        first.log_training("flights", Training(digest, "2013-04-01"))
    return folder / "mlflow.db"


def opened(seen, folder):
    copy = shutil.copy(seen, folder / "mlflow.db")
    return Lake(str(folder / "lake")), Registry(f"sqlite:///{copy}", str(folder / "artifacts"))


@pytest.fixture
def world(seen, tmp_path):
    return opened(seen, tmp_path)


def all_kinds(lake):
    return [r.kind for r in Ledger(lake, "flights").records()]


def repair(lake, registry):
    return alias.repair(Ledger(lake, "flights"), registry, who="sweep")


def by_hand(registry, model):
    version = registry._version("flights", model)
    registry._client.set_registered_model_alias("flights", "champion", version)


# ---- found and mended --------------------------------------------------------------------------------------------


def test_what_follows_is_left_alone_and_nothing_is_recorded(world):
    lake, registry = world
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    assert repair(lake, registry) is None
    assert all_kinds(lake) == ["gated", "promoted", "confirmed"]


def test_an_alias_moved_by_hand_is_put_back_and_the_ledger_says_so(world):
    lake, registry = world
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    by_hand(registry, B)
    assert "stood at version 2 (bbbbbbbbbbbb): moved to aaaaaaaaaaaa, the ledger's champion" in repair(lake, registry)
    assert registry.champion_alias("flights") == A
    record = Ledger(lake, "flights").records()[-1]
    assert (record.kind, record.model, record.who) == ("repaired", A, "sweep")
    by_hand(registry, B)
    repair(lake, registry)
    assert all_kinds(lake).count("repaired") == 2, "each time it was moved"


def test_an_alias_that_never_followed_is_no_alias_moved_by_hand(world):
    lake, registry = world
    crown(lake, A)
    assert "was missing" in repair(lake, registry)
    assert all_kinds(lake) == ["promoted", "confirmed"]


def test_an_alias_without_any_champion_is_taken_away_and_recorded(world):
    lake, registry = world
    by_hand(registry, B)
    assert "removed, for the ledger has no champion" in repair(lake, registry)
    (record,) = Ledger(lake, "flights").records()
    assert (record.kind, record.model) == ("repaired", None)


def test_what_could_not_be_mended_is_told_and_not_recorded_as_mended(world):
    lake, registry = world
    crown(lake, "d" * 64)
    assert "not repaired, MLflow has no run" in repair(lake, registry)
    assert all_kinds(lake) == ["promoted"]


def test_mlflow_is_told_of_the_newest_record_whenever_it_shows_a_champion(world):
    lake, registry = world
    assert registry.witnessed("flights") is None
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    decide_and_promote(lake, registry, CASE, B, examined(against=A), **DAY)
    state = Ledger(lake, "flights").state()
    assert registry.witnessed("flights") == (state.head, state.head_digest)


# ---- retired -----------------------------------------------------------------------------------------------------


def test_a_retired_model_is_neither_fallen_back_to_nor_promoted_again(world):
    lake, registry = world
    decide_and_promote(lake, registry, CASE, A, examined(), **DAY)
    decide_and_promote(lake, registry, CASE, B, examined(against=A), **DAY)
    first, again = (retire(lake, CASE, A, why="unlawful data", who="ana") for _ in range(2))
    assert first == again
    with pytest.raises(NoChampion):
        rollback(lake, registry, CASE, who="o", why="w", verify=fine)
    done = decide_and_promote(lake, registry, CASE, A, examined(against=B), partition="2013-05-01", who="train")
    assert (done.outcome, done.champion) == ("rejected", B)
    assert done.why.startswith("retired by record")


@pytest.mark.parametrize(("model", "why"), [(A, "is the champion"), (C, "is not known")])
def test_the_champion_and_a_stranger_are_not_retired(world, model, why):
    lake, _ = world
    crown(lake, A)
    with pytest.raises(ModelRejected, match=why):
        retire(lake, CASE, model, why="w", who="w")


# ---- killed at every step ----------------------------------------------------------------------------------------

KILLED = """
import json, os, signal, sys
import alembic.command, mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store, obstore
import obstore.store, obstore.exceptions, pandas
from mlflow import MlflowClient
from tests.promoting import A, B, CASE, DAY, examined, fine
from updraft import alias
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.promote import decide_and_promote, rollback
from updraft.registry import Registry

def dying(steps, where):
    # Every write to lake or MLflow is two steps: just before it, and just after.
    def wrapped(kind, name):
        real = getattr(kind, name)
        def call(self, *args, **more):
            steps.append(f"before {name}"); len(steps) - 1 == where and os.kill(os.getpid(), signal.SIGKILL)
            done = real(self, *args, **more)
            steps.append(f"after {name}"); len(steps) - 1 == where and os.kill(os.getpid(), signal.SIGKILL)
            return done
        setattr(kind, name, call)
    for name in ("create", "put"):
        wrapped(Lake, name)
    for name in ("set_registered_model_alias", "set_registered_model_tag"):
        wrapped(MlflowClient, name)

def act(what, folder):
    lake = Lake(f"{folder}/lake")
    registry = Registry(f"sqlite:///{folder}/mlflow.db", f"{folder}/artifacts")
    if what == "promote":
        decide_and_promote(lake, registry, CASE, B, examined(against=A), **DAY)
    elif what == "roll back":
        rollback(lake, registry, CASE, who="run 7", why="complaints", verify=fine, once=True)
    else:
        alias.repair(Ledger(lake, "flights"), registry, who="sweep")

# Imported once and used nowhere before the fork: each act is a process of its own, and dies for itself.
for line in sys.stdin:
    what, folder, where = json.loads(line)
    child = os.fork()
    if child == 0:
        steps = []
        dying(steps, where)
        act(what, folder)
        os._exit(0)
    print(json.dumps(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def killing():
    """Do something in a process that dies at its n-th step; say whether it did."""
    command = [sys.executable, "-c", KILLED]
    script = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def killed(what, folder, where):
        script.stdin.write(json.dumps([what, str(folder), where]) + "\n")
        script.stdin.flush()
        ended = json.loads(script.stdout.readline())
        assert not os.WIFEXITED(ended) or os.WEXITSTATUS(ended) == 0, "it failed by itself"
        return os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL

    yield killed
    script.stdin.close()
    script.wait(timeout=60)
    script.stdout.close()


EXPECTED = {
    "promote": (B, [("gated", "b"), ("promoted", "b")]),
    "roll back": (A, [("rolled_back", "a")]),
}


@pytest.mark.parametrize("steps", [pytest.param(3, id="some"), pytest.param(1, id="all", marks=pytest.mark.deep)])
@pytest.mark.parametrize("what", EXPECTED)
def test_killed_at_any_step_a_retry_ends_as_if_it_had_not_been(seen, tmp_path, killing, what, steps):
    champion, decided = EXPECTED[what]
    for where in range(0, 40, steps):
        folder = tmp_path / str(where)
        folder.mkdir()
        lake, registry = opened(seen, folder)
        decide_and_promote(lake, registry, CASE, A, examined(), partition="2013-03-01", who="train")
        if what == "roll back":
            decide_and_promote(lake, registry, CASE, C, examined(against=A), partition="2013-03-02", who="train")
        before = kinds(lake)
        died = killing(what, folder, where)
        ledger = Ledger(lake, "flights")
        assert ledger.faults() == [], where
        if where % 2:
            assert not killing("repair", folder, -1), where
            state = ledger.state()
            assert registry.champion_alias("flights") == state.champion, where
            assert alias.confirmed(state), where
            assert "repaired" not in all_kinds(lake), "nobody moved it by hand"
        assert not killing(what, folder, -1), where
        assert kinds(lake) == [*before, *decided], where
        assert (ledger.state().champion, registry.champion_alias("flights")) == (champion, champion), where
        assert alias.confirmed(ledger.state()), where
        if not died:
            break
    assert not died
    assert where >= {"promote": 12, "roll back": 8}[what], "too few steps were killed"


# ---- the state machine -------------------------------------------------------------------------------------------


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
