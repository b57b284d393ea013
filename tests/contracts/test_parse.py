"""What Airflow does with our folders in its own processes: parse every DAG, preload what tasks start from."""

import json
import shutil
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

# Parses the DAGs once per folder of use cases, as Airflow does again and again in one process.
PARSE = """
import json, os, sys
from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag
known = conf.configuration_description
named = [name for name in os.environ if name.startswith("AIRFLOW__")]
parts = {name: name.removeprefix("AIRFLOW__").lower().split("__", 1) for name in named}
found = {"named": len(named), "unknown": [
    name for name, (section, key) in parts.items() if key not in known.get(section, {}).get("options", {})
]}
for which, use_cases in json.loads(sys.argv[2]).items():
    os.environ["UPDRAFT_USE_CASES"] = use_cases
    bag = DagBag(sys.argv[1])
    loaded = {name.split(".")[0] for name in sys.modules}
    found[which] = {"errors": bag.import_errors, "dags": sorted(bag.dags), "loaded": sorted(loaded)}
print(json.dumps(found))
"""

PRELOADED = """
import importlib, json, os, sys, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
native = {open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")}
print(json.dumps({"python": [t.name for t in threading.enumerate()], "native": sorted(native - {"python", "python3"})}))
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
def parsed(answer, tmp_path_factory):
    """What parsing found: the use cases as they are, and one of them beside a broken one."""
    shipped, beside = ROOT / "include" / "use_cases", tmp_path_factory.mktemp("use_cases")
    shutil.copytree(shipped / "flight_delays", beside / "flight_delays")
    (beside / "broken").mkdir()
    (beside / "broken" / "spec.yaml").write_text("version: [")
    folders = {"shipped": str(shipped), "beside a broken one": str(beside)}
    return answer(PARSE, str(ROOT / "dags"), json.dumps(folders))


def test_every_use_case_has_a_dag_per_stage_and_none_is_broken(parsed):
    found = parsed["shipped"]
    assert found["errors"] == {}
    assert {"ingest", "features", "score", "train", "monitor", "retrain"} <= STAGES
    assert set(found["dags"]) == {f"{use_case}__{stage}" for use_case in USE_CASES for stage in STAGES}


@pytest.mark.parametrize("which", ["shipped", "beside a broken one"])
def test_parsing_the_dags_imports_no_library_that_tasks_work_with(parsed, which):
    assert "updraft_airflow" in parsed[which]["loaded"]
    assert set(HEAVY) & set(parsed[which]["loaded"]) == set()


def test_a_broken_use_case_leaves_the_dags_of_the_others_alone(parsed):
    found = parsed["beside a broken one"]
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


def test_airflow_knows_every_setting_of_an_installation(parsed):
    assert parsed["named"] > 10
    assert parsed["unknown"] == []
