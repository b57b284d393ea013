"""What a query gets, and what it can neither reach nor use up."""

import pyarrow as pa
import pytest
from tests.known import ALL, NOON, amounts, deliver, history, moment, row, seen

from updraft.asof import raw_schema, raw_table
from updraft.errors import FeaturesInvalid, SettingInvalid, SpecInvalid
from updraft.partition import calendar
from updraft.rows import aligned


@pytest.fixture
def facts(sql_case):
    """A use case whose partitions are computed at noon of the day before."""
    return sql_case(ALL, problem={"lead_time": "12h"})


def test_one_row_says_which_partition_and_which_moment(lake, sql_case):
    case = sql_case(
        "SELECT * FROM this_partition, (SELECT count(*) FROM facts) AS n(facts)", problem={"lead_time": "12h"}
    )
    (told,) = seen(lake, case, "2024-01-02")
    assert told == {
        "key": "2024-01-02", "starts_at": moment("2 00:00"), "ends_at": moment("3 00:00"),
        "as_of": moment("1 12:00"), "facts": 0,
    }  # fmt: skip


def test_hours_are_those_of_the_use_cases_zone(lake, sql_case):
    case = sql_case("SELECT hour(happened_at) AS h FROM facts", partitions={"timezone": "America/New_York"})
    deliver(lake, case, [row(known_at="09:00")])
    assert [r["h"] for r in seen(lake, case)] == [4]


def test_a_view_has_the_declared_columns_and_when_the_row_happened_and_became_known(lake, sql_case):
    case = sql_case("SELECT * FROM facts")
    deliver(lake, case, [row()])
    assert list(seen(lake, case)[0]) == ["id", "amount", "happened_at", "reported_at", "event_time", "known_at"]


def test_a_column_the_older_rows_do_not_have_is_null_in_them(lake, facts):
    old = raw_schema(facts.sources["facts"])
    old = old.remove(old.get_field_index("amount"))
    stamps = dict.fromkeys(("known_at", "reported_at", "event_time", "happened_at"), moment("09:00"))
    rows = [{"id": "1", "delivery": "d", "row": 1, "partition": "2024-01-03", **stamps}]
    lake.replace(raw_table(facts, "facts"), pa.Table.from_pylist(rows, old), ["2024-01-03"])
    assert amounts(lake, facts) == [None]


def test_a_column_of_another_type_than_its_rows_is_refused(lake, facts, make_case, sql_case):
    deliver(lake, facts, [row()])
    source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True)
    source["columns"]["amount"] = {"type": "string"}
    other = sql_case(ALL, sources={"facts": source})
    with pytest.raises(SpecInvalid, match=r"'amount' of raw/tiny/facts is string in spec.yaml, .* are number"):
        seen(lake, other)


def test_aligning_gives_exactly_the_columns_asked_for():
    wanted = pa.schema([("a", pa.int64()), ("b", pa.string())])
    assert aligned(None, wanted).num_rows == 0
    assert aligned(pa.table({"c": [9], "a": pa.array([1], pa.int32())}), wanted).to_pylist() == [{"a": 1, "b": None}]
    assert aligned(pa.table({"c": [9]}), wanted).schema == wanted


def test_a_query_that_fails_says_why_and_for_which_partition(lake, sql_case):
    case = sql_case("SELECT amount + colour FROM facts")
    with pytest.raises(FeaturesInvalid, match=r"The SQL of tiny failed for 2024-01-03: .*colour"):
        seen(lake, case)


# ---- what it may not reach, nor use up ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM delivered.facts", id="rows as delivered"),
        pytest.param("SELECT * FROM '/etc/passwd'", id="a file"),
        pytest.param("SELECT * FROM read_text('/etc/passwd')", id="a function that reads files"),
        pytest.param("SELECT * FROM facts; SET enable_external_access = true", id="a setting"),
        pytest.param("SELECT *, getenv('HOME') FROM facts", id="the environment"),
    ],
)
def test_a_query_reaches_nothing_but_its_views(lake, sql_case, sql):
    with pytest.raises(FeaturesInvalid):
        seen(lake, sql_case(sql))


def test_the_engine_itself_is_shut_off_from_files_too(lake, facts):
    with history(lake, facts, first=NOON, latest=moment("12:00")) as known:
        for attempt in ("SELECT * FROM read_text('/etc/hostname')", "SET enable_external_access = true"):
            with pytest.raises(Exception, match=r"disabled|locked|[Pp]ermission"):
                known._db.execute(attempt)


def test_half_of_the_memory_is_the_engine_s_and_the_answer_is_the_same(lake, facts, monkeypatch):
    """The other half is for libraries, for rows on their way in and out, and for who writes them."""
    deliver(lake, facts, [row(id=n, amount=float(n), row=n) for n in range(100)])
    free = seen(lake, facts)
    monkeypatch.setenv("UPDRAFT_MEMORY", "50MB")
    with history(lake, facts, first=NOON, latest=moment("12:00")) as known:
        limit = known._db.sql("SELECT value FROM duckdb_settings() WHERE name = 'memory_limit'").fetchall()
        assert limit == [("23.8 MiB",)]
        assert known.ask(calendar(facts).at(NOON), moment("12:00")).to_pylist() == free


@pytest.mark.parametrize("said", ["a lot", "1", "1 Gigabyte; DROP TABLE x", "1XB"])
def test_a_limit_that_is_no_amount_of_memory_is_refused_with_an_example(lake, facts, monkeypatch, said):
    monkeypatch.setenv("UPDRAFT_MEMORY", said)
    with pytest.raises(SettingInvalid, match=r"UPDRAFT_MEMORY is .*800MB"):
        seen(lake, facts)
