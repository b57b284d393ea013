from types import SimpleNamespace

import pytest
from tests.plugins import tiny
from tests.plugins.running import Supervisor

# isort: split
from airflow.sdk.execution_time import supervisor
from airflow.sdk.types import TaskInstanceKey
from airflow.serialization.serialized_objects import DagSerialization

from updraft_airflow.links import DataReportLink, ModelCardLink, MonitoringLink, monitoring

DAY, BASE = "2024-01-05", "http://127.0.0.1:1/updraft/"
CARD = f"cards/tiny/{'a' * 64}/card.html"


def link(run, task, of):
    return run.supervisor.xcoms[task, of().xcom_key].removeprefix(BASE)


@pytest.fixture
def delivered(world):
    tiny.deliver(world.home, [DAY])
    return world


def test_a_published_delivery_links_to_its_report(delivered):
    run = delivered.run("ingest", partition=DAY)
    ended = run.task("plan.publish")
    assert link(run, "plan.publish", DataReportLink) == f"tiny__ingest/{ended.returned['reports'][0]}"


def test_a_blocked_delivery_links_to_the_reports_of_its_partition(world):
    tiny.deliver(world.home, [DAY], spoilt=True)
    run = world.run("ingest", conf={"partition": DAY})
    assert run.task("plan.publish").state == "failed"
    assert link(run, "plan.publish", DataReportLink) == f"tiny__ingest/reports/tiny/plan/{DAY}"


def test_features_link_to_the_report_of_their_table(delivered):
    assert all(one.state == "success" for one in delivered.run("ingest", partition=DAY).all().values())
    run = delivered.run("features", partition=DAY)
    ended = run.task("build")
    assert (ended.state, ended.returned["reports"]) == ("success", [f"reports/tiny/features/{DAY}.html"])
    assert link(run, "build", DataReportLink) == f"tiny__features/reports/tiny/features/{DAY}.html"


def test_a_look_at_a_partition_links_to_how_the_use_case_did_up_to_it(dags):
    look = dags["tiny__monitor"].get_task("measure")
    assert [type(link) for link in look.operator_extra_links] == [MonitoringLink]
    seen = SimpleNamespace(use_case="tiny", partition=DAY, through="")
    key = TaskInstanceKey(dag_id="tiny__monitor", task_id="measure", run_id="run", try_number=1, map_index=-1)
    assert MonitoringLink().get_link(seen, ti_key=key) == f"{BASE}tiny__monitor/health/tiny/{DAY}"
    assert monitoring("tiny") == f"{BASE}tiny__monitor/health/tiny"


@pytest.mark.parametrize("task", ["gates", "promote"])
@pytest.mark.parametrize(
    ("told", "leads"), [({"report": CARD}, f"{BASE}tiny__train/{CARD}"), ({"report": None}, ""), ({}, ""), (None, "")]
)
def test_a_decision_links_to_the_card_that_its_result_names(dags, task, told, leads):
    decided = dags["tiny__train"].get_task(task)
    assert [type(link) for link in decided.operator_extra_links] == [ModelCardLink]
    key = TaskInstanceKey(dag_id="tiny__train", task_id=task, run_id="run", try_number=1, map_index=-1)
    with supervisor.set_supervisor_comms(Supervisor(xcoms={(task, "return_value"): told})):
        assert ModelCardLink().get_link(decided, ti_key=key) == leads


@pytest.mark.parametrize("stage", ["ingest", "features", "train", "monitor"])
def test_the_links_survive_the_way_through_the_database(world, stage):
    again = DagSerialization.from_dict(DagSerialization.to_dict(world.dags[f"tiny__{stage}"]))
    named = {name for task in again.tasks for name in task.extra_links}
    assert named == {{"train": "Model card", "monitor": "Monitoring report"}.get(stage, "Data report")}
