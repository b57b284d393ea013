import math
from types import SimpleNamespace

import pytest
from tests import parcels

from updraft import operation
from updraft.errors import Permanent
from updraft.monitor.measures.operation import measure
from updraft.operation import Spent, Total
from updraft.spec.costs import Costs

GB = 1_000_000_000


def spent(task="score.score", run="run", **other):
    facts = {
        "began": "2024-01-02T06:00:00.000000+00:00",
        "partition": "2024-01-02",
        "partitions": 1,
        "rows": 500,
        "seconds": 4.0,
        "cpu_seconds": 3.6,
    }
    return Spent(**{**facts, "task": task, "run": run, "peak_memory": GB, **other})


@pytest.fixture
def case(tmp_path):
    return parcels.write(tmp_path, costs={"cpu_hour": 1.0, "gigabyte_hour": 0.9, "currency": "USD"})


def test_a_cost_is_processor_time_and_memory_held_at_their_rates():
    assert spent().cost(Costs(cpu_hour=1.0)) == pytest.approx(0.001)
    assert spent().cost(Costs(cpu_hour=0.0, gigabyte_hour=0.9)) == pytest.approx(0.001)


def test_an_attempt_counts_once_however_often_it_is_told(case, lake):
    operation.keep(case, lake, spent(seconds=4.0))
    operation.keep(case, lake, spent(seconds=100.0))
    operation.keep(case, lake, spent(run="manual__2024-01-02T00:00:00+00:00", seconds=5.0))
    assert sorted(one.seconds for one in operation.read(case, lake, ["2024-01-02"])) == [4.0, 5.0]
    assert operation.read(case, lake, ["2024-01-03"]) == []
    assert len(operation.read(case, lake)) == 2


def test_a_run_cannot_name_a_place_outside_of_its_folder(case, lake):
    operation.keep(case, lake, spent(run="../../../etc/" + "x" * 500))
    assert [key.count("/") for key in lake.keys("operation")] == [4]


def test_an_object_that_is_something_else_is_named(case, lake):
    lake.put("operation/parcels/2024-01-02/score.score/run.json", b"{}")
    with pytest.raises(Permanent, match=r"score\.score/run\.json"):
        operation.read(case, lake)


def test_totals_are_per_thousand_predictions_and_by_currency(case):
    every = operation.total(case, [spent(), spent("features.build", rows=9), spent(run="again")])
    assert (every.tasks, every.predictions, every.peak_memory) == (3, 1000, GB)
    assert every.per_thousand(every.cpu_seconds) == pytest.approx(10.8)
    assert every.cost == {"USD": pytest.approx(0.006)}
    both = every + Total(cost={"EUR": 1.0})
    assert both.cost == {"USD": pytest.approx(0.006), "EUR": 1.0}
    assert math.isnan(Total().per_thousand(1.0))


def test_only_the_first_run_of_a_task_did_the_work():
    first, again = spent(run="b", seconds=9.0), spent(run="a", began="2024-01-03T06:00:00.000000+00:00")
    assert operation.first_runs([again, first, spent("monitor.measure")], operation.BEFORE_MONITORING) == [first]


def test_the_monitor_table_has_every_task_and_the_price_of_a_thousand_predictions(case):
    window = SimpleNamespace(
        case=case, partition="2024-01-02", spent=[spent(), spent("ingest.plan.publish", rows=None)]
    )
    found = {(m.metric, m.subject): m.value for m in measure(window)}
    assert found["task_seconds", "ingest.plan.publish"] == 4.0
    assert ("task_rows", "ingest.plan.publish") not in found
    assert found["cpu_seconds_per_thousand", "predictions"] == pytest.approx(14.4)
    assert found["cost_per_thousand", "predictions"] == pytest.approx(0.008)


def test_without_rates_and_predictions_nothing_is_charged(tmp_path):
    window = SimpleNamespace(case=parcels.write(tmp_path), partition="2024-01-02", spent=[spent("features.build")])
    assert {m.metric for m in measure(window)} == {"task_seconds", "task_cpu_seconds", "task_peak_memory", "task_rows"}
