"""The DAGs of the demo: their tasks, their order, what wakes them, what they ask for, what bounds them."""

from datetime import timedelta

import pytest
from airflow.sdk import AssetAll, PartitionedAssetTimetable

SOURCES = ("schedule", "outcomes", "weather")
TASKS = {
    "ingest": {f"{source}.wait": {f"{source}.publish"} for source in SOURCES}
    | {f"{source}.publish": set() for source in SOURCES},
    "features": {"build": set()},
    "score": {"pin_champion": {"score"}, "score": {"reconcile"}, "reconcile": set()},
    "monitor": {"measure": {"incident"}, "incident": set()},
    "retrain": {"decide": {"train", "roll_back"}, "train": set(), "roll_back": set()},
    "quarantine": {"act": {f"{source}.announce" for source in SOURCES}}
    | {f"{source}.announce": set() for source in SOURCES},
    "train": {
        "dataset": {"fit"},
        "fit": {"gates", "promote"},
        "gates": {"promote"},
        "promote": {"announce"},
        "announce": set(),
    },
    "sweep": {"look": {"fill"}, "fill": set(), "consider": set(), "repair": set()},
    "drill": {"drill": set()},
    "rollback": {"roll_back": set()},
}
WAKES = {
    "features": {f"flight_delays.raw.{source}" for source in SOURCES},
    "score": {"flight_delays.features"},
    "monitor": {"flight_delays.scores"},
    "retrain": {"flight_delays.incident"},
}
ANNOUNCES = {
    "ingest": {f"{source}.publish": f"flight_delays.raw.{source}" for source in SOURCES},
    "features": {"build": "flight_delays.features"},
    "score": {"reconcile": "flight_delays.scores"},
    "monitor": {"incident": "flight_delays.incident"},
    "retrain": {},
    "quarantine": {f"{source}.announce": f"flight_delays.raw.{source}" for source in SOURCES},
    "train": {"announce": "flight_delays.champion"},
    "sweep": {},
    "drill": {},
    "rollback": {},
}
STAGES = sorted(TASKS)
ASKED = {"action": "string", "source": "string", "reason": ["null", "string"], "rebuild": "boolean"}


def needed(dag):
    """Assets a DAG waits for; more than one only when all of them are needed."""
    condition = dag.timetable.asset_condition
    return condition.objects if type(condition) is AssetAll else [condition]


def test_a_use_case_has_a_dag_per_stage(flights):
    assert sorted(flights) == STAGES
    assert {dag.dag_id for dag in flights.values()} == {f"flight_delays__{stage}" for stage in STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_the_tasks_of_a_stage_and_what_follows_each(flights, stage):
    assert {task.task_id: set(task.downstream_task_ids) for task in flights[stage].tasks} == TASKS[stage]


@pytest.mark.parametrize("stage", WAKES)
def test_a_stage_wakes_when_all_it_needs_is_in_for_one_partition(flights, stage):
    assert type(flights[stage].timetable) is PartitionedAssetTimetable
    assert {asset.name for asset in needed(flights[stage])} == WAKES[stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_announces_what_it_wrote(flights, stage):
    told = {task.task_id: task.outlets for task in flights[stage].tasks if task.outlets}
    assert {task_id: asset.name for task_id, [asset] in told.items()} == ANNOUNCES[stage]


def test_what_a_stage_waits_for_is_announced_by_another(flights):
    announced = {(asset.name, asset.uri) for dag in flights.values() for task in dag.tasks for asset in task.outlets}
    waited_for = {(asset.name, asset.uri) for stage in WAKES for asset in needed(flights[stage])}
    assert waited_for <= announced
    assert {name for name, _ in announced - waited_for} == {"flight_delays.champion"}


@pytest.mark.parametrize("stage", STAGES)
def test_the_form_asks_for_a_partition_or_a_span_and_nothing_untyped(flights, stage):
    form = {name: param.schema["type"] for name, param in flights[stage].params.items()}
    assert form == {
        **({} if stage == "rollback" else {"partition": ["null", "string"]}),
        **({"reason": "string", "leave": ["null", "string"]} if stage == "rollback" else {}),
        **({} if stage in ("train", "retrain", "sweep", "drill", "rollback") else {"through": ["null", "string"]}),
        **({"rescore": "boolean"} if stage == "score" else {}),
        **({"reason": ["null", "string"]} if stage == "retrain" else {}),
        **(ASKED if stage == "quarantine" else {}),
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_dag_says_whose_it_is_and_what_it_is_for(flights, stage):
    dag = flights[stage]
    assert set(dag.tags) == {"updraft", stage, "flight_delays", "demo"}
    assert {task.owner for task in dag.tasks} == {"Flight operations"}
    assert dag.owner_links == {"Flight operations": "mailto:flight-operations@example.com"}
    assert dag.description.startswith(f"{stage.capitalize()}: ")
    for told in (dag.description, "Warn a traveller", "flight-operations@example.com"):
        assert told in dag.doc_md


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_runs_for_ever_or_catches_up_by_itself(flights, stage):
    dag = flights[stage]
    assert dag.catchup is False
    assert timedelta(hours=12) < dag.dagrun_timeout <= timedelta(days=3)
    assert dag.max_active_runs >= 2
    for task in dag.tasks:
        most = timedelta(minutes=35 if task.task_id == "fit" else 30)
        assert timedelta(0) < task.execution_timeout <= most, task.task_id
        assert task.retries == 3, task.task_id
        assert timedelta(0) < task.retry_delay <= task.max_retry_delay <= timedelta(minutes=10), task.task_id


def test_a_sensor_comes_back_in_place_of_holding_a_worker_and_gives_up_before_its_run_does(flights):
    for source in SOURCES:
        sensor = flights["ingest"].get_task(f"{source}.wait")
        assert sensor.mode == "reschedule"
        assert 0 < sensor.timeout < timedelta(days=2).total_seconds()


def test_trainings_are_one_at_a_time_and_end_themselves_before_airflow_does(flights, parsed):
    pools = {task.task_id: task.pool for task in flights["train"].tasks}
    assert pools == {**dict.fromkeys(pools, "default_pool"), "fit": "updraft_training"}
    shorter = parsed(short={"model": {"deadline": "5m"}})["short__train"]
    assert shorter.get_task("fit").execution_timeout == timedelta(minutes=10)
    longer = parsed(long={"model": {"deadline": "3h"}})["long__train"]
    assert longer.get_task("fit").execution_timeout == timedelta(minutes=185)


def test_a_training_that_was_decided_is_started_once_per_partition(flights):
    trigger = flights["retrain"].get_task("train")
    assert (trigger.trigger_dag_id, trigger.skip_when_already_exists) == ("flight_delays__train", True)
    assert trigger.trigger_run_id.startswith("retrain__{{")
    assert trigger.wait_for_completion is False


def test_the_model_is_looked_at_once_a_day_whatever_events_were_lost(flights):
    daily = flights["sweep"].get_task("consider")
    assert (daily.trigger_dag_id, daily.skip_when_already_exists) == ("flight_delays__retrain", True)
    assert daily.trigger_run_id.startswith("sweep__{{")
    assert daily.wait_for_completion is False
    assert not daily.upstream_task_ids


def test_what_the_sweep_finds_is_started_once_per_sweep_and_partition(flights):
    fill = flights["sweep"].get_task("fill")
    assert fill.is_mapped
    assert fill.partial_kwargs["skip_when_already_exists"] is True
    assert "wait_for_completion" not in fill.partial_kwargs


def test_without_an_approval_in_the_spec_nobody_is_asked(flights):
    assert "approval" not in flights["train"].task_dict


def test_an_approval_in_the_spec_stands_between_gates_and_promotion_and_silence_means_no(parsed):
    train = parsed(asked={"rollout": {"approval": "required", "approval_timeout": "7d"}})["asked__train"]
    question = train.get_task("approval")
    assert (question.upstream_task_ids, question.downstream_task_ids) == ({"fit", "gates"}, {"promote"})
    assert (question.options, question.defaults, question.multiple) == (["Approve", "Reject"], ["Reject"], False)
    assert question.response_timeout == timedelta(days=7)
    assert question.response_timeout < train.dagrun_timeout


def test_what_becomes_of_held_rows_is_asked_of_a_person_and_never_scheduled(flights):
    dag = flights["quarantine"]
    assert dag.timetable.can_be_scheduled is False
    assert dag.params.get_param("action").schema["enum"] == ["replay", "discard"]
    assert dag.params.get_param("source").schema["enum"] == list(SOURCES)
    assert (dag.params["action"], dag.params["rebuild"], dag.params["reason"]) == ("replay", False, None)
