"""The numbers as a real Prometheus reads them, from a server in a process of its own."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from tests import prometheus
from tests.plugins import airflow_home, tiny
from tests.served import free_port

# isort: split
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.monitor.table import Measurement, to_arrow

TOKEN = "a-token-of-this-installation"
SERVE = """
import sys
import uvicorn
from updraft_airflow.metrics import app
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""

pytestmark = pytest.mark.slow


@contextmanager
def serving(home, token):
    settings = {"AIRFLOW_HOME": str(home), "UPDRAFT_HOME": str(home), "UPDRAFT_LAKE": str(home / "lake")}
    settings["UPDRAFT_USE_CASES"] = str(airflow_home.ROOT / "tests/plugins/use_cases")
    settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{home / 'airflow.db'}"
    settings["UPDRAFT_METRICS_TOKEN"] = token
    port = free_port()
    command = [sys.executable, "-c", SERVE, str(port)]
    with subprocess.Popen(command, env={**os.environ, **settings}, cwd=airflow_home.ROOT) as server:
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


def status(address, authorization):
    try:
        with urlopen(Request(address, headers={"Authorization": authorization}), timeout=30) as answer:
            return answer.status
    except HTTPError as refused:
        return refused.code


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


def test_who_does_not_bring_the_token_reads_nothing(lived):
    with serving(lived, TOKEN) as address:
        said = [
            status(address, with_) for with_ in (f"Bearer {TOKEN}", "", "Bearer ", "Bearer wrong", f"Basic {TOKEN}")
        ]
    assert said == [200, 401, 401, 401, 401]


@pytest.mark.parametrize("token", ["", "short"])
def test_without_a_token_worth_the_name_the_page_is_closed(lived, token):
    with serving(lived, token) as address:
        assert status(address, f"Bearer {token}") == 404


def test_a_lake_that_cannot_be_read_is_down_and_says_nothing_else(lived):
    (lived / "lake/ledger/tiny/00000001.json").write_text("{}")
    with serving(lived, TOKEN) as address:
        page = urlopen(Request(address, headers={"Authorization": f"Bearer {TOKEN}"}), timeout=30).read().decode()
    assert 'updraft_up{use_case="tiny"} 0.0' in page
    assert "updraft_measure{" not in page
