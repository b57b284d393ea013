"""Personal data: what the spec marks is nowhere after landing, and equal values still meet."""

import gzip
import hmac
import io
import json
import logging
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.canaries import COLUMNS, DAY, LINES, PLANTED, body, case, deliver, spoken, stored
from tests.fuzz.case import AT, source

from updraft import ingest
from updraft.errors import DeliveryBlocked, DeliveryRefused, Permanent, SpecInvalid, ValidationBroken
from updraft.ingest import redaction
from updraft.lake import Lake
from updraft.sources.decode import decode, finished, personal
from updraft.spec.sources import Source

KEY = b"k" * 32
OUTCOMES = {
    "accepted": ["good", "other"],
    "quarantined": ["good", "other", "other", *[w for w in LINES if w not in ("good", "other")]],
    "blocked": [*LINES],
    "refused": ["headless", "good", "other"],
}


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(redaction.VARIABLE, raising=False)


@pytest.mark.slow
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "csv.gz"])
def test_a_marked_value_is_nowhere_after_landing(form, outcome, lake, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    data = body(form.removesuffix(".gz"), OUTCOMES[outcome])
    inbox = deliver(tmp_path, gzip.compress(data) if form.endswith(".gz") else data, form)
    declared = case(form.removesuffix(".gz"), 0.3 if outcome == "blocked" else 0.95, at={"type": "timestamp"})
    said = ""
    try:
        said = str(ingest.stage(declared, "feed", [DAY], lake, inbox).summary())
        said += str(ingest.validate(declared, "feed", [DAY], lake).summary())
    except (DeliveryRefused, DeliveryBlocked) as error:
        said = spoken(error)
        assert outcome in ("blocked", "refused") or form == "parquet"
    said += caplog.text + "".join(capfd.readouterr())
    for value in PLANTED:
        assert value not in said
        assert [name for name, text in stored(lake) if value in text] == []
    assert outcome == "refused" or list(stored(lake))


def test_rows_are_hashed_masked_and_dropped(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good", "other"]))
    ingest.stage(case(), "feed", [DAY], lake, inbox)
    rows = lake.read("raw/fuzz/feed")
    assert "born" not in rows.column_names
    assert sorted(rows["name"].to_pylist()) == ["Xx", "Xx Xx"]
    assert {len(text) for text in rows["id"].to_pylist() + rows["tax"].to_pylist()} == {64}


def test_what_was_staged_is_validated_and_published_again_to_the_same_rows(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", OUTCOMES["quarantined"]))
    declared = case()
    ingest.land(declared, "feed", [DAY], lake, inbox)
    first = ingest.validate(declared, "feed", [DAY], lake)
    published = ingest.publish(declared, "feed", [DAY], lake)
    assert {name: first.verdicts[0].summary[name] for name in ("rows", "bad")} == {"rows": 8, "bad": 6}
    assert (published.rows, published.quarantined) == (2, 6)
    reasons = dict(zip(*(lake.read("quarantine/fuzz/feed")[n].to_pylist() for n in ("row", "reason")), strict=True))
    assert reasons[4].startswith("x: 99")
    assert reasons[5] == "x: is not a finite number; a missing one is an empty field"
    assert reasons[6] == "tax: is not an integer"
    assert reasons[8] == "has 4 fields, the header has 7"


def test_a_delivery_is_known_by_the_hash_of_its_bytes_as_they_came(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good"]))
    (first,) = ingest.land(case(), "feed", [DAY], lake, inbox).deliveries
    again = ingest.land(case(), "feed", [DAY], lake, inbox)
    assert again.new == 0
    assert again.deliveries == (first,)
    assert lake.keys("staging/fuzz/feed") == [f"staging/fuzz/feed/{first.identity}-{first.redacted[:16]}.parquet"]


def test_a_copy_that_was_changed_is_not_valid(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good"]))
    ingest.land(case(), "feed", [DAY], lake, inbox)
    lake.put(lake.keys("staging/fuzz/feed")[0], b"x")
    with pytest.raises(ValidationBroken, match="are not those that landed"):
        ingest.validate(case(), "feed", [DAY], lake)


def test_a_copy_lacks_what_the_spec_did_not_declare_and_says_so(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good"]))
    ingest.land(case(), "feed", [DAY], lake, inbox)
    with pytest.raises(DeliveryRefused, match="Its staged copy has no extra"):
        ingest.validate(case(extra={"type": "string"}), "feed", [DAY], lake)


def test_a_column_marked_later_is_hidden_when_old_bytes_are_read_again(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good"]))
    plain = case(**{name: {k: v for k, v in column.items() if k != "personal"} for name, column in COLUMNS.items()})
    ingest.stage(plain, "feed", [DAY], lake, inbox)
    marked = {"tax": {"type": "integer"}, "born": {"type": "timestamp"}}
    ingest.stage(case(**marked), "feed", [DAY], lake, inbox)
    assert lake.read("raw/fuzz/feed", columns=["name"])["name"].to_pylist() == ["Xx Xx"]


def test_a_number_that_was_published_cannot_become_a_hash(lake, tmp_path):
    inbox = deliver(tmp_path, body("csv", ["good"]))
    ingest.stage(case(tax={"type": "integer"}), "feed", [DAY], lake, inbox)
    with pytest.raises(SpecInvalid, match="but its rows in the lake are integer"):
        ingest.stage(case(), "feed", [DAY], lake, inbox)


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_equal_values_have_equal_hashes_in_every_format(form):
    declared = Source.model_validate(source(format=form, v={"type": "integer", "personal": "hash"}))
    row = {"id": 1, "at": AT, "x": 1.0, "ok": True, "s": "a", "v": 7}
    table = pa.Table.from_pylist([row]).set_column(1, "at", pa.array([None], pa.timestamp("us", "UTC")))
    sink = io.BytesIO()
    pq.write_table(table, sink)
    data = {"csv": b"id,at,x,ok,s,v\n1,,,,,007.0", "jsonl": json.dumps(row).encode(), "parquet": sink.getvalue()}
    (carried,) = personal.treated(io.BytesIO(data[form]), declared, KEY)
    assert carried.columns["v"].to_pylist() == [hmac.new(KEY, b"7", "sha256").hexdigest()]


def test_what_is_packed_is_unpacked_the_same():
    declared = Source.model_validate(source(columns=COLUMNS))
    file, stored = io.BytesIO(body("csv", OUTCOMES["quarantined"])), declared.stored()
    copy = personal.packed(personal.treated(file, declared, KEY), declared.caps)
    one = finished(lambda: personal.treated(file, declared, KEY), stored)
    other = finished(lambda: personal.unpacked(copy, stored), stored)
    assert one.rows == other.rows
    assert (one.bad, one.header) == (other.bad, other.header)
    assert one.original(list(one.bad)) == other.original(list(other.bad))


def test_a_source_without_personal_data_is_read_as_ever():
    declared = Source.model_validate(source())
    assert decode(b"id,at,x,ok,s\n", declared).count == 0
    assert declared.stored() is declared


class TestKey:
    def test_an_installation_on_one_machine_makes_its_own_once_for_its_owner_alone(self, lake, tmp_path):
        inbox = deliver(tmp_path, body("csv", ["good"]))
        ingest.land(case(), "feed", [DAY], lake, inbox)
        file = tmp_path / "home" / "secrets" / "personal_key"
        first = file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(first) == 64
        deliver(tmp_path, body("csv", ["other"]))
        ingest.land(case(), "feed", [DAY], lake, inbox)
        assert file.read_bytes() == first
        assert [f.name for f in file.parent.iterdir()] == ["personal_key"]

    def test_elsewhere_it_must_be_given(self):
        with pytest.raises(Permanent, match="set UPDRAFT_PERSONAL_KEY to the same secret on every worker"):
            redaction._own(Lake("s3://bucket/lake"))

    def test_a_short_one_is_refused(self, lake, tmp_path, monkeypatch):
        monkeypatch.setenv(redaction.VARIABLE, "secret")
        inbox = deliver(tmp_path, body("csv", ["good"]))
        with pytest.raises(Permanent, match="has 6 bytes, fewer than 16"):
            ingest.land(case(), "feed", [DAY], lake, inbox)

    def test_another_one_than_the_lake_was_begun_with_is_refused(self, lake, tmp_path, monkeypatch):
        inbox = deliver(tmp_path, body("csv", ["good"]))
        ingest.land(case(), "feed", [DAY], lake, inbox)
        deliver(tmp_path, body("csv", ["other"]))
        monkeypatch.setenv(redaction.VARIABLE, "z" * 32)
        with pytest.raises(Permanent, match=r"is not the one that .*personal/key was made with"):
            ingest.land(case(), "feed", [DAY], lake, inbox)
        assert "z" * 32 not in json.dumps([text for _, text in stored(lake)])
