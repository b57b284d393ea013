"""A task's run without a server, a database or a scheduler: Airflow's own task runner, talking to a fake supervisor.

Only Airflow's other end of the line is made up. DAG files, operators, hooks and everything below them are the real
ones, and so are the lake and the deliveries.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.plugins import airflow_home

# isort: split
import structlog
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG
from airflow.sdk.api.datamodels._generated import AssetEventDagRunReference, DagRun, TIRunContext
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import comms, supervisor, task_runner

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def parse(use_cases: Path) -> dict[str, DAG]:
    """DAGs of the use cases of a folder, as Airflow parses them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UPDRAFT_USE_CASES", str(use_cases))
        bag = DagBag(airflow_home.ROOT / "dags")
    assert bag.import_errors == {}
    return dict(bag.dags)


@dataclass
class Supervisor:
    """Answers what a task asks from memory, and keeps what it was told.

    :param xcoms: Values by task and key.
    :param started: Runs that tasks started, by id.
    :param since: When a sensor that comes back looked for the first time.
    """

    xcoms: dict[tuple[str, str], Any] = field(default_factory=dict)
    started: dict[str, comms.TriggerDagRun] = field(default_factory=dict)
    since: datetime | None = None
    told: list[Any] = field(default_factory=list)

    def send(self, msg: Any) -> Any:
        self.told.append(msg)
        match msg:
            case comms.SetXCom():
                self.xcoms[msg.task_id, msg.key] = json.loads(json.dumps(msg.value))
            case comms.GetXCom():
                return comms.XComResult(key=msg.key, value=self.xcoms.get((msg.task_id, msg.key)))
            case comms.GetXComSequenceSlice():
                found = (msg.task_id, msg.key) in self.xcoms
                return comms.XComSequenceSliceResult(root=[self.xcoms[msg.task_id, msg.key]] if found else [])
            case comms.ValidateInletsAndOutlets():
                return comms.InactiveAssetsResult(inactive_assets=[])
            case comms.GetConnection():
                return comms.ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
            case comms.GetTaskRescheduleStartDate():
                return comms.TaskRescheduleStartDate(start_date=self.since)
            case comms.TriggerDagRun():
                if msg.run_id in self.started:
                    return comms.ErrorResponse(error=ErrorType.DAGRUN_ALREADY_EXISTS)
                self.started[msg.run_id] = msg
        return comms.OKResponse(ok=True)


@dataclass
class Ended:
    """How a task's run ended.

    :param returned: What it pushed as its return value.
    :param announced: Partition keys per asset.
    :param told: Everything the supervisor was told meanwhile.
    """

    state: str
    message: Any
    error: BaseException | None
    returned: Any
    announced: dict[str, list[str | None]]
    told: list[Any]


@dataclass
class Run:
    """A run of a DAG, whose tasks are run one by one in this process.

    :param payloads: What wakes it: an event each of asset `tiny.arrival.plan`, as the trigger that watches it says it.
    """

    dag: DAG
    partition: str | None = None
    conf: dict[str, Any] = field(default_factory=dict)
    run_id: str = "run"
    payloads: list[Any] = field(default_factory=list)
    supervisor: Supervisor = field(default_factory=Supervisor)

    def task(self, task_id: str, **resumed: Any) -> Ended:
        """Run a task; `resumed` is what Airflow knows of one that waited: `next_method`, `task_reschedule_count`, …"""
        instance, before = self._instance(task_id, resumed), len(self.supervisor.told)
        with supervisor.set_supervisor_comms(self.supervisor), self._own_params():
            context = instance.get_template_context()
            state, message, error = task_runner.run(instance, context, structlog.get_logger())
            context["exception"] = error
            task_runner.finalize(instance, state, context, structlog.get_logger(), error)
        returned = self.supervisor.xcoms.get((task_id, "return_value"))
        told = self.supervisor.told[before:]
        return Ended(str(state.value), message, error, returned, _announced(message), told)

    def all(self) -> dict[str, Ended]:
        """Run every task in order; one that is skipped has no more to say, one without all its upstream is left out."""
        ended: dict[str, Ended] = {}
        for task in self.dag.topological_sort():
            if task.task_id in self._skipped():
                ended[task.task_id] = Ended("skipped", None, None, None, {}, [])
            elif all(up in ended and ended[up].state == "success" for up in task.upstream_task_ids):
                ended[task.task_id] = self.task(task.task_id)
        return ended

    def _skipped(self) -> set[str]:
        """Tasks that another one has told Airflow to skip."""
        told = (message for message in self.supervisor.told if isinstance(message, comms.SkipDownstreamTasks))
        return {name if isinstance(name, str) else name[0] for message in told for name in message.tasks}

    @contextmanager
    def _own_params(self) -> Iterator[None]:
        # Airflow writes a run's conf into the params of DAG and tasks, which in real life no other run shares.
        before = {name: node.params for name, node in (("", self.dag), *self.dag.task_dict.items())}
        for node in (self.dag, *self.dag.tasks):
            node.params = copy.deepcopy(node.params)
        yield
        self.dag.params = before.pop("")
        for name, params in before.items():
            self.dag.task_dict[name].params = params

    def _instance(self, task_id: str, resumed: dict[str, Any]) -> task_runner.RuntimeTaskInstance:
        task = self.dag.get_task(task_id)
        run = DagRun(
            dag_id=self.dag.dag_id, run_id=self.run_id, logical_date=None, data_interval_start=None,
            data_interval_end=None, run_after=NOW, start_date=NOW, end_date=None, run_type="manual", state="running",
            conf=self.conf, consumed_asset_events=[*map(_event, self.payloads)], partition_key=self.partition,
        )  # fmt: skip
        about = {"task_id": task_id, "dag_id": self.dag.dag_id, "run_id": self.run_id, "try_number": 1}
        return task_runner.RuntimeTaskInstance.model_construct(
            **about, id=uuid4(), dag_version_id=uuid4(), map_index=-1, task=task, start_date=NOW, max_tries=0,
            _ti_context_from_server=TIRunContext(dag_run=run, max_tries=0, should_retry=bool(task.retries), **resumed),
        )  # fmt: skip


def _event(payload: Any) -> AssetEventDagRunReference:
    """An event as Airflow records it when a watcher's trigger fires."""
    nobody = dict.fromkeys(("source_task_id", "source_dag_id", "source_run_id", "source_map_index"))
    return AssetEventDagRunReference.model_validate(
        {
            "asset": {"name": "tiny.arrival.plan", "uri": "x-updraft://tiny/arrival.plan", "extra": {}},
            "extra": {"from_trigger": True, "payload": payload},
            "source_aliases": [],
            "timestamp": NOW,
            **nobody,
        }
    )


def _announced(message: Any) -> dict[str, list[str | None]]:
    announced: dict[str, list[str | None]] = {}
    for event in getattr(message, "outlet_events", None) or []:
        announced.setdefault(event["dest_asset_key"]["name"], []).append(event.get("partition_key"))
    return announced
