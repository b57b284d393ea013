"""The DAGs, tasks and commands of Airflow that the pages name, held against those that are parsed."""

import json
import re
import subprocess
import sys

import pytest
from tests.contracts.pages import EXAMPLE, PAGES, ROOT, example, fenced_lines, prose, quoted, table

from updraft.local.environment import environment
from updraft.settings import Settings

PARSE = """
import json, sys
from airflow.cli.cli_parser import get_parser
from airflow.dag_processing.dagbag import DagBag
for line in json.loads(sys.argv[2]):
    get_parser().parse_args(line)
bag = DagBag(sys.argv[1])
print(json.dumps({name: sorted(dag.task_ids) for name, dag in bag.dags.items()}))
"""


@pytest.fixture(scope="module")
def dags(tmp_path_factory) -> dict[str, set[str]]:
    """Task ids by DAG id of a use case with all that is optional, and of a broken one; sources are `<source>`."""
    home = tmp_path_factory.mktemp("home")
    optional = "rollout: {approval: required, shadow: {partitions: 2}}\nalerts: {team: {to: email, connection: mail}}\n"
    written = example(home / "use_cases", rollout=optional, watch=True)
    (home / "use_cases" / "broken").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UPDRAFT_HOME", str(home))
        patch.setenv("UPDRAFT_USE_CASES", str(home / "use_cases"))
        variables = environment(Settings.from_env(), api_port=1, mlflow_port=1)
    airflow = [words[1:] for page in PAGES for words in fenced_lines(page) if words[0] == "airflow"]
    command = [sys.executable, "-c", PARSE, str(ROOT / "dags"), json.dumps(airflow)]
    variables |= {"AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins")}
    done = subprocess.run(command, env=variables, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    source = re.compile(rf"^({'|'.join(written.sources)})\.")
    return {dag: {source.sub("<source>.", task) for task in tasks} for dag, tasks in found.items()}


def test_the_table_of_dags_is_the_dags(dags):
    told = {quoted(row[0])[0]: set(quoted(row[2])) for row in table("docs/operations.md", "DAG")}
    assert told == {f"<use case>__{dag.split('__')[1]}": tasks for dag, tasks in dags.items() if EXAMPLE in dag}


def test_every_dag_and_every_task_that_is_named_exists(dags):
    stages = {dag.split("__")[1] for dag in dags}
    tasks = set().union(*dags.values())
    assert "read_spec" in tasks
    for page, text in PAGES.items():
        named = re.findall(r"(?<![\w.])(?:<use case>|[a-z][a-z0-9_]*[a-z0-9])__([a-z_]+)\b", text)
        assert set(named) <= stages, page
        assert set(re.findall(r"\b[Tt]asks? `([^`]+)`", prose(page))) <= tasks, page
