"""What came of a demo, read off a lake with matured labels and off an Airflow that is played."""

import math
from pathlib import Path

import pytest
from tests import parcels
from tests.plugins.plays_airflow import Airflow
from tests.plugins.served import serve

from updraft import dataset
from updraft.demo.summary import _quarantined, summarise, timing
from updraft.evidence.metrics import METRICS
from updraft.ledger import Ledger
from updraft.local.airflow_api import AirflowApi
from updraft.model import store
from updraft.spec import load

pytestmark = pytest.mark.slow

FIRST, LAST = "2024-01-19", "2024-01-25"
CASE = load.load("flight_delays", Path(__file__).parents[2] / "include" / "use_cases")


def test_rows_decisions_and_partitions_are_counted(drifting):
    told = summarise(drifting.case, drifting.lake, FIRST, LAST)
    assert (told.partitions, told.scored, told.refused) == (7, 7 * parcels.PER_DAY, 0)
    assert 0 < told.acted < told.scored
    assert [record.kind for record in told.decisions] == ["trained", "gated", "promoted"]


def test_the_first_model_and_the_scores_as_given_are_measured_on_the_same_matured_rows(drifting):
    told = summarise(drifting.case, drifting.lake, FIRST, LAST)
    mature = [f"2024-01-{day}" for day in range(19, 23)]  # a day after their end, and six hours before the twenty-fifth
    rows = dataset.joined(drifting.case, drifting.lake, mature)
    rows = rows[rows["late"].notna()]
    assert told.matured == len(rows)
    first = store.load(drifting.lake, "parcels", Ledger(drifting.lake, "parcels").state().champion)
    expected = METRICS["auc"](rows["late"].to_numpy(float), first.predict(rows))
    assert told.frozen["auc"] == pytest.approx(expected)
    assert told.champion == pytest.approx(told.frozen)  # there was no other champion
    assert set(told.champion) == {"auc", "brier", "log_loss"}


def test_numbers_on_labels_that_have_not_matured_are_undefined(drifting):
    told = summarise(drifting.case, drifting.lake, LAST, LAST)
    assert (told.partitions, told.scored, told.matured) == (1, parcels.PER_DAY, 0)
    assert all(math.isnan(value) for value in (*told.champion.values(), *told.frozen.values()))


def test_what_lies_in_quarantine_is_counted(drifting, ingested):
    assert _quarantined(drifting.case, ingested, "parcels") > 0
    assert _quarantined(drifting.case, ingested, "arrivals") == 0


@pytest.fixture
def api(tmp_path):
    """Airflow after a bulk run and one day; each task took two seconds, of which `build` and `score` worked 1.5."""
    played = Airflow(tmp_path)
    played._run("ingest", "bulk", "")
    for stage in ("features", "score"):
        played._run(stage, f"{stage} 1", "2013-06-11")
    with serve(played.answer) as url:
        yield AirflowApi(url, "x")


def test_the_seconds_of_all_tasks_are_added_up_per_stage(api):
    told = timing(api, CASE, [("ingest", "bulk"), ("features", "features 1")], warm_from=1)
    assert told.seconds == {"ingest": 8.0, "features": 8.0}


def test_overhead_is_what_airflow_adds_to_a_warm_task_that_says_how_long_it_worked(api):
    told = timing(api, CASE, [("ingest", "bulk"), ("features", "features 1"), ("score", "score 1")], warm_from=1)
    assert (told.tasks, told.overhead) == (4, pytest.approx(0.5))


def test_without_a_warm_task_the_overhead_is_undefined(api):
    told = timing(api, CASE, [("ingest", "bulk")], warm_from=1)
    assert told.tasks == 0
    assert math.isnan(told.overhead)
