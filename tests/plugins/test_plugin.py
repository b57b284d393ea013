"""What Airflow loads from `plugins/`, in a process of its own: loading plugins changes `sys.modules` for good."""

import json
import subprocess
import sys

import pytest
from tests.plugins.airflow_home import ROOT

LOAD = """
import json, sys
before = set(sys.modules)
from airflow.plugins_manager import _get_plugins
plugins, errors = _get_plugins()
ours = [p for p in plugins if p.name == "updraft"]
names = {f.stem for f in __import__("pathlib").Path(sys.argv[1]).glob("plugins/updraft_airflow/**/*.py")}
loaded = {n for n in names - {"__init__"} if str(getattr(sys.modules.get(n), "__file__", "")).startswith(sys.argv[1])}
import updraft_airflow.operators.score
print(json.dumps({
    "errors": errors, "plugins": [p.name for p in ours], "views": ours[0].external_views, "bare": sorted(loaded),
    "apps": [{**app, "app": app["app"].__name__} for app in ours[0].fastapi_apps],
    "served": "updraft_airflow.pages" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def loaded():
    done = subprocess.run([sys.executable, "-c", LOAD, str(ROOT)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_airflow_loads_the_plugin_without_errors(loaded):
    assert (loaded["errors"], loaded["plugins"]) == ({}, ["updraft"])


def test_airflow_does_not_execute_the_adapters_under_their_bare_names(loaded):
    assert loaded["bare"] == []


def test_the_menu_leads_to_mlflow(loaded):
    [view] = loaded["views"]
    assert (view["name"], view["destination"], view["category"]) == ("MLflow", "nav", "browse")
    assert view["href"] == "http://127.0.0.1:5000"


def test_the_pages_are_mounted_and_loaded_by_who_serves_them_alone(loaded):
    apps = [("Updraft metrics", "metrics", "/updraft-metrics"), ("Updraft", "pages", "/updraft")]
    assert [(app["name"], app["app"], app["url_prefix"]) for app in loaded["apps"]] == apps
    assert loaded["served"] is False
