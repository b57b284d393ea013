import random
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import flights

from updraft import features
from updraft.asof import raw_schema, raw_table
from updraft.errors import FeaturesInvalid, SpecInvalid
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import digest

pytestmark = pytest.mark.slow

CASE = flights.case()
DATES = calendar(CASE)

# ---- what is not known yet cannot matter -------------------------------------------------------------------------


@cache
def history():
    return flights.raw_rows(CASE)


def written(folder, which, day, rows):
    """Digest of a partition built from raw rows, and the bytes of every Parquet file that was written for it."""
    lake = Lake(folder)
    flights.write(CASE, lake, rows)
    (features.build if which == "features" else features.build_labels)(CASE, [day.key], lake)
    table = features.table(CASE, which)
    files = sorted((Path(folder) / table / f"partition={day.key}").glob("*.parquet"))
    assert len(files) == 1
    return digest(lake.read(table, [day.key])), pq.read_table(files[0], partitioning=None), files[0].read_bytes()


@cache
def as_it_was(which, day):
    with TemporaryDirectory() as folder:
        return written(folder, which, day, history())


def moment(which, day):
    return day.as_of if which == "features" else DATES.matures_at(day)


def rewritten(rows, after, draw):
    """Raw rows in which everything known after a moment was dropped, scrambled or made up; the rest as it was."""
    changed = {}
    for source, found in rows.items():
        before, later = [r for r in found if r["known_at"] <= after], [r for r in found if r["known_at"] > after]
        kept = [scrambled(source, r, draw) for r in later if draw.random() < 0.6]
        made = [made_up(source, draw.choice(found), after, draw) for _ in range(draw.randrange(1, 40))]
        changed[source] = draw.sample([*before, *kept, *made], len(before) + len(kept) + len(made))
    return changed


def scrambled(source, row, draw):
    """Another value in every column that is neither key nor stamp."""
    fixed = {*CASE.sources[source].key, "event_time", "known_at", "delivery", "row", "partition", "scheduled_departure"}
    values = {"origin": "EWR", "dest": "ZZZ", "carrier": "ZZ"}
    return {
        name: value if name in fixed or "_at" in name else values.get(name, draw.randrange(1, 2000))
        for name, value in row.items()
    }


def made_up(source, row, after, draw):
    """A new version of any row, or of a fact nobody heard of, known a microsecond or days after the moment."""
    known = after + draw.choice((timedelta(microseconds=1), timedelta(hours=draw.randrange(1, 200))))
    earliest = DATES.last_visible(after)  # a delivery that was open at the moment may bring it, and so may any later
    late = DATES.step(DATES.last_visible(known), draw.randrange(0, 3))
    stranger = {"flight_id": f"ZZ{draw.randrange(10**6)}"} if source != "weather" and draw.random() < 0.5 else {}
    origin = {"partition": draw.choice((earliest, late)).key, "delivery": f"new-{draw.random()}", "row": 1}
    return {**scrambled(source, row, draw), **stranger, **origin, "known_at": known}


@pytest.mark.parametrize("which", ["features", "label"])
@given(day=st.sampled_from(["2013-03-06", "2013-03-10", "2013-03-11", "2013-03-13"]), seed=st.integers(0, 10**6))
@settings(max_examples=8)
def test_whatever_becomes_known_later_leaves_every_bit_as_it_is(which, day, seed):
    """The promise of a bitemporal lake: a partition does not depend on anything known after its moment."""
    day = DATES.at(day)
    expected, rows, content = as_it_was(which, day)
    with TemporaryDirectory() as folder:
        changed = rewritten(history(), moment(which, day), random.Random(seed))
        found, found_rows, found_content = written(folder, which, day, changed)
    assert found_rows.equals(rows, check_metadata=True), "the rows as written, in their order"
    assert found == expected
    assert found_content == content


@pytest.mark.parametrize("which", ["features", "label"])
def test_whatever_was_known_in_time_does_matter(which, tmp_path):
    """Else the promise above would be kept by a query that reads nothing."""
    day = DATES.at("2013-03-11")
    limit = moment(which, day)
    for number, source in enumerate(["outcomes", *(["schedule", "weather"] if which == "features" else [])]):
        rows = {name: list(found) for name, found in history().items()}
        known = [
            r
            for r in rows[source]
            if r["known_at"] <= limit and (source != "weather" or r["known_at"] > limit - timedelta(hours=4))
        ]
        about = [r for r in known if source == "weather" or day.start - timedelta(days=2) <= r["event_time"] < day.end]
        rows[source] = [scrambled(source, r, random.Random(1)) if r in about else r for r in rows[source]]
        assert written(str(tmp_path / f"{number}"), which, day, rows)[0] != as_it_was(which, day)[0], source


def test_a_backfill_gives_what_would_have_been_computed_then(tmp_path):
    """Day by day, each built when its delivery came in, against all at once at the end, newest first."""
    then, later = Lake(str(tmp_path / "then")), Lake(str(tmp_path / "later"))
    keys = DATES.keys("2013-03-08", "2013-03-12")
    for key in keys:
        flights.write(CASE, then, {s: [r for r in rows if r["partition"] <= key] for s, rows in history().items()})
        features.build(CASE, [key], then)
    flights.write(CASE, later, history())
    features.build(CASE, keys[::-1], later)
    assert digest(then.read(features.table(CASE))) == digest(later.read(features.table(CASE)))


@pytest.mark.parametrize(
    ("last", "together"),
    [
        pytest.param("2013-03-08", 3, id="eight days, three at a time"),
        pytest.param("2013-05-04", features.TOGETHER, id="as many as there are at a time", marks=pytest.mark.deep),
    ],
)
def test_a_long_history_in_bulk_has_the_bytes_of_one_partition_after_the_other(tmp_path, monkeypatch, last, together):
    """More partitions than share one loading of history, and than are committed together."""
    monkeypatch.setattr(features, "TOGETHER", together)
    first = "2013-03-01"
    keys = DATES.keys(first, last)
    assert len(keys) > features.TOGETHER
    found = {}
    for name, chunks in {"bulk": [keys], "each": [[key] for key in keys]}.items():
        lake = Lake(str(tmp_path / name))
        flights.write(CASE, lake, flights.raw_rows(CASE, first, last, per_day=6))
        for chunk in chunks:
            assert features.build(CASE, chunk, lake).partitions == len(chunk)
        files = (tmp_path / name / "features").rglob("*.parquet")
        found[name] = {file.parent.name: file.read_bytes() for file in files}
        assert sorted(found[name]) == [f"partition={key}" for key in keys]
    assert found["bulk"] == found["each"]


@pytest.mark.parametrize(
    ("memory", "value_bytes", "shared"),
    [
        pytest.param("", 8, [8], id="no limit"),
        pytest.param("1GB", 8, [8], id="enough for all"),
        pytest.param("64MB", 6_000, [4, 2, 1, 1], id="enough for fewer, the longer they look back"),
        pytest.param("64MB", 1 << 20, [1] * 8, id="never enough: one by one, and the rest goes to disk"),
    ],
)
def test_where_memory_is_short_fewer_partitions_share_a_history_and_nothing_else_changes(
    tmp_path, monkeypatch, memory, value_bytes, shared
):
    wanted = unlimited()
    monkeypatch.setenv("UPDRAFT_MEMORY", memory)
    monkeypatch.setattr(features, "VALUE_BYTES", value_bytes)
    lake, keys = Lake(str(tmp_path)), DATES.keys("2013-03-01", "2013-03-08")
    flights.write(CASE, lake, flights.raw_rows(CASE, keys[0], keys[-1], per_day=6))
    asked = [(day, day.as_of) for day in map(DATES.at, keys)]
    assert [len(some) for some in features._loadings(CASE, "features", asked, lake)] == shared
    features.build(CASE, keys, lake)
    assert digest(lake.read(features.table(CASE))) == wanted


@cache
def unlimited():
    """Digest of the same features with all the memory there is."""
    keys = DATES.keys("2013-03-01", "2013-03-08")
    with TemporaryDirectory() as folder:
        lake = Lake(folder)
        flights.write(CASE, lake, flights.raw_rows(CASE, keys[0], keys[-1], per_day=6))
        features.build(CASE, keys, lake)
        return digest(lake.read(features.table(CASE)))


def test_what_was_computed_before_a_partition_that_cannot_be_stays(lake, sql_case):
    case = sql_case(GOOD.replace("amount", "CASE id WHEN 'bad' THEN error('no') ELSE amount END AS amount"))
    later = calendar(case).at("2024-03-20").start
    facts(lake, case, fact(case, "a"), fact(case, "bad") | {"happened_at": later, "event_time": later})
    keys = calendar(case).keys("2024-01-02", "2024-04-01")
    with pytest.raises(FeaturesInvalid, match=r"failed for 2024-03-20: .*no"):
        features.build(case, keys, lake)
    assert lake.partitions("features/tiny") == ["2024-01-02"], "days without rows have no files"
    assert features.stale(case, ["2024-01-02"], lake) == []


def test_labels_wait_for_the_corrections_that_come_before_they_mature(tmp_path):
    day = DATES.at("2013-03-07")
    lake = Lake(str(tmp_path))
    flights.write(CASE, lake, history())
    features.build_labels(CASE, [day.key], lake)
    labels = lake.read(features.table(CASE, "label"), [day.key]).to_pylist()
    newest = {}
    for r in sorted(history()["outcomes"], key=lambda r: r["known_at"]):
        if r["known_at"] <= DATES.matures_at(day) and day.start <= r["event_time"] < day.end:
            newest[r["flight_id"]] = r["arrival_delay"]
    late = {flight: None if delay is None else float(delay >= 15) for flight, delay in newest.items()}
    assert {r["flight_id"]: r["late"] for r in labels} == late
    assert {r["as_of"] for r in labels} == {DATES.matures_at(day)}


# ---- the shape of the rows ---------------------------------------------------------------------------------------

COLUMNS = "id, happened_at AS event_time, amount, 'red' AS colour"
DAY = "WHERE happened_at >= starts_at AND happened_at < ends_at"
GOOD = f"SELECT {COLUMNS} FROM facts, this_partition {DAY}"


def fact(case, which, amount=5.0, hour=9):
    at = calendar(case).at("2024-01-02").start + timedelta(hours=hour)
    known = calendar(case).at("2024-01-01").start
    return {"id": which, "amount": amount, "happened_at": at, "reported_at": known, "event_time": at, "known_at": known,
            "partition": "2024-01-02", "delivery": "d", "row": 1}  # fmt: skip


def facts(lake, case, *rows):
    table = pa.Table.from_pylist(list(rows), raw_schema(case.sources["facts"]))
    lake.replace(raw_table(case, "facts"), table, ["2024-01-02"])


def test_a_build_says_what_it_wrote(lake, sql_case):
    case = sql_case(GOOD)
    facts(lake, case, fact(case, "b"), fact(case, "a", None))
    built = features.build(case, ["2024-01-01", "2024-01-02"], lake)
    assert (built.partitions, built.rows, built.version) == (2, 2, 1)
    assert built.fingerprint == features.fingerprint(case)
    rows = lake.read("features/tiny")
    assert rows.schema.equals(features.schema(case))
    assert rows["id"].to_pylist() == ["a", "b"]
    assert rows.drop_columns(["id", "event_time"]).to_pylist()[0] == {
        "amount": None, "colour": "red", "as_of": calendar(case).at("2024-01-02").as_of,
        "fingerprint": built.fingerprint, "partition": "2024-01-02",
    }  # fmt: skip


def test_a_number_that_is_none_is_a_missing_one(lake, sql_case):
    case = sql_case(GOOD.replace("amount", "0.0 / 0 AS amount"))
    facts(lake, case, fact(case, "a"))
    features.build(case, ["2024-01-02"], lake)
    assert lake.read("features/tiny")["amount"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param(GOOD.replace(", amount", ""), "does not return amount", id="a column is missing"),
        pytest.param(GOOD.replace("id, ", ""), "does not return id", id="the entity is missing"),
        pytest.param(
            GOOD.replace("AS colour", "AS color"), "returns 'color', .* did you mean 'colour'", id="a misspelt column"
        ),
        pytest.param(GOOD.replace("SELECT", "SELECT 1 AS extra,"), "returns 'extra'", id="a column too many"),
        pytest.param(
            GOOD.replace("this_partition", "this_partition, range(2)"), "gave 4 rows for 2 entities", id="a join"
        ),
        pytest.param(
            GOOD.replace("happened_at AS", "happened_at - INTERVAL 1 DAY AS"),
            "gave events from 2024-01-01 .* for 2024-01-02, which lasts from 2024-01-02",
            id="before the start",
        ),
        pytest.param(
            GOOD.replace("happened_at AS", "happened_at + INTERVAL 1 DAY AS"), "gave events from", id="after the end"
        ),
        pytest.param(
            GOOD.replace("happened_at AS", "NULL::TIMESTAMPTZ AS"), "gave events from None", id="no event time"
        ),
        pytest.param(GOOD.replace("amount", "'much' AS amount"), "gave 'amount' as string", id="a text"),
        pytest.param(GOOD.replace("amount", "happened_at AS amount"), "gave 'amount' as timestamp", id="a time"),
        pytest.param(GOOD.replace("amount", "[1] AS amount"), "gave 'amount' as list", id="a list"),
        pytest.param(
            GOOD.replace("happened_at AS", "happened_at::TIMESTAMP AS"), "says no time zone", id="a time without a zone"
        ),
        pytest.param(GOOD.replace("happened_at AS", "happened_at::DATE AS"), "says no time zone", id="a date"),
        pytest.param(
            GOOD.replace("id,", "CASE id WHEN 'a' THEN id END AS id,", 1), "'id' is missing in 1 of 2", id="no entity"
        ),
        pytest.param(GOOD.replace("amount", "amount_of AS amount"), "The SQL of tiny failed", id="no such column"),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_the_spec_are_refused_and_nothing_is_written(lake, sql_case, sql, said):
    good, case = sql_case(GOOD), sql_case(sql)
    facts(lake, good, fact(good, "a"), fact(good, "b"))
    with pytest.raises(FeaturesInvalid, match=said) as refused:
        features.build(case, ["2024-01-01", "2024-01-02"], lake)
    assert refused.value.next_step
    assert lake.version("features/tiny") is None


def test_a_feature_that_may_not_be_missing_is_refused_where_it_is(lake, sql_case):
    declared = {"amount": {"type": "number", "nullable": False}, "colour": {"type": "category"}}
    case = sql_case(GOOD, features=declared)
    facts(lake, case, fact(case, "a"), fact(case, "b", None), fact(case, "c", None))
    with pytest.raises(FeaturesInvalid, match="'amount' is missing in 2 of 3 rows of 2024-01-02"):
        features.build(case, ["2024-01-02"], lake)
    nan = sql_case(GOOD.replace("amount", "0.0 / 0 AS amount"), features=declared)
    with pytest.raises(FeaturesInvalid, match="'amount' is missing in 3 of 3"):
        features.build(nan, ["2024-01-02"], lake)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        pytest.param("SELECT id, 2 AS late FROM facts", r"gave \[2.0\] for 2024-01-02", id="not 0 or 1"),
        pytest.param("SELECT id, 0.5 AS late FROM facts", r"gave \[0.5\]", id="a probability"),
        pytest.param("SELECT id, 'yes' AS late FROM facts", "gave 'late' as string", id="a text"),
        pytest.param("SELECT id, 1 AS on_time FROM facts", "returns 'on_time'", id="another name"),
        pytest.param("SELECT id, 1 AS late FROM facts, range(2)", "gave 4 rows for 2 entities", id="doubled"),
    ],
)
def test_labels_are_zero_one_or_undefined_and_one_per_entity(lake, sql_case, label, said):
    case = sql_case(GOOD, label)
    facts(lake, case, fact(case, "a"), fact(case, "b"))
    with pytest.raises(FeaturesInvalid, match=said):
        features.build_labels(case, ["2024-01-02"], lake)
    assert lake.version("labels/tiny") is None


def test_an_undefined_label_is_kept_as_missing(lake, sql_case):
    case = sql_case(GOOD, "SELECT id, CASE id WHEN 'a' THEN true WHEN 'b' THEN false END AS late FROM facts")
    facts(lake, case, fact(case, "a"), fact(case, "b"), fact(case, "c"))
    features.build_labels(case, ["2024-01-02"], lake)
    assert lake.read("labels/tiny").sort_by("id")["late"].to_pylist() == [1.0, 0.0, None]


# ---- the fingerprint ---------------------------------------------------------------------------------------------


def source(make_case, **changed):
    told = make_case().sources["facts"].model_dump(mode="json", exclude_none=True) | changed
    return {"facts": told}


def column(make_case, name, **changed):
    told = source(make_case)
    told["facts"]["columns"][name] = {"type": "string", **changed}
    return told


@pytest.mark.parametrize(
    ("sql", "overrides"),
    [
        pytest.param(GOOD, {}, id="nothing"),
        pytest.param(f"-- why\n{GOOD} /* and\nhow */", {}, id="comments"),
        pytest.param(GOOD.replace(" ", "\n    "), {}, id="layout"),
        pytest.param(GOOD, {"owner": {"name": "Others", "email": "others@example.com"}}, id="an owner"),
        pytest.param(GOOD, {"gates": {"margin": 0.5}}, id="a gate"),
        pytest.param(GOOD, {"label": {"column": "lost", "maturity": "9d"}}, id="the label"),
        pytest.param(GOOD, {"partitions": {"cron": "0 1 * * *", "last": "2024-12-31"}}, id="when it ticks"),
        pytest.param(
            GOOD,
            {"features": {"colour": {"type": "category", "about": "paint"}, "amount": {"type": "number"}}},
            id="order and meaning of features",
        ),
        pytest.param(
            GOOD, lambda m: {"sources": source(m, path="elsewhere/{partition}.csv")}, id="where a source lies"
        ),
        pytest.param(GOOD, lambda m: {"sources": source(m, contract={"tolerance": 0.5})}, id="a contract"),
        pytest.param(GOOD, lambda m: {"sources": column(m, "id", pattern="^[a-z]$")}, id="a rule for a column"),
        pytest.param(
            GOOD, lambda m: {"sources": source(m) | {"other": source(m)["facts"]}}, id="a source it does not read"
        ),
    ],
)
def test_what_changes_no_row_makes_no_partition_stale(make_case, sql_case, sql, overrides):
    changed = sql_case(sql, **(overrides(make_case) if callable(overrides) else overrides))
    assert features.fingerprint(changed) == features.fingerprint(sql_case(GOOD))


@pytest.mark.parametrize(
    ("sql", "overrides"),
    [
        pytest.param(GOOD.replace("'red'", "'blue'"), {}, id="the SQL"),
        pytest.param(GOOD.replace("'red'", "'r ed'"), {}, id="a blank inside a text"),
        pytest.param(GOOD.replace("'red'", "'red -- '"), {}, id="what only looks like a comment"),
        pytest.param(GOOD, {"problem": {"lead_time": "7h"}}, id="the lead time"),
        pytest.param(GOOD, {"partitions": {"timezone": "Europe/Berlin"}}, id="where days begin"),
        pytest.param(GOOD, {"partitions": {"first": "2023-01-01"}}, id="how far history goes"),
        pytest.param(GOOD, {"features": {"amount": {"type": "number"}}}, id="fewer features"),
        pytest.param(
            GOOD, {"features": {"amount": {"type": "category"}, "colour": {"type": "category"}}}, id="another type"
        ),
        pytest.param(GOOD, {"entity": ["id", "colour_id"]}, id="the entity"),
        pytest.param(GOOD, lambda m: {"sources": source(m, lookback="3d")}, id="the lookback"),
        pytest.param(GOOD, lambda m: {"sources": source(m, key=["id", "happened_at"])}, id="the key of a source"),
        pytest.param(GOOD, lambda m: {"sources": source(m, known_at={"delay": "1h"})}, id="when its rows became known"),
        pytest.param(GOOD, lambda m: {"sources": column(m, "shade")}, id="a column of a source"),
    ],
)
def test_what_may_change_a_row_makes_its_partition_stale(make_case, sql_case, sql, overrides):
    changed = sql_case(sql, **(overrides(make_case) if callable(overrides) else overrides))
    assert features.fingerprint(changed) != features.fingerprint(sql_case(GOOD))


def test_a_source_whose_rows_can_go_makes_its_partitions_stale(make_case, sql_case):
    told = column(make_case, "is_gone", type="boolean")
    kept = features.fingerprint(sql_case(GOOD, sources=told))
    told["facts"]["deleted"] = {"column": "is_gone"}
    assert features.fingerprint(sql_case(GOOD, sources=told)) != kept


def test_a_feature_of_another_type_is_refused_with_what_to_do(lake, sql_case):
    case = sql_case(GOOD)
    facts(lake, case, fact(case, "a"))
    features.build(case, ["2024-01-02"], lake)
    declared = {"amount": {"type": "category"}, "colour": {"type": "category"}}
    other = sql_case(GOOD.replace("amount", "amount::VARCHAR AS amount"), features=declared)
    with pytest.raises(SpecInvalid, match=r"'amount' of features/tiny is string .* are number.*another name"):
        features.build(other, ["2024-01-02"], lake)


def test_no_partitions_are_built_without_a_word(lake, sql_case):
    built = features.build(sql_case(GOOD), [], lake)
    assert (built.partitions, built.rows, built.version) == (0, 0, 0)


def test_features_and_label_have_fingerprints_of_their_own(sql_case):
    case, other = sql_case(GOOD), sql_case(GOOD, "SELECT id, 1 AS late FROM facts")
    assert features.fingerprint(case) == features.fingerprint(other)
    assert features.fingerprint(case, "label") != features.fingerprint(other, "label")
    slower = sql_case(GOOD, label={"maturity": "2d"})
    assert features.fingerprint(case, "label") != features.fingerprint(slower, "label")


def test_a_partition_is_stale_until_it_was_built_by_todays_definition(lake, sql_case):
    case, other = sql_case(GOOD), sql_case(GOOD.replace("red", "blue"))
    facts(lake, case, fact(case, "a"))
    assert features.stale(case, ["2024-01-02"], lake) == ["2024-01-02"]
    features.build(case, ["2024-01-02"], lake)
    assert features.stale(case, ["2024-01-02", "2024-01-03"], lake) == ["2024-01-03"]
    assert features.stale(other, ["2024-01-02"], lake) == ["2024-01-02"]
    features.build(other, ["2024-01-02"], lake)
    assert features.stale(other, ["2024-01-02"], lake) == []
    assert features.stale(case, ["2024-01-02"], lake) == ["2024-01-02"]
