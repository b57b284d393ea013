"""Use cases become DAGs by standing in a folder; what is wrong with one is its own trouble."""

import shutil
from pathlib import Path

import pytest
from tests.plugins import tiny
from tests.plugins.running import Run, parse

from updraft_airflow import declared

STAGES = ("drill", "features", "ingest", "monitor", "quarantine", "retrain", "rollback", "score", "sweep", "train")


@pytest.fixture
def folder(tmp_path):
    """A folder with `tiny`, a copy of it under another name, and what a test adds."""
    for name in ("tiny", "other"):
        shutil.copytree(tiny.USE_CASES / "tiny", tmp_path / name)
    say(tmp_path / "other", "name: tiny", "name: other")
    return tmp_path


def say(own: Path, before: str, after: str) -> None:
    spec = own / "spec.yaml"
    assert before in spec.read_text(encoding="utf-8")
    spec.write_text(spec.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")


def ids(*use_cases):
    return {f"{use_case}__{stage}" for use_case in use_cases for stage in STAGES}


def test_a_new_folder_is_a_new_dag_per_stage(folder):
    assert set(parse(folder)) == ids("tiny", "other")


def test_a_folder_that_is_put_aside_is_none(folder):
    (folder / "other").rename(folder / "_other")
    assert set(parse(folder)) == ids("tiny")


def test_a_broken_spec_keeps_its_dags_and_each_fails_with_what_is_wrong(folder):
    say(folder / "other", "families:", "familys:")
    dags = parse(folder)
    assert set(dags) == ids("tiny", "other")
    for stage in STAGES:
        dag = dags[f"other__{stage}"]
        assert ([task.task_id for task in dag.tasks], dag.timetable.can_be_scheduled) == (["read_spec"], False)
        assert "broken" in dag.tags
        assert "did you mean 'families'?" in dag.doc_md
    ended = Run(dags["other__score"]).task("read_spec")
    assert ended.state == "failed"
    assert "other/spec.yaml:" in str(ended.error)
    assert "did you mean 'families'?" in str(ended.error)


def test_a_broken_spec_leaves_the_others_as_they_are(folder):
    whole = {dag_id: dag.task_ids for dag_id, dag in parse(folder).items() if dag_id in ids("tiny")}
    (folder / "other" / "spec.yaml").write_text("version: [", encoding="utf-8")
    assert {dag_id: dag.task_ids for dag_id, dag in parse(folder).items() if dag_id in ids("tiny")} == whole


@pytest.mark.parametrize("name", ["tiny copy", "Tiny", "tiny ü", "t" * 250, "a'b\"c{{ 1 }}"])
def test_a_folder_whose_name_is_no_name_leaves_the_others_alone_and_takes_no_id_of_theirs(folder, name):
    shutil.copytree(folder / "tiny", folder / name)
    dags = parse(folder)
    assert ids("tiny", "other") <= set(dags)
    assert all("read_spec" not in dags[dag_id].task_dict for dag_id in ids("tiny", "other"))
    [stranger] = {dag_id.rpartition("__")[0] for dag_id in set(dags) - ids("tiny", "other")}
    assert Run(dags[f"{stranger}__score"]).task("read_spec").state == "failed"


def test_a_task_s_process_builds_the_one_dag_it_was_started_for(folder, monkeypatch):
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "other__score")
    assert set(parse(folder)) == {"other__score"}


def test_nothing_is_built_for_a_dag_that_is_not_wanted(folder, monkeypatch):
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(folder))
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "other__score")
    built = declared.dags("score", lambda case: case.name)
    assert built == {"other__score": "other"}
    assert declared.dags("train", lambda case: case.name) == {}


def test_an_empty_folder_has_no_dags(tmp_path):
    assert parse(tmp_path) == {}
