"""A person is asked between gates and promotion; their answer counts for what they were shown, and for nothing else."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.serde import serialize
from tests import parcels
from tests.plugins.conftest import World
from tests.plugins.running import Run, parse

from updraft import features
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.partition import calendar

DAY = "2024-01-18"


@pytest.fixture(scope="module")
def asked(mlflow_store, tmp_path_factory):
    """A training that has come to its question, in a world of its own."""
    folder = tmp_path_factory.mktemp("asked")
    case = parcels.write(folder / "use_cases", rollout={"approval": "required", "approval_timeout": "2h"})
    world, keys = World(folder / "home", parse(folder / "use_cases")), calendar(case).keys("2024-01-01", DAY)
    parcels.deliver(case, Lake(str(world.home / "lake")), keys)
    features.build(case, keys, Lake(str(world.home / "lake")))
    with pytest.MonkeyPatch.context() as patch:
        world.enter(patch, folder / "use_cases")
        mlflow_store(world.home)
        run = Run(world.dags["parcels__train"], partition=DAY)
        yield world, run, {task: run.task(task) for task in ("dataset", "fit", "gates", "approval")}


@pytest.fixture
def answered(asked, tmp_path, monkeypatch):
    """Answer the question in a copy of that world, and say what became of the candidate and of the ledger."""

    def answered(*options, by=None, shown=None, fit=None):
        home = shutil.copytree(asked[0].home, tmp_path / "home")
        monkeypatch.setenv("UPDRAFT_HOME", str(home))
        run = Run(asked[1].dag, partition=DAY)
        run.supervisor.xcoms.update(asked[1].supervisor.xcoms)
        for place, told in {("approval", "shown"): shown, ("fit", "return_value"): fit}.items():
            run.supervisor.xcoms[place] = {**run.supervisor.xcoms[place], **(told or {})}
        about = {"responded_at": datetime.now(tz=UTC), "responded_by_user": by, "params_input": {}}
        answer = serialize({"event": {"chosen_options": list(options), **about}})
        assert run.task("approval", next_method="execute_complete", next_kwargs=answer).state == "success"
        return run.task("promote"), Ledger(Lake(str(home / "lake")), "parcels").records()

    return answered


def test_the_question_waits_without_a_worker_and_shows_model_and_gates(asked):
    _, _, ended = asked
    assert ended["approval"].state == "awaiting_input"
    [question] = [told for told in ended["approval"].told if type(told).__name__ == "CreateHITLDetailPayload"]
    assert question.subject == "Promote a new champion of parcels?"
    candidate, gated = ended["fit"].returned["candidate"], ended["gates"].returned["gated"]
    assert f"Your answer counts for model `{candidate}` and record {gated} of the ledger alone." in question.body
    for essential in ("Family **logistic**", "| holdout | 2024-01-12 |", "| auc | 0.8", "the gates: **PASS**"):
        assert essential in question.body
    assert "| baselines | PASS | better than trivial" in question.body


def test_the_question_ends_by_itself_and_silence_means_no(asked):
    _, _, ended = asked
    [question] = [told for told in ended["approval"].told if type(told).__name__ == "CreateHITLDetailPayload"]
    assert ended["approval"].message.timeout == timedelta(hours=2)
    assert (question.options, question.defaults) == (["Approve", "Reject"], ["Reject"])


def test_a_yes_promotes_and_the_ledger_says_whose_it_was(answered, asked):
    promoted, records = answered("Approve", by={"id": "7", "name": "Ada"})
    assert promoted.returned["outcome"] == "promoted"
    assert promoted.returned["champion"] == asked[2]["fit"].returned["candidate"]
    assert [(r.kind, r.who) for r in records[2:-2]] == [("approved", "Ada")]
    assert [r.kind for r in records[-2:]] == ["promoted", "confirmed"]
    assert records[-2].facts["approval"]["by"] == "Ada"


@pytest.mark.parametrize(
    ("options", "by", "told"),
    [
        pytest.param(["Reject"], {"id": "7", "name": "Ada"}, "Ada", id="no"),
        pytest.param(["Reject"], None, "nobody, in time", id="silence"),
    ],
)
def test_a_no_rejects_and_the_ledger_says_whose_it_was(answered, options, by, told):
    rejected, records = answered(*options, by=by)
    assert (rejected.state, rejected.returned["outcome"], rejected.returned["champion"]) == (
        "success",
        "rejected",
        None,
    )
    assert [(r.kind, r.who) for r in records[2:]] == [("rejected", told)], "said once, and not decided twice"
    assert records[-1].facts["approval"]["by"] == told


def test_a_yes_for_another_examination_promotes_nothing(answered):
    ended, records = answered("Approve", by={"id": "7", "name": "Ada"}, shown={"gated": 1})
    assert ended.returned["outcome"] == "rejected"
    assert "promoted" not in [record.kind for record in records]


def test_a_yes_for_a_model_that_was_not_examined_promotes_nothing(answered):
    ended, records = answered("Approve", by={"id": "7", "name": "Ada"}, fit={"candidate": "f" * 64})
    assert ended.state == "failed"
    assert "ModelRejected" in str(ended.error)
    assert "promoted" not in [record.kind for record in records]
