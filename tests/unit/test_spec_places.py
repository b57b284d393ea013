"""URLs in a source's path: which are understood, and which are refused and why."""

import pytest
from pydantic import ValidationError

from updraft.spec.places import place
from updraft.spec.sources import Source

SOURCE = {
    "type": "files",
    "key": ["id"],
    "event_time": "at",
    "known_at": {"column": "at"},
    "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
}


@pytest.mark.parametrize(
    ("path", "root", "below", "url"),
    [
        ("in/{partition}.csv", "", "in/{partition}.csv", ""),
        ("s3://my.bucket/in/{partition}/*.csv", "s3://my.bucket", "in/{partition}/*.csv", "s3://my.bucket/"),
        ("gs://bucket_1/{partition}.csv", "gs://bucket_1", "{partition}.csv", "gs://bucket_1/"),
        ("az://box/{partition}", "az://box", "{partition}", "az://box/"),
        ("abfss://box@acct.dfs.core.windows.net/a/{partition}", "abfss://box@acct.dfs.core.windows.net",
         "a/{partition}", "abfss://box@acct.dfs.core.windows.net/"),
        ("file:///srv/in/{partition}.csv", "/srv/in", "{partition}.csv", "file:///srv/in/"),
        ("file:///srv/*/in/{partition}.csv", "/srv", "*/in/{partition}.csv", "file:///srv/"),
        ("file:///{partition}.csv", "/", "{partition}.csv", "file:///"),
    ],
)  # fmt: skip
def test_a_path_is_taken_apart(path, root, below, url):
    there = place(path)
    assert (there.root, there.below, there.url) == (root, below, url)
    Source.model_validate({**SOURCE, "path": path})


@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        ("ftp://host/{partition}", {}, "knows no scheme 'ftp'"),
        ("s4://bucket/{partition}", {}, "'s4'; known: abfs"),
        ("file://srv/{partition}", {}, "three slashes"),
        ("s3:///{partition}", {}, "must be s3://BUCKET/NAME"),
        ("s3://{partition}/x", {}, "must be s3://BUCKET/NAME"),
        ("s3://key:canary@bucket/{partition}", {}, "with no keys"),
        ("abfss://box@evil.example/{partition}", {}, "with no keys"),
        ("s3://bucket/all.csv", {}, "contain {partition}"),
        ("s3://bucket/../{partition}", {}, "stay inside it"),
        ("file:///srv/{partition}/../../etc", {}, "stay inside it"),
        ("s3://bucket/a//{partition}", {}, "an empty part"),
        ("s3://bucket/a/{partition}/", {}, "an empty part"),
        ("in/{partition}", {"files": {"connection": "store"}}, "`files.connection` is for a `path` in an object store"),
        ("file:///in/{partition}", {"files": {"connection": "store"}}, "`files.connection` is for"),
        ("s3://bucket/{partition}", {"files": {"watch": True}}, "`files.watch` is for the inbox"),
        ("s3://bucket/{partition}", {"type": "s3", "s3": {"connection": "c", "bucket": "bucket"}},
         "is for type 'files'"),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_refused_and_says_why(path, more, said):
    with pytest.raises(ValidationError) as refused:
        Source.model_validate({**SOURCE, "path": path, **more})
    told = " ".join(error["msg"] for error in refused.value.errors())
    assert said in told
    assert "canary" not in told


@pytest.mark.parametrize(
    ("path", "told"),
    [("in/{partition}.csv", ""), *[(url, url) for url in ("file:///in/{partition}.csv", "gs://b1b/{partition}")]],
)  # fmt: skip
def test_it_says_where_deliveries_are_looked_for(path, told):
    assert Source.model_validate({**SOURCE, "path": path}).looked_in == told


def test_of_other_kinds_the_type_says_it():
    asked = {"connection": "c", "query": "SELECT * FROM t WHERE at >= :start AND at < :end"}
    source = Source.model_validate({**SOURCE, "type": "sql", "format": "parquet", "sql": asked})
    assert source.looked_in == "its sql source"
