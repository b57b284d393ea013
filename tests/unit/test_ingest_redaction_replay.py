"""Personal data that is quarantined, repaired and replayed: published once, and spoken of nowhere on the way."""

import gzip
import io
import json
import logging
import math
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.canaries import AT, COLUMNS, DAY, LINES, PLANTED, body, case, deliver, spoken, stored

from updraft import ingest
from updraft.errors import DeliveryBlocked
from updraft.ingest import redaction
from updraft.ingest.account import account
from updraft.ingest.held import held, shown
from updraft.ingest.replay import discard, replay

ROWS = ["good", "other", "range", "type"]
WIDER = {**COLUMNS["x"], "range": [0, 100]}


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(redaction.VARIABLE, raising=False)
    caplog.set_level(logging.DEBUG)


class Told:
    """Everything that was said or written, and where a planted value stands in it."""

    def __init__(self, lake, tmp_path, caplog, capfd):
        self._lake, self._home, self._caplog, self._capfd = lake, tmp_path / "home", caplog, capfd
        self._said = ""

    def say(self, *values):
        self._said += " ".join(map(str, values))

    def places(self):
        self._said += self._caplog.text + "".join(self._capfd.readouterr())
        home = [file for file in Path(self._home).rglob("*") if file.is_file()]
        texts = [*stored(self._lake), *((file.name, file.read_bytes().decode("latin-1")) for file in home)]
        return sorted({name for name, text in [*texts, ("said", self._said)] if any(v in text for v in PLANTED)})


@pytest.fixture
def told(lake, tmp_path, caplog, capfd):
    return Told(lake, tmp_path, caplog, capfd)


def stage(told, lake, inbox, declared):
    try:
        told.say(ingest.stage(declared, "feed", [DAY], lake, inbox).summary())
    except DeliveryBlocked as error:
        told.say(spoken(error))
    look(told, lake, declared)


def look(told, lake, declared):
    """What the command line and the form show of rows that are held."""
    told.say(*(one for one in held(declared, "feed", lake)), *account(declared, "feed", [DAY], lake))
    told.say(*(shown(declared, "feed", DAY, lake, rows=100) for _ in held(declared, "feed", lake)[:1]))


def again(told, lake, declared):
    done = replay(declared, "feed", [DAY], lake, who="test")
    told.say(done)
    look(told, lake, declared)
    return done


def counts(lake, declared):
    (*before, last) = account(declared, "feed", [DAY], lake)
    assert all(one.adds_up for one in [*before, last])
    return last.published, last.held, last.discarded


def published(lake):
    rows = lake.read("raw/fuzz/feed")
    return sorted(rows["x"].to_pylist())


def packed(form):
    """A good row with personal data, one that is too large for the contract, and one that cannot be read."""
    born, tax, unread = "1901-02-03T00:00:00Z", 77001177, math.inf if form == "parquet" else "abc"
    rows = [
        {"id": name, "at": AT, "tax": tax, "name": "Canary Mustermann", "born": born, "x": x}
        for name, x in (("ann-canary", 1), ("bob", 2), ("ann-canary-2", 99), ("ann-canary-3", unread))
    ]
    if form == "jsonl":
        return "\n".join(map(json.dumps, rows)).encode()
    if form == "csv":
        return "\n".join([",".join(COLUMNS), *(",".join(str(row[n]) for n in COLUMNS) for row in rows)]).encode()
    moments = {name: datetime.fromisoformat(rows[0][name]) for name in ("at", "born")}
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{**row, **moments, "x": float(row["x"])} for row in rows]), sink)
    return sink.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "csv.gz"])
def test_a_row_is_published_once_after_the_contract_was_repaired_and_its_personal_data_nowhere(
    form, told, lake, tmp_path
):
    plain = form.removesuffix(".gz")
    strict, wider = case(plain), case(plain, x=WIDER)
    inbox = deliver(tmp_path, gzip.compress(packed(plain)) if form != plain else packed(plain), form)
    stage(told, lake, inbox, strict)
    assert counts(lake, strict) == (2, 2, 0)
    for file in inbox.rglob(f"{DAY}*"):
        file.unlink()  # what is replayed comes from the copy in the lake
    assert again(told, lake, wider).released == 1
    second = again(told, lake, wider)
    assert (second.released, second.withdrawn) == (0, 0)
    assert (counts(lake, wider), published(lake)) == ((3, 1, 0), [1, 2, 99])
    assert told.places() == []


def test_a_rule_about_personal_columns_is_broken_told_and_repaired_without_their_values(told, lake, tmp_path):
    nameless = ["ann-canary-9", AT, "77001177", "", "1901-02-03T00:00:00Z", "4", "z"]
    inbox = deliver(tmp_path, body("csv", ["good", "other", "twice"]) + b"\n" + ",".join(nameless).encode())
    strict = case(name={**COLUMNS["name"], "nullable": False})
    stage(told, lake, inbox, strict)
    assert sorted(lake.read("quarantine/fuzz/feed")["rule"].to_pylist()) == ["not_null", "unique"]
    assert (counts(lake, strict), again(told, lake, case()).released) == ((2, 2, 0), 1)
    assert (counts(lake, case()), published(lake)) == ((3, 1, 0), [1, 2, 4])
    assert told.places() == []


def test_a_row_that_the_sender_repairs_takes_the_place_of_the_quarantined_one(told, lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good", "other", "personal type", "ragged"]))
    stage(told, lake, inbox, case())
    assert counts(lake, case()) == (2, 2, 0)
    mended = (
        [*LINES["good"], "z"],
        ["ann-canary-4", AT, "77001177", "Canary Mustermann", "1901-02-03T00:00:00Z", "3", "z"],
    )
    deliver(tmp_path, "\n".join(map(",".join, [[*COLUMNS, "extra"], *mended])).encode())
    stage(told, lake, inbox, case())
    again(told, lake, case())
    assert told.places() == []
    newest = lake.read("raw/fuzz/feed").sort_by("known_at").to_pylist()[-2:]
    assert sorted(row["x"] for row in newest) == [1, 3]
    assert len({row["tax"] for row in newest}) == 1  # equal values still meet


def test_a_row_that_is_discarded_leaves_nothing_either(told, lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ROWS))
    stage(told, lake, inbox, case())
    told.say(discard(case(), "feed", [DAY], lake, who="test", why="broken sensor"))
    look(told, lake, case())
    assert counts(lake, case()) == (2, 0, 2)
    assert told.places() == []


def test_a_value_that_is_not_marked_is_found_by_the_same_search(told, lake, tmp_path):
    plain = {name: {k: v for k, v in column.items() if k != "personal"} for name, column in COLUMNS.items()}
    inbox = deliver(tmp_path, body("csv", ROWS))
    stage(told, lake, inbox, case(**plain))
    assert "said" in told.places()
    assert len(told.places()) > 3
