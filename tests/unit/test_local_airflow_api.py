from datetime import UTC, datetime, timedelta

import pytest
from tests.plugins.served import serve

from updraft.errors import Permanent, Transient
from updraft.local.airflow_api import AirflowApi
from updraft.local.processes import free_port

HEALTHY = {part: {"status": "healthy"} for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")}


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    """Attempts follow one another at once."""
    monkeypatch.setattr(AirflowApi._call.retry, "sleep", lambda _: None)


@pytest.fixture
def airflow():
    """Serve answers by method and path, to who has signed in; keep what was asked."""
    answers, asked = {}, []

    def answer(request):
        asked.append(request)
        if request.path == "/auth/token":
            right = request.body == {"username": "admin", "password": "right"}
            return (201, {"access_token": "the token"}) if right else (401, {"detail": "Invalid credentials"})
        if request.path != "/api/v2/monitor/health" and request.token != "the token":
            return 401, {"detail": "Not authenticated"}
        found = answers.get((request.method, request.path.removeprefix("/api/v2")), (404, {"detail": "not found"}))
        return found() if callable(found) else found

    with serve(answer) as url:
        yield AirflowApi(url, "right"), answers, asked, url


def test_it_signs_in_when_it_is_asked_to_and_only_then(airflow):
    api, answers, asked, _ = airflow
    answers["GET", "/dags"] = (200, {"dags": [{"dag_id": "a"}, {"dag_id": "b"}]})
    assert api.dag_ids() == {"a", "b"}
    assert api.dag_ids() == {"a", "b"}
    assert [request.path for request in asked] == ["/api/v2/dags", "/auth/token", "/api/v2/dags", "/api/v2/dags"]
    assert asked[0].query == {"limit": "1000"}


def test_a_wrong_password_is_said_to_be_wrong_and_is_not_shown(airflow):
    _, _, _, url = airflow
    with pytest.raises(Permanent, match="Airflow refused the password of `admin`") as refused:
        AirflowApi(url, "canary-secret").dag_ids()
    assert "canary-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("health", "healthy"),
    [
        pytest.param((200, HEALTHY), True, id="all of it"),
        pytest.param((200, {**HEALTHY, "scheduler": {"status": "unhealthy"}}), False, id="no scheduler"),
        pytest.param((200, {**HEALTHY, "dag_processor": {"status": None}}), False, id="no DAG processor yet"),
        pytest.param((200, {**HEALTHY, "triggerer": {"status": None}}), True, id="no triggerer is no matter"),
        pytest.param((200, {}), False, id="nothing known"),
        pytest.param((502, "<html>bad gateway</html>"), False, id="no JSON"),
    ],
)
def test_it_is_healthy_when_database_scheduler_and_dag_processor_are(airflow, health, healthy):
    api, answers, _, _ = airflow
    answers["GET", "/monitor/health"] = health
    assert api.healthy() is healthy


def test_nobody_there_is_not_healthy_and_an_error_that_may_pass():
    api = AirflowApi(f"http://127.0.0.1:{free_port(0)}", "x")
    assert api.healthy() is False
    with pytest.raises(Transient, match=r"did not answer /dags: .* Next: look whether it is running"):
        api.dag_ids()


def test_a_fault_of_the_server_is_tried_again_until_it_has_passed(airflow):
    api, answers, asked, _ = airflow
    faults = iter([(500, "database is locked"), (503, "busy")])
    answers["GET", "/dags"] = lambda: next(faults, (200, {"dags": []}))
    assert api.dag_ids() == set()
    assert len([request for request in asked if request.token]) == 3


def test_a_fault_that_does_not_pass_is_told_after_a_few_attempts(airflow):
    api, answers, asked, _ = airflow
    answers["GET", "/dags"] = (500, "database is locked")
    with pytest.raises(Transient, match="answered 500 to GET /dags: database is locked"):
        api.dag_ids()
    assert 3 <= len([request for request in asked if request.token]) <= 10


def test_what_airflow_refuses_is_told_at_once_with_its_status_and_bounded(airflow):
    api, answers, asked, _ = airflow
    answers["POST", "/dags/x/dagRuns"] = (400, {"detail": "y" * 5000})
    with pytest.raises(Permanent, match="answered 400 to POST /dags/x/dagRuns") as failed:
        api.trigger("x", run_id="run 1")
    assert len(str(failed.value)) < 500
    assert len([request for request in asked if request.token]) == 1


@pytest.mark.parametrize(
    ("how", "said"),
    [
        pytest.param({}, {"partition_key": None, "conf": {}}, id="bare"),
        pytest.param({"partition": "2013-04-01"}, {"partition_key": "2013-04-01", "conf": {}}, id="a partition"),
        pytest.param({"conf": {"through": "x"}}, {"partition_key": None, "conf": {"through": "x"}}, id="a form"),
    ],
)
@pytest.mark.parametrize("status", [200, 409])
def test_a_run_is_triggered_under_its_id_unless_it_was_before(airflow, how, said, status):
    api, answers, asked, _ = airflow
    answers["POST", "/dags/x/dagRuns"] = (status, {})
    assert api.trigger("x", run_id="run 1", **how) == "run 1"
    due = datetime.fromisoformat(asked[-1].body.pop("run_after"))
    assert asked[-1].body == {"logical_date": None, "dag_run_id": "run 1", **said}
    assert due <= datetime.now(UTC) - timedelta(seconds=1)  # else SQLite lets it wait for the next second


def test_runs_and_tasks_are_listed(airflow):
    api, answers, asked, _ = airflow
    answers["GET", "/dags/~/dagRuns"] = (200, {"dag_runs": [{"dag_run_id": "r"}]})
    answers["GET", "/dags/x/dagRuns/r"] = (200, {"state": "success"})
    answers["GET", "/dags/x/dagRuns/r/taskInstances"] = (200, {"task_instances": [{"task_id": "t"}]})
    assert api.newest(1) == [{"dag_run_id": "r"}]
    assert asked[-1].query == {"order_by": "-id", "limit": "1"}
    assert api.run("x", "r") == {"state": "success"}
    assert api.tasks("x", "r") == [{"task_id": "t"}]


def test_what_a_task_returned_is_read_as_it_was(airflow):
    api, answers, asked, _ = airflow
    answers["GET", "/dags/x/dagRuns/r/taskInstances/t/xcomEntries/return_value"] = (200, {"value": {"rows": 3}})
    assert api.xcom("x", "r", "t") == {"rows": 3}
    assert asked[-1].query == {"deserialize": "true"}


def test_a_task_that_did_not_say_how_long_it_worked_is_no_error(airflow):
    api, answers, _, _ = airflow
    assert api.work_seconds("x", "r", "t") is None
    answers["GET", "/dags/x/dagRuns/r/taskInstances/t/xcomEntries/work_seconds"] = (200, {"value": 1.25})
    assert api.work_seconds("x", "r", "t") == 1.25


def test_the_tasks_before_each_task_are_found(airflow):
    api, answers, _, _ = airflow
    tasks = [{"task_id": "a", "downstream_task_ids": ["b", "c"]}, {"task_id": "b", "downstream_task_ids": ["c"]}]
    answers["GET", "/dags/x/tasks"] = (200, {"tasks": [*tasks, {"task_id": "c", "downstream_task_ids": []}]})
    assert api.upstream("x") == {"a": [], "b": ["a"], "c": ["a", "b"]}


def test_a_log_is_its_events_line_by_line(airflow):
    api, answers, _, _ = airflow
    answers["GET", "/dags/x/dagRuns/r/taskInstances/t/logs/2"] = (
        200, {"content": [{"event": "began"}, "continued", {"level": "error"}, {"event": "ended"}]},
    )  # fmt: skip
    assert api.log("x", "r", "t", 2) == "began\n{'level': 'error'}\nended"


@pytest.mark.parametrize("status", [201, 409])
def test_a_pool_is_made_unless_there_is_one(airflow, status):
    api, answers, asked, _ = airflow
    answers["POST", "/pools"] = (status, {})
    api.make_pool("updraft_training", 1)
    assert asked[-1].body == {"name": "updraft_training", "slots": 1}


def test_all_runs_and_tasks_are_read_page_by_page(airflow):
    api, answers, asked, _ = airflow
    full, rest = [{"id": n} for n in range(100)], [{"id": 100}]
    for path, what, read in (
        ("/dags/~/dagRuns", "dag_runs", api.every_run),
        ("/dags/~/dagRuns/~/taskInstances", "task_instances", api.every_task),
    ):
        pages = iter([full, rest])
        answers["GET", path] = lambda pages=pages, what=what: (200, {what: next(pages)})
        assert list(read()) == [*full, *rest]
        assert [request.query["offset"] for request in asked if request.token and request.path.endswith(path)] == [
            "0",
            "100",
        ]
