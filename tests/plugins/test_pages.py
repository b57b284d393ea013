"""The pages as Airflow's own API server serves them, with its own log-in, in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from tests.plugins import airflow_home

# isort: split
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.monitor.table import Measurement, to_arrow

pytestmark = pytest.mark.slow

D1, D2, CARD = "1" * 64, "2" * 64, "c" * 64
REPORT = b"<!doctype html><p>a report</p>"
KEPT = {
    f"reports/tiny/plan/2024-01-05/{D1}.html": REPORT,
    f"reports/tiny/plan/2024-01-06/{D1}.html": b"first",
    f"reports/tiny/plan/2024-01-06/{D2}.html": b"second",
    "reports/tiny/features/2024-01-05.html": b"of features",
    f"cards/tiny/{CARD}/card.html": b"a card",
    f"rejected/tiny/plan/2024-01-05/{D1}.html": b"personal",
    f"reports/other/plan/2024-01-05/{D1}.html": b"of others",
}
ASK = """
import json, sys
import jwt
from airflow.utils import db
db.initdb()
from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from fastapi.testclient import TestClient
app = create_app(apps="core")
manager = get_auth_manager()
tokens = {role: manager.generate_jwt(SimpleAuthManagerUser(username=role, role=role if role != "nobody" else None))
          for role in ("admin", "viewer", "nobody")}
tokens["forged"] = "x" + tokens["admin"]
client = TestClient(app, base_url="http://127.0.0.1:1", follow_redirects=False)
answers = []
for role, method, path in json.load(sys.stdin):
    headers = {"Authorization": f"Bearer {tokens[role]}"} if role in tokens else {}
    cookies = {"_token": tokens["viewer"]} if role == "cookie" else {}
    client.cookies.clear()
    client.cookies.update(cookies)
    said = client.request(method, path, headers=headers)
    answers.append([said.status_code, said.text, dict(said.headers)])
print("ANSWERS" + json.dumps(answers))
"""
BASE = "/updraft/tiny__ingest/"
ONE = f"{BASE}reports/tiny/plan/2024-01-05/{D1}.html"
FOUND = {
    "a report": (ONE, "a report"),
    "the only report of a partition": (f"{BASE}reports/tiny/plan/2024-01-05", "a report"),
    "the report of features": ("/updraft/tiny__features/reports/tiny/features/2024-01-05", "of features"),
    "a card": (f"/updraft/tiny__train/cards/tiny/{CARD}/card.html", "a card"),
    "how a use case is doing": ("/updraft/tiny__monitor/health/tiny", "tiny: 2024-01-06"),
    "how it did up to a partition": ("/updraft/tiny__monitor/health/tiny/2024-01-05", "tiny: 2024-01-05"),
    "how it did in a month": ("/updraft/tiny__monitor/health/tiny/2024-01", "2 partitions, 2024-01-05 to 2024-01-06"),
}
ABSENT = {
    "a delivery that is not kept": f"{BASE}reports/tiny/plan/2024-01-05/{'9' * 64}.html",
    "a partition without any": f"{BASE}reports/tiny/plan/2024-01-09",
    "another use case's": f"{BASE}reports/other/plan/2024-01-05/{D1}.html",
    "what is no report": f"{BASE}rejected/tiny/plan/2024-01-05/{D1}.html",
    "the ledger": f"{BASE}ledger/tiny/00000001.json",
    "the way up": f"{BASE}reports/tiny/../other/plan/2024-01-05/{D1}.html",
    "the way up, encoded": f"{BASE}reports/tiny/%2e%2e/other/plan/2024-01-05/{D1}.html",
    "the way up, encoded twice": f"{BASE}reports/tiny/%252e%252e/other/plan/2024-01-05/{D1}.html",
    "the way out": f"{BASE}reports/tiny/plan/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "an absolute path": f"{BASE}%2fetc%2fpasswd",
    "a null byte": f"{BASE}reports/tiny/plan/2024-01-05/{D1}.html%00",
    "a line end": f"{BASE}reports/tiny/plan/2024-01-05%0a",
    "capitals": f"{BASE}reports/TINY/plan/2024-01-05/{D1}.html",
    "a DAG of another name": f"/updraft/tiny/reports/tiny/plan/2024-01-05/{D1}.html",
    "nothing": BASE,
    "monitoring of a partition that was not monitored": "/updraft/tiny__monitor/health/tiny/2024-01-09",
    "monitoring of another use case": "/updraft/tiny__monitor/health/other",
    "monitoring of a date that is none": "/updraft/tiny__monitor/health/tiny/2024-1",
    "the documentation of the API": "/updraft/docs",
}
STRANGERS = {"anonymous": 401, "forged": 403, "nobody": 403}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    home = tmp_path_factory.mktemp("pages")
    lake = Lake(str(home / "lake"))
    for key, content in KEPT.items():
        lake.put(key, content)
    Ledger(lake, "tiny").append("decided", why="no incident", who="test", partition="2024-01-05")
    for day in ("2024-01-05", "2024-01-06"):
        lake.replace("monitor/tiny", to_arrow([Measurement(day, "auc", "all", 0.7, 60, "ok")]), [day])
    asked = {
        **{("viewer", name): ("viewer", "GET", path) for name, (path, _) in FOUND.items()},
        **{("viewer", name): ("viewer", "GET", path) for name, path in ABSENT.items()},
        **{(who, "a report"): (who, "GET", ONE) for who in ("admin", "cookie", *STRANGERS)},
        ("viewer", "several"): ("viewer", "GET", f"{BASE}reports/tiny/plan/2024-01-06"),
        ("viewer", "another method"): ("viewer", "POST", ONE),
    }
    settings = {"AIRFLOW_HOME": str(home), "UPDRAFT_HOME": str(home), "UPDRAFT_LAKE": str(home / "lake")}
    settings["UPDRAFT_USE_CASES"] = str(airflow_home.ROOT / "tests/plugins/use_cases")
    settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{home / 'airflow.db'}"
    settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = str(home / "passwords.json")
    done = subprocess.run(
        [sys.executable, "-c", ASK], input=json.dumps(list(asked.values())), capture_output=True, text=True,
        env={**os.environ, **settings}, cwd=airflow_home.ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = next(line for line in done.stdout.splitlines() if line.startswith("ANSWERS"))
    return dict(zip(asked, json.loads(said.removeprefix("ANSWERS")), strict=True))


@pytest.mark.parametrize("name", FOUND)
def test_who_may_read_the_dag_may_read(answers, name):
    status, text, headers = answers["viewer", name]
    assert status == 200
    assert FOUND[name][1] in text
    assert headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("who", ["admin", "cookie"])
def test_any_log_in_of_airflow_will_do(answers, who):
    assert answers[who, "a report"][:2] == [200, REPORT.decode()]


@pytest.mark.parametrize(("who", "status"), STRANGERS.items())
def test_nobody_else_reads_anything(answers, who, status):
    found, text, _ = answers[who, "a report"]
    assert found == status
    assert "report</p>" not in text


@pytest.mark.parametrize("name", ABSENT)
def test_nothing_else_of_the_lake_is_served(answers, name):
    status, text, _ = answers["viewer", name]
    assert status == 404
    assert not any(content.decode() in text for content in KEPT.values() if len(content) > 5)


def test_several_reports_of_a_partition_are_listed(answers):
    status, text, _ = answers["viewer", "several"]
    assert status == 200
    assert [f'href="2024-01-06/{d}.html"' in text for d in (D1, D2)] == [True, True]


def test_a_page_can_do_nothing(answers):
    for name in (*FOUND, "several"):
        headers = answers["viewer", name][2]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert policy.endswith("; sandbox")
        assert "script" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "private, no-store"


def test_pages_are_only_read(answers):
    assert answers["viewer", "another method"][0] == 405
