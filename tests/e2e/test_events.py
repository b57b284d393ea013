"""Events in a real Airflow: its triggerer hears, its scheduler wakes and misses deadlines, its API answers."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
import yaml
from tests.plugins import tiny, watched
from tests.served import moto, serving

from updraft.errors import Permanent
from updraft.lake import Lake
from updraft.local.airflow_api import ENDED, AirflowApi
from updraft.local.environment import environment
from updraft.local.installation import COMPONENTS, _migrate, _password
from updraft.local.processes import Processes, free_port, program, wait_until
from updraft.settings import Settings

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
HEARD, ASKED, LOADED = "2024-01-05", "2024-01-06", "2024-01-07"
DAGS = {"tiny__ingest", "tiny__arrivals", "tiny__retrain", "warehouse_weather", "flight_delays_after_weather"}


@pytest.fixture(scope="module")
def store():
    with moto() as server:
        yield watched.store(server.address, "plans")


@pytest.fixture(scope="module")
def home(store, tmp_path_factory):
    """The folder of an installation with one use case, and of DAGs: two stages of it, and an example."""
    home = tmp_path_factory.mktemp("events")
    watched.write(home / "use_cases", store)
    (home / "dags").mkdir()
    for stage in ("ingest", "retrain"):
        shutil.copy(ROOT / "dags" / f"{stage}.py", home / "dags")
    example = (ROOT / "docs/examples/dags/upstream_asset.py").read_text(encoding="utf-8")
    (home / "dags" / "upstream_asset.py").write_text(example.replace('"flight_delays__', '"tiny__'), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def api(home, store):
    """A client of an Airflow that runs in that folder; every process of it has ended when the module ends."""
    before = dict(os.environ)
    os.environ.update(UPDRAFT_HOME=str(home), UPDRAFT_USE_CASES=str(home / "use_cases"))
    for name in ("UPDRAFT_LAKE", "UPDRAFT_INBOX", "UPDRAFT_ARTIFACTS", "MLFLOW_TRACKING_URI", "AIRFLOW_HOME"):
        os.environ.pop(name, None)
    settings, port = Settings.from_env(), free_port(0)
    env = environment(settings, api_port=port, mlflow_port=1) | {
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW_CONN_STORE": store.connection(),
    }
    processes, client = Processes(home), AirflowApi(f"http://127.0.0.1:{port}", _password(home / "airflow"))
    try:
        _migrate(settings, env)
        lean = env | {"AIRFLOW__CORE__MP_FORKSERVER_PRELOAD": ""}
        for component in COMPONENTS:
            processes.start(component, [program("airflow"), component], env if component == "scheduler" else lean)
        wait_until(client.healthy, seconds=180, what="Airflow's start", processes=processes)
        wait_until(lambda: client.dag_ids() >= DAGS, seconds=180, what="Reading the DAGs", processes=processes)
        yield client
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("updraft.local.processes.GRACE", 3.0)  # there is nothing left that would have to be finished
            processes.stop()
        os.environ.clear()
        os.environ.update(before)
    assert processes.running() == []


@pytest.fixture(scope="module", autouse=True)
def overdue(api, home):
    """A run that waits for what does not come, begun before all else: its deadlines pass while other tests go on.

    Its use case is the tiny one, which has features and scores of yesterday and needs today's within a minute or two.
    """
    began, today = datetime.now(UTC), tiny.DATES.containing(datetime.now(UTC))
    within = f"{(began + timedelta(minutes=2) - today.as_of) // timedelta(minutes=1)}m"
    shutil.copytree(tiny.USE_CASES / "tiny", folder := home / "use_cases" / "tardy")
    spec = yaml.safe_load((folder / "spec.yaml").read_text(encoding="utf-8"))
    spec |= {"name": "tardy", "deadlines": {"features": within, "scores": within}}
    spec |= {"alerts": {"oncall": {"to": "webhook", "connection": "oncall"}}}
    spec["sources"]["plan"]["deadline"] = "1m"
    spec["partitions"]["first"] = str(spec["partitions"]["first"])
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    before = tiny.DATES.step(today, -1).key
    for table in ("features/tardy", "scores/tardy"):
        Lake(str(home / "lake")).replace(table, pa.table({"id": ["1"], "partition": [before]}), [before])
    with serving(lambda asked: asked.say()) as oncall:
        address = {"host": "127.0.0.1", "schema": "http", "port": oncall.port}
        api._call("POST", "/connections", json={"connection_id": "oncall", "conn_type": "http", **address})
        api._call("PUT", f"/parseDagFile/{api._get('/dags/tiny__ingest')['file_token']}")
        wait_until(lambda: "tardy__ingest" in api.dag_ids(), seconds=60, what="Reading the new use case")
        api.trigger("tardy__ingest", run_id="late", conf={"partition": today.key})
        yield today.key, oncall


def runs(api, dag_id):
    """Runs of a DAG, the oldest first."""
    return [run for run in api.every_run() if run["dag_id"] == dag_id]


def ended(api, dag_id, begins):
    """Wait for a run whose id begins so, and until it has ended."""

    def found():
        return [run for run in runs(api, dag_id) if run["dag_run_id"].startswith(begins) and run["state"] in ENDED]

    wait_until(found, seconds=120, what=f"{dag_id} {begins}")
    return found()[-1]


def test_a_message_of_the_bucket_starts_the_ingestion_of_its_partition(api, store, home):
    watched.deliver(store, home, HEARD)
    run = ended(api, "tiny__ingest", f"arrived__{HEARD}__")
    assert (run["state"], run["conf"]["partition"]) == ("success", HEARD)
    rows = Lake(str(home / "lake")).read("raw/tiny/plan", [HEARD])
    assert rows is not None
    assert len(rows) == 60
    wait_until(lambda: store.left() == 0, seconds=60, what="Taking the message out of the queue")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page shows curl")
def test_the_commands_of_the_page_start_the_life_of_a_partition(api, home, store):
    watched.deliver(store, home, ASKED)
    page = (ROOT / "docs/events.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```bash\n(.*?)^```$", page, re.M | re.S)
    script = script.replace("flight_delays", "tiny").replace("2013-04-01", ASKED)
    access = {"AIRFLOW": str(api._http.base_url).rstrip("/"), "USERNAME": "admin", "PASSWORD": api._password}
    command = ["bash", "-euc", script]
    done = subprocess.run(command, env={**os.environ, **access}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    run = ended(api, "tiny__ingest", f"booking-system-{ASKED}")
    assert (run["state"], run["conf"]["partition"]) == ("success", ASKED)
    again = subprocess.run(command, env={**os.environ, **access}, capture_output=True, text=True, check=False)
    assert again.returncode == 22, "curl's word for an answer of 400 or more"


ODD = ("../../etc", "{{ 1 }}", 7)


@pytest.mark.parametrize(
    ("dag_id", "conf"),
    [
        *((dag_id, {"partition": odd}) for dag_id in ("tiny__ingest", "tiny__retrain") for odd in ODD),
        ("tiny__ingest", {"partition": HEARD, "through": ["x"]}),
    ],
    ids=str,
)
def test_a_parameter_that_is_none_is_refused_before_there_is_a_run(api, dag_id, conf):
    before = len(runs(api, dag_id))
    with pytest.raises(Permanent, match=f"Airflow answered 400 to POST /dags/{dag_id}/dagRuns"):
        api.trigger(dag_id, run_id=f"bad-{time.time_ns()}", conf=conf)
    assert len(runs(api, dag_id)) == before


def test_a_stranger_without_a_token_starts_nothing(api):
    body = {"logical_date": None, "conf": {"partition": HEARD}}
    answer = httpx.post(f"{api._http.base_url}/api/v2/dags/tiny__ingest/dagRuns", json=body)
    assert answer.status_code == 401


def test_an_event_that_a_user_makes_up_through_the_api_starts_nothing(api):
    assets = api._get("/assets", name_pattern="tiny.arrival.plan")["assets"]
    hostile = {"payload": {"arrivals": [{"use_case": "tiny", "source": "plan", "partition": "../../etc"}]}}
    before = {run["dag_run_id"] for run in runs(api, "tiny__arrivals")}
    api._call("POST", "/assets/events", json={"asset_id": assets[0]["id"], "extra": hostile})

    def woken():
        new = [run for run in runs(api, "tiny__arrivals") if run["dag_run_id"] not in before]
        return [run for run in new if run["state"] in ENDED]

    wait_until(woken, seconds=120, what="tiny__arrivals")
    assert woken()[-1]["state"] == "success"
    assert api.xcom("tiny__arrivals", woken()[-1]["dag_run_id"], "look") == []


def test_another_team_s_asset_starts_the_ingestion_of_the_same_partition(api, store, home):
    tiny.deliver(home, [LOADED])
    store.put(f"plan/{LOADED}.csv", home / "inbox" / "tiny" / "plan" / f"{LOADED}.csv")
    api.trigger("warehouse_weather", run_id="loaded", partition=LOADED)
    run = ended(api, "tiny__ingest", f"weather__{LOADED}__")
    assert (run["state"], run["conf"]["partition"]) == ("success", LOADED)


def test_each_deadline_that_is_missed_tells_those_on_call_once(overdue, home):
    partition, oncall = overdue
    with sqlite3.connect(home / "airflow" / "airflow.db") as kept:

        def states():
            """Of the callbacks of the run's deadlines, as Airflow keeps them."""
            callbacks = "callback JOIN deadline ON deadline.callback_id = callback.id"
            runs = "dag_run ON dag_run.id = deadline.dagrun_id WHERE dag_run.run_id = 'late'"
            return [state for (state,) in kept.execute(f"SELECT callback.state FROM {callbacks} JOIN {runs}")]

        assert len(states()) == 3
        wait_until(lambda: {*states()} <= {"success", "failed"}, seconds=240, what="Missing three deadlines")
        assert states() == ["success"] * 3
    # Two of them pass at the same moment, and each callback finds all that is late: of the two one sends.
    heard = [json.loads(asked.body) for asked in oncall.asked]
    told = [one for one in heard if one["partition"] == partition]  # the clock began the run of the next one
    assert sorted(one["kind"] for one in told) == ["delivery_missing", "features_late", "scores_late"]
    for one in told:
        assert (one["event"], one["use_case"], one["partition"]) == ("opened", "tardy", partition)
        assert (one["owner"], one["email"]) == ("Tiny team", "tiny@example.com")
    (missing,) = [one["what"] for one in told if one["kind"] == "delivery_missing"]
    assert f"plan of tardy is overdue: nothing has come for {partition} within 1 min" in missing
