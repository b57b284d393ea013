"""What Airflow does with our folders in its own processes: parse every DAG, preload what tasks start from."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from updraft.local.environment import PRELOAD, environment
from updraft.settings import Settings

ROOT = Path(__file__).parents[2]
STAGES = {file.stem for file in (ROOT / "dags").glob("*.py")}
USE_CASES = {folder.name for folder in (ROOT / "include" / "use_cases").iterdir() if (folder / "spec.yaml").is_file()}
HEAVY = (
    "boto3", "deltalake", "duckdb", "great_expectations", "lightgbm", "matplotlib", "mlflow", "obstore", "pandas",
    "pyarrow", "scipy", "sklearn",
)  # fmt: skip

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
loaded = {name.split(".")[0] for name in sys.modules}
print(json.dumps({"errors": bag.import_errors, "dags": sorted(bag.dags), "loaded": sorted(loaded)}))
"""

PRELOADED = """
import importlib, json, os, sys, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
native = {open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")}
print(json.dumps({"python": [t.name for t in threading.enumerate()], "native": sorted(native - {"python", "python3"})}))
"""


SETTINGS = """
import json, os
from airflow.configuration import conf
known = conf.configuration_description
named = [name for name in os.environ if name.startswith("AIRFLOW__")]
parts = {name: name.removeprefix("AIRFLOW__").lower().split("__", 1) for name in named}
print(json.dumps({"named": len(named), "unknown": [
    name for name, (section, key) in parts.items() if key not in known.get(section, {}).get("options", {})
]}))
"""


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """Run a script as Airflow's processes run: in the environment of an installation; return its last line."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UPDRAFT_HOME", str(home))
        patch.setenv("UPDRAFT_USE_CASES", str(ROOT / "include" / "use_cases"))
        variables = environment(Settings.from_env(), api_port=1, mlflow_port=1)

    def run(script: str, *arguments: str, **more: str):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**variables, **more}, cwd=home, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def parsed(answer):
    return answer(PARSE, str(ROOT / "dags"))


def test_every_use_case_has_a_dag_per_stage_and_none_is_broken(parsed):
    assert parsed["errors"] == {}
    assert {"ingest", "features", "score", "train", "monitor", "retrain"} <= STAGES
    assert set(parsed["dags"]) == {f"{use_case}__{stage}" for use_case in USE_CASES for stage in STAGES}


def test_parsing_the_dags_imports_no_library_that_tasks_work_with(parsed):
    assert "updraft_airflow" in parsed["loaded"]
    assert set(HEAVY) & set(parsed["loaded"]) == set()


def test_a_broken_use_case_leaves_the_dags_of_the_others_alone(answer, tmp_path):
    import shutil

    shutil.copytree(ROOT / "include" / "use_cases" / "flight_delays", tmp_path / "flight_delays")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "spec.yaml").write_text("version: [")
    found = answer(PARSE, str(ROOT / "dags"), UPDRAFT_USE_CASES=str(tmp_path))
    assert found["errors"] == {}
    assert set(found["dags"]) == {
        f"{use_case}__{stage}" for use_case in ("flight_delays", "broken") for stage in STAGES
    }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads where Linux shows them")
def test_what_tasks_are_forked_from_starts_no_thread(answer):
    assert "mlflow" in PRELOAD
    running = answer(PRELOADED, *PRELOAD)
    assert running["python"] == ["MainThread"]
    # Arrow's and delta-rs's allocator has a thread of its own, and starts it again in a forked child.
    assert set(running["native"]) <= {"jemalloc_bg_thd"}


def test_airflow_knows_every_setting_of_an_installation(answer):
    found = answer(SETTINGS)
    assert found["named"] > 10
    assert found["unknown"] == []
