"""The numbers as a real Prometheus reads them, from a server in a process of its own."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from fastapi.testclient import TestClient
from tests import prometheus
from tests.plugins import airflow_home, tiny
from tests.served import free_port

# isort: split
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.monitor.table import Measurement, to_arrow
from updraft_airflow.metrics import app

TOKEN = "a-token-of-this-installation"
SERVE = """
import sys
import uvicorn
from updraft_airflow.metrics import app
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def settings(home):
    places = {"UPDRAFT_HOME": home, "UPDRAFT_LAKE": home / "lake", "UPDRAFT_USE_CASES": tiny.USE_CASES}
    return {name: str(place) for name, place in places.items()}


@contextmanager
def serving(home, token):
    told = {**settings(home), "AIRFLOW_HOME": str(home), "UPDRAFT_METRICS_TOKEN": token}
    told["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{home / 'airflow.db'}"
    port = free_port()
    command = [sys.executable, "-c", SERVE, str(port)]
    with subprocess.Popen(command, env={**os.environ, **told}, cwd=airflow_home.ROOT) as server:
        try:
            yield wait(server, f"http://127.0.0.1:{port}/")
        finally:
            server.kill()


def wait(server, address):
    for _ in range(600):
        assert server.poll() is None
        try:
            urlopen(address, timeout=10).close()
        except HTTPError:
            return address
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise TimeoutError(address)


@pytest.fixture
def lived(tmp_path):
    """A lake in which `tiny` was monitored once, and has a champion."""
    lake = Lake(str(tmp_path / "lake"))
    moved = Measurement("2024-01-05", "feature_psi", 'hostile "name"\n', 0.5, 600, "drifted", "", 0.4, 0.6, 0.2)
    lake.replace("monitor/tiny", to_arrow([moved]), ["2024-01-05"])
    Ledger(lake, "tiny").append("promoted", why="first", who="test", model="c" * 64)
    return tmp_path


def expressions():
    """Everything the dashboard asks."""
    panels = json.loads((airflow_home.ROOT / "include/dashboards/updraft.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.fixture
def ask(lived, monkeypatch):
    """Ask for the page as whoever brings something, where a token is set; `None` is who brings nothing."""
    for name, value in settings(lived).items():
        monkeypatch.setenv(name, value)

    def ask(token, authorization):
        monkeypatch.setenv("UPDRAFT_METRICS_TOKEN", token)
        headers = {} if authorization is None else {"Authorization": authorization}
        return TestClient(app, base_url="http://127.0.0.1:1").get("/", headers=headers)

    return ask


@pytest.mark.slow
def test_a_real_prometheus_reads_where_every_use_case_stands(lived):
    (lived / "token").write_text(TOKEN)
    with serving(lived, TOKEN) as address:
        target = address.removeprefix("http://").rstrip("/")
        how = {"metrics_path": "/", "scrape_interval": "1s", "authorization": f"{{credentials_file: {lived}/token}}"}
        job = "".join(f"\n  {key}: {value}" for key, value in how.items())
        told = f"scrape_configs:\n- job_name: updraft{job}\n  static_configs: [{{targets: ['{target}']}}]\n"
        with prometheus.prometheus(lived, told) as server:
            [champion] = server.wait_for('updraft_champion_info{use_case="tiny"}')
            [moved] = server.wait_for('updraft_measure{use_case="tiny"} > updraft_measure_limit')
            [state] = server.wait_for('updraft_measure_status{status="drifted"} == 1')
            up = server.wait_for("updraft_up == 1")
            shown = {asked: server.ask(asked.replace("$use_case", ".*")) for asked in expressions()}
    assert champion["model"] == "c" * 64
    assert (moved["metric"], moved["subject"], moved["value"]) == ("feature_psi", 'hostile "name"\n', "0.5")
    assert state["metric"] == "feature_psi"
    assert tiny.CASE.name in {each["use_case"] for each in up}
    assert sum(bool(found) for found in shown.values()) >= 4, "the dashboard asks for what there is"


def test_who_does_not_bring_the_token_reads_nothing(ask):
    brought = (f"Bearer {TOKEN}", None, "", "Bearer ", "Bearer wrong", f"Basic {TOKEN}")
    assert [ask(TOKEN, what).status_code for what in brought] == [200, 401, 401, 401, 401, 401]


@pytest.mark.parametrize("token", ["", "short"])
def test_without_a_token_worth_the_name_the_page_is_closed(ask, token):
    assert ask(token, f"Bearer {token}").status_code == 404


def test_a_lake_that_cannot_be_read_is_down_and_says_nothing_else(ask, lived):
    (lived / "lake/ledger/tiny/00000001.json").write_text("{}")
    page = ask(TOKEN, f"Bearer {TOKEN}").text
    assert 'updraft_up{use_case="tiny"} 0.0' in page
    assert "updraft_measure{" not in page
