"""A promotion or a rollback that is killed at any step ends, tried again, as if it had not been."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tests.promoting import CASE, A, B, C, all_kinds, decide_and_promote, examined, kinds, opened

from updraft import alias
from updraft.ledger import Ledger

pytestmark = pytest.mark.slow  # talks to a real MLflow


KILLED = """
import json, os, signal, sys
import alembic.command, mlflow.store.model_registry.sqlalchemy_store, mlflow.store.tracking.sqlalchemy_store, obstore
import obstore.store, obstore.exceptions, pandas
from mlflow import MlflowClient
from tests.promoting import A, B, CASE, DAY, examined, fine, decide_and_promote
from updraft import alias
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.promote import rollback
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
