"""Every DAG as the scheduler, the API and the UI know it: through Airflow's serialization and back."""

import json

import pytest
import yaml
from airflow.serialization.serialized_objects import DagSerialization
from tests.dags.conftest import FLIGHTS

STAGES = ["drill", "features", "ingest", "monitor", "quarantine", "retrain", "rollback", "score", "sweep", "train"]


def through(dag):
    written = json.dumps(DagSerialization.to_dict(dag))
    return DagSerialization.from_dict(json.loads(written)), written


@pytest.mark.parametrize("stage", STAGES)
def test_a_dag_survives_its_way_through_the_database(flights, stage):
    dag = flights[stage]
    again, written = through(dag)
    assert {task.task_id: set(task.downstream_task_ids) for task in again.tasks} == {
        task.task_id: set(task.downstream_task_ids) for task in dag.tasks
    }
    assert [task.pool for task in again.tasks] == [task.pool for task in dag.tasks]
    assert [task.execution_timeout for task in again.tasks] == [task.execution_timeout for task in dag.tasks]
    assert (again.start_date, again.catchup, again.doc_md) == (dag.start_date, dag.catchup, dag.doc_md)
    by_hand = stage in ("train", "quarantine", "rollback")
    assert again.timetable.partitioned or again.timetable.partitioned_at_runtime or by_hand
    assert len(written) < 50_000


@pytest.mark.parametrize("stage", STAGES)
def test_a_dag_is_written_the_same_each_time_so_that_no_version_is_made_for_nothing(flights, stage):
    assert through(flights[stage])[1] == through(flights[stage])[1]


def test_the_form_keeps_its_types_and_texts(flights):
    again, _ = through(flights["score"])
    rescore, partition = again.params.get_param("rescore"), again.params.get_param("partition")
    assert (rescore.value, rescore.schema["type"], rescore.schema["title"]) == (False, "boolean", "Rescore")
    assert (partition.value, partition.schema["type"]) == (None, ["null", "string"])
    assert "2013-01-01" in partition.description


def test_a_question_and_a_broken_spec_are_written_too(parsed):
    dags = parsed(asked={"rollout": {"approval": "required"}}, broken="version: [")
    again, _ = through(dags["asked__train"])
    assert again.get_task("approval").downstream_task_ids == {"promote"}
    broken, _ = through(dags["broken__score"])
    assert broken.task_ids == ["read_spec"]
    assert "spec.yaml" in broken.doc_md


def test_a_deadline_is_written_with_the_way_to_its_callback(parsed):
    dag = parsed(bounded={"sources": deadline_for("weather")})["bounded__ingest"]
    (alert,) = json.loads(through(dag)[1])["dag"]["deadline"]
    assert "updraft_airflow.deadlines.overdue" in json.dumps(alert)


def deadline_for(source):
    spec = yaml.safe_load((FLIGHTS / "spec.yaml").read_text(encoding="utf-8"))
    return {source: {**spec["sources"][source], "deadline": "2h"}}
