"""Four models, a use case to be champion of, examinations of every outcome, and who looks at what became of them."""

import shutil

from updraft import alias
from updraft.errors import ModelRejected
from updraft.evidence import Examination, Verdict, overall
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.promote import gate, promote
from updraft.registry import Registry, Training
from updraft.spec.model import UseCase

A, B, C, D = (letter * 64 for letter in "abcd")
MODELS = (A, B, C)
SPEC = {
    "version": 1,
    "name": "flights",
    "owner": {"name": "team", "email": "team@example.com"},
    "problem": {
        "goal": "Know which flights will be late.",
        "lead_time": "6h",
        "decision": "rebook",
        "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
    },
    "partitions": {"first": "2013-01-01"},
    "entity": ["flight"],
    "sources": {
        "plan": {
            "type": "files",
            "path": "plan/{partition}.csv",
            "key": ["flight"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {"flight": {"type": "string"}, "at": {"type": "timestamp", "timezone": "UTC"}},
        }
    },
    "label": {"column": "late", "maturity": "1d"},
    "features": {"hour": {"type": "number"}},
}
CASE = UseCase.model_validate(SPEC)
ASKING = UseCase.model_validate({**SPEC, "rollout": {"approval": "required"}})
DAY = {"partition": "2013-04-01", "who": "train"}


def examined(outcome="PASS", against=None, reason="fine", verdicts=None):
    verdicts = verdicts or (Verdict("absolute", "PASS", "fine", {"auc": 0.7}), Verdict("champion", outcome, reason))
    return Examination(
        outcome=overall(verdicts), verdicts=verdicts, not_applicable=(), metrics={}, roles={}, champion=against,
        n=3000, positives=600, blocks=14, first="2013-03-10", last="2013-03-23",
    )  # fmt: skip


def decide_and_promote(lake, registry, case, candidate, examination, **about):
    """Record an examination and promote or reject the candidate, as two stages do; a champion is not examined again."""
    if Ledger(lake, case.name).state().champion != candidate:
        gate(lake, case, candidate, examination, **about)
    return promote(lake, registry, case, candidate, **about)


def kinds(lake):
    """Kind and model of each decision; that MLflow followed is no decision."""
    records = Ledger(lake, "flights").records()
    return [(r.kind, (r.model or "")[:1]) for r in records if r.kind != "confirmed"]


def bare(facts):
    return {name: value for name, value in facts.items() if name != "origins"}


def crown(lake, *models):
    for model in models:
        Ledger(lake, "flights").append("promoted", why="before", who="test", partition="2013-01-01", model=model)


def fine(digest):
    return digest


def refusing(*broken):
    def verify(digest):
        if digest in broken:
            raise ModelRejected("model.txt was changed.", next_step="restore it.")

    return verify


def mlflow_of(store, folder, *models):
    """The file of an MLflow that has seen these models."""
    registry = Registry(f"sqlite:///{store(folder)}", str(folder / "artifacts"))
    for digest in models:
        registry.log_training("flights", Training(digest, "2013-04-01"))
    return folder / "mlflow.db"


def opened(seen, folder):
    """A lake that is empty, and a copy of an MLflow."""
    copy = shutil.copy(seen, folder / "mlflow.db")
    return Lake(str(folder / "lake")), Registry(f"sqlite:///{copy}", str(folder / "artifacts"))


def repair(lake, registry):
    return alias.repair(Ledger(lake, "flights"), registry, who="sweep")


def by_hand(registry, model):
    version = registry._version("flights", model)
    registry._client.set_registered_model_alias("flights", "champion", version)


def all_kinds(lake):
    return [r.kind for r in Ledger(lake, "flights").records()]
