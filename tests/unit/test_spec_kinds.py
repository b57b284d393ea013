"""The sections of a source that belong to its kind."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from updraft import sources
from updraft.spec.kinds import KINDS, Http, Pages, Python
from updraft.spec.sources import Source

COMMON = {
    "key": ["id"],
    "event_time": "at",
    "known_at": {"delay": "1h"},
    "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
}
PATH = {"path": "f/{partition}.csv"}
SQL = {"sql": {"connection": "w", "query": "SELECT 1 WHERE :start < :end"}}
S3 = {"s3": {"connection": "w", "bucket": "flights"}}
HTTP = {"http": {"connection": "w", "path": "/orders"}}
PYTHON = {"python": {"call": "source.py:rows"}}


@pytest.mark.parametrize(
    ("kind", "said", "written"),
    [
        ("files", PATH, "csv"),
        ("files", {**PATH, "files": {"complete": "marker"}}, "csv"),
        ("s3", {**PATH, **S3, "format": "parquet"}, "parquet"),
        ("sql", SQL, "parquet"),
        ("http", HTTP, "jsonl"),
        ("http", {**HTTP, "format": "csv"}, "csv"),
        ("python", PYTHON, "parquet"),
        ("of_your_own", {}, "csv"),
    ],
)
def test_a_source_has_the_section_of_its_kind_and_a_format_that_fits(kind, said, written):
    assert Source.model_validate({**COMMON, "type": kind, **said}).format == written


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        ("sql", {}, "type 'sql' needs the section `sql`"),
        ("sql", {**SQL, **PATH}, "type 'sql' has no `path`"),
        ("sql", {**SQL, **S3}, "`s3` is for sources of that type, this one is of type 'sql'"),
        ("sql", {**SQL, "format": "csv"}, "gives parquet, not csv"),
        ("s3", S3, "type 's3' needs a `path`"),
        ("s3", PATH, "needs the section `s3`"),
        ("files", {}, "type 'files' needs a `path`"),
        ("files", {**PATH, **PYTHON}, "`python` is for sources of that type"),
        ("http", {**HTTP, "format": "parquet"}, "gives jsonl or csv, not parquet"),
        ("http", {"http": {**HTTP["http"], "rows": "data"}, "format": "csv"}, "name fields of JSON"),
        ("http", {"http": {**HTTP["http"], "pages": {"next": "n"}}, "format": "csv"}, "name fields of JSON"),
        ("of_your_own", PYTHON, "`python` is for sources of that type"),
    ],
)
def test_a_section_of_another_kind_is_refused(kind, said, reason):
    with pytest.raises(ValidationError, match=reason):
        Source.model_validate({**COMMON, "type": kind, **said})


@pytest.mark.parametrize("said", [{}, {"next": "a.b", "link": True}, {"link": False}, {"number": ""}, {"next": ".a"}])
def test_pages_follow_each_other_in_exactly_one_way(said):
    with pytest.raises(ValidationError):
        Pages.model_validate(said)


@pytest.mark.parametrize("said", [{"path": "orders"}, {"path": "/o?x=1"}, {"path": "/{day}"}, {"params": {"a": "{x}"}}])
def test_only_what_is_known_is_filled_into_an_address(said):
    with pytest.raises(ValidationError):
        Http.model_validate({"connection": "w", "path": "/o", **said})


@pytest.mark.parametrize("call", ["source.py", "../x.py:rows", "a/b.py:rows", "source.py:a.b", "source:rows", "S.py:r"])
def test_a_function_stands_in_a_file_beside_the_spec(call):
    with pytest.raises(ValidationError):
        Python.model_validate({"call": call})


def test_the_examples_in_the_docs_are_valid():
    page = (Path(__file__).parents[2] / "docs" / "use-cases.md").read_text(encoding="utf-8")
    examples = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(type: .*?)^```$", page, re.M | re.S)]
    assert {Source.model_validate({**COMMON, **example}).type for example in examples} == set(KINDS)


def test_every_kind_has_its_section():
    assert set(KINDS) == set(sources.kinds())
