"""Files: what is there, what is not there yet, and what must never be read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inbox import put

from updraft import sources
from updraft.errors import DeliveryMissing, DeliveryRefused, PartitionInvalid, SpecInvalid
from updraft.sources import Found
from updraft.spec.sources import Source

DAY = "2013-04-01"


def source(path="flights/{partition}.csv", **changes):
    declared = {
        "type": "files",
        "path": path,
        "key": ["id"],
        "event_time": "at",
        "known_at": {"delay": "1h"},
        "columns": {"id": {"type": "integer"}, "at": {"type": "timestamp"}},
    }
    return Source.model_validate({**declared, **changes})


def drop(inbox: Path, name: str, content: bytes = b"id,at\n", *, age: float = 60) -> Path:
    return put(inbox / name, content, age=age)


def origins(declared: Source, inbox: Path) -> list[str]:
    return [found.origin for found in sources.find(declared, [DAY], inbox)]


@pytest.mark.parametrize(
    ("template", "names", "there"),
    [
        pytest.param("f/{partition}.csv", ["f/2013-04-01.csv"], ["f/2013-04-01.csv"], id="its own name"),
        pytest.param("f/{partition}.csv", ["f/2013-04-01.csv.gz"], ["f/2013-04-01.csv.gz"], id="gzipped"),
        pytest.param("f/{partition}.csv", ["f/2013-04-01.csv.zst"], ["f/2013-04-01.csv.zst"], id="zstd"),
        pytest.param("f/{partition}/**/*.csv", ["f/2013-04-01/a.csv", "f/2013-04-01/x/b.csv", "f/2013-04-02/c.csv"],
                     ["f/2013-04-01/a.csv", "f/2013-04-01/x/b.csv"], id="at any depth"),
        pytest.param("f/{partition}.csv", ["f/2013-04-02.csv", "g/2013-04-01.csv"], [], id="another day or folder"),
        pytest.param("f/{partition}*.csv", ["f/2013-04-01-b.csv", "f/2013-04-01-a.csv"],
                     ["f/2013-04-01-a.csv", "f/2013-04-01-b.csv"], id="several, by name"),
        pytest.param("f/{partition}*", ["f/2013-04-01.csv.tmp", "f/2013-04-01.csv.part"], [], id="unfinished by name"),
        pytest.param("f/{partition}/*", ["f/2013-04-01/.hidden.csv", "f/2013-04-01/_SUCCESS"], [], id="hidden, marker"),
        pytest.param("f/*{partition}.csv", ["f/.x2013-04-01.csv"], [], id="hidden by a glob"),
        pytest.param("f/{partition}", ["f/2013-04-01/x.csv"], [], id="a folder is no file"),
    ],
)  # fmt: skip
def test_a_delivery_is_a_finished_file_whose_name_fits(tmp_path, template, names, there):
    for name in names:
        drop(tmp_path, name)
    assert origins(source(template), tmp_path) == there


def test_no_gzip_is_looked_for_beside_parquet(tmp_path):
    drop(tmp_path, "f/2013-04-01.parquet.gz")
    assert origins(source("f/{partition}.parquet", format="parquet"), tmp_path) == []


def test_missing_names_the_partitions_without_a_file(tmp_path):
    drop(tmp_path, "flights/2013-04-01.csv")
    assert sources.missing(source(), [DAY, "2013-04-02"], tmp_path) == ["2013-04-02"]
    assert sources.missing(source(), [DAY], tmp_path / "no such inbox") == [DAY]


@contextmanager
def growing(path: Path) -> Iterator[None]:
    """Let a file grow all the while."""
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.001):
            with path.open("ab") as file:
                file.write(b"1,2013-04-01T00:00:00Z\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize(
    ("complete", "marked", "there"),
    [
        pytest.param("settled", False, False, id="it changes between two looks"),
        pytest.param("settled", True, True, id="a marker says it is whole"),
        pytest.param("marker", False, False, id="the marker it needs is not there"),
        pytest.param("marker", True, True, id="the marker is there"),
        pytest.param("atomic", False, True, id="whoever writes is said to rename"),
    ],
)
def test_a_file_is_whole_as_the_spec_says(tmp_path, complete, marked, there):
    path = drop(tmp_path, "flights/2013-04-01.csv", age=0)
    if marked:
        (path.parent / "_SUCCESS").touch()
    with growing(path):
        found = origins(source(files={"complete": complete}), tmp_path)
    assert found == (["flights/2013-04-01.csv"] if there else [])


def test_an_old_file_without_its_marker_is_not_there_yet(tmp_path):
    drop(tmp_path, "flights/2013-04-01.csv")
    assert origins(source(files={"complete": "marker"}), tmp_path) == []


def test_fetch_returns_the_bytes_as_they_are(tmp_path):
    drop(tmp_path, "flights/2013-04-01.csv.gz", b"\x1f\x8b\x00anything")
    (found,) = sources.find(source(), [DAY], tmp_path)
    assert sources.fetch(source(), found, tmp_path).read() == b"\x1f\x8b\x00anything"


def test_fetch_refuses_more_bytes_than_the_spec_allows(tmp_path):
    drop(tmp_path, "flights/2013-04-01.csv", b"x" * 11)
    with pytest.raises(DeliveryRefused, match=r"11 bytes, the spec allows 10.*raise `caps.bytes`"):
        sources.fetch(source(caps={"bytes": 10}), Found(DAY, "flights/2013-04-01.csv"), tmp_path)


def test_a_file_that_is_gone_is_missing(tmp_path):
    with pytest.raises(DeliveryMissing, match="cannot be read now"):
        sources.fetch(source(), Found(DAY, "flights/2013-04-01.csv"), tmp_path)


def test_a_link_out_of_the_inbox_is_refused(tmp_path):
    secret = drop(tmp_path, "secret.csv")
    inbox = tmp_path / "inbox"
    (inbox / "flights").mkdir(parents=True)
    (inbox / "flights/2013-04-01.csv").symlink_to(secret)
    with pytest.raises(DeliveryRefused, match="leads out of the folder"):
        sources.find(source(), [DAY], inbox)
    with pytest.raises(DeliveryRefused, match="leads out of the folder"):
        sources.fetch(source(), Found(DAY, "../secret.csv"), inbox)


def test_a_folder_may_be_named_by_its_url_and_needs_no_inbox(tmp_path):
    drop(tmp_path, "out/flights/2013-04-01/a.csv", b"id,at\n")
    declared = source(f"file://{tmp_path}/out/flights/{{partition}}/*.csv")
    (found,) = sources.find(declared, [DAY], None)
    assert found.origin == f"file://{tmp_path}/out/flights/2013-04-01/a.csv"
    assert sources.fetch(declared, found, None).read() == b"id,at\n"
    assert sources.missing(declared, [DAY, "2013-04-02"], None) == ["2013-04-02"]


@pytest.mark.parametrize(("complete", "there"), [("settled", 0), ("marker", 0), ("atomic", 1)])
def test_a_file_at_a_url_is_whole_as_one_in_the_inbox_is(tmp_path, complete, there):
    path = drop(tmp_path, "2013-04-01.csv", age=0)
    declared = source(f"file://{tmp_path}/{{partition}}.csv", files={"complete": complete})
    with growing(path):
        assert len(sources.find(declared, [DAY], None)) == there


@pytest.mark.parametrize("origin", ["{folder}/in/../secret.csv", "../secret.csv", "/etc/passwd", "{folder}/secret.csv"])
def test_nothing_outside_the_folder_of_a_url_is_read(tmp_path, origin):
    secret = drop(tmp_path, "secret.csv", b"secret")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/2013-04-01.csv").symlink_to(secret)
    declared = source(f"file://{tmp_path}/in/{{partition}}.csv")
    with pytest.raises(DeliveryRefused, match="leads out of the folder"):
        sources.find(declared, [DAY], None)
    with pytest.raises((DeliveryRefused, DeliveryMissing)):
        sources.fetch(declared, Found(DAY, origin.format(folder=f"file://{tmp_path}")), None)


@pytest.mark.parametrize("target", ["2013-04-01.csv", "nothing"])
def test_a_link_to_itself_or_to_nothing_is_not_there(tmp_path, target):
    (tmp_path / "flights").mkdir()
    (tmp_path / "flights/2013-04-01.csv").symlink_to(target)
    assert origins(source(), tmp_path) == []


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "*", "2013-04-0[1-9]", "a b", "", "x" * 4000, "\uff12013"])
def test_a_partition_that_is_no_key_never_becomes_a_path(tmp_path, key):
    drop(tmp_path, "secret.csv")
    with pytest.raises(PartitionInvalid):
        sources.find(source(), [key], tmp_path / "inbox")


@settings(derandomize=True, max_examples=60, deadline=None)
@given(key=st.text(max_size=12), name=st.text(max_size=12))
def test_whatever_is_found_lies_inside_the_inbox(tmp_path_factory, key, name):
    inbox = tmp_path_factory.mktemp("world") / "inbox"
    drop(inbox.parent, "2013-04-01.csv")
    drop(inbox, "flights/2013-04-01.csv")
    try:
        found = sources.find(source(), [key], inbox)
        sources.fetch(source(), Found(DAY, name), inbox)
    except (PartitionInvalid, DeliveryRefused, DeliveryMissing, ValueError):
        return
    assert all((inbox / each.origin).resolve().is_relative_to(inbox.resolve()) for each in found)


def test_an_unknown_type_names_the_nearest_one():
    with pytest.raises(SpecInvalid, match="did you mean 'files'"):
        sources.find(source(type="file"), [DAY], Path("."))
