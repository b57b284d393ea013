import re

import duckdb
import pytest

from updraft.errors import FeaturesInvalid, SpecInvalid
from updraft.query import _CLOCKS_AND_DICE, _CLOCKS_WITHOUT_BRACKETS, columns_by_source, columns_of, sources_of


@pytest.fixture(scope="module")
def two(make_case):
    facts = make_case().sources["facts"].model_dump(mode="json", exclude_none=True)
    return make_case(sources={"facts": facts, "weather": facts})


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        pytest.param("SELECT * FROM facts", ["facts"], id="one"),
        pytest.param("FROM facts;", ["facts"], id="short form, with a semicolon"),
        pytest.param("SELECT * FROM weather w JOIN facts f USING (id)", ["facts", "weather"], id="two, sorted"),
        pytest.param("SELECT * FROM facts ASOF JOIN weather USING (id, happened_at)", ["facts", "weather"], id="as of"),
        pytest.param("SELECT * FROM facts, this_partition WHERE happened_at < as_of", ["facts"], id="this partition"),
        pytest.param("SELECT 1 FROM this_partition", [], id="none"),
        pytest.param("SELECT (SELECT max(amount) FROM facts) AS m", ["facts"], id="in a scalar subquery"),
        pytest.param("SELECT * FROM weather WHERE id IN (FROM facts SELECT id)", ["facts", "weather"], id="filter"),
        pytest.param("SELECT * FROM facts UNION ALL SELECT * FROM weather", ["facts", "weather"], id="in a union"),
        pytest.param("WITH w AS (SELECT * FROM weather) SELECT * FROM w", ["weather"], id="through a CTE"),
        pytest.param("WITH facts AS (SELECT * FROM facts) SELECT * FROM facts", ["facts"], id="a CTE of its name"),
        pytest.param("SELECT * FROM (WITH w AS (FROM weather) FROM w)", ["weather"], id="a CTE inside"),
        pytest.param(
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n, facts",
            ["facts"], id="a recursive CTE",
        ),
        pytest.param("SELECT * FROM facts, range(3), generate_series(1, 3)", ["facts"], id="counting tables"),
        pytest.param("SELECT unnest([1, 2]) FROM facts", ["facts"], id="unnest"),
        pytest.param("SELECT * FROM facts, (VALUES (1), (2)) AS v(n)", ["facts"], id="values"),
        pytest.param("SELECT * FROM facts -- weather", ["facts"], id="not in a comment"),
        pytest.param("SELECT 'FROM weather, now()' FROM facts", ["facts"], id="not in a text"),
        pytest.param("SELECT age, uuid, today, random, now FROM facts", ["facts"], id="names of clocks"),
        pytest.param("SELECT * FROM facts USING SAMPLE reservoir(9 ROWS) REPEATABLE (7)", ["facts"], id="with a seed"),
        pytest.param("SELECT CASE WHEN amount < 0 THEN error('negative') END FROM facts", ["facts"], id="an error"),
        pytest.param("SELECT " + " + ".join(["amount"] * 200) + " FROM facts", ["facts"], id="long"),
    ],
)  # fmt: skip
def test_the_sources_a_query_reads_are_those_it_names(two, sql, reads):
    assert sources_of(two, sql, "features.sql") == reads


EVERY = {"id", "amount", "happened_at", "reported_at", "event_time", "known_at"}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        pytest.param("SELECT count(*) AS n FROM facts", set(), id="none"),
        pytest.param("SELECT id, max(AMOUNT) FROM facts GROUP BY 1", {"id", "amount"}, id="in any letters"),
        pytest.param("SELECT f.amount FROM facts f WHERE known_at > happened_at", {"amount", "known_at", "happened_at"},
                     id="in a filter"),
        pytest.param("SELECT 1 FROM facts JOIN weather USING (id)", {"id"}, id="shared by a join"),
        pytest.param("SELECT amount AS id FROM facts", {"amount", "id"}, id="a name given may be one"),
        pytest.param("SELECT * FROM facts", EVERY, id="a star"),
        pytest.param("FROM facts", EVERY, id="the short form"),
        pytest.param("SELECT f.* FROM facts f", EVERY, id="a star of an alias"),
        pytest.param("SELECT COLUMNS('a.*') FROM facts", EVERY, id="columns by a pattern"),
        pytest.param("SELECT facts FROM facts", EVERY, id="the row"),
        pytest.param("SELECT F FROM facts f", EVERY, id="the row by an alias"),
        pytest.param("SELECT a FROM facts AS f(a)", EVERY, id="by position"),
        pytest.param("SELECT 1 FROM facts NATURAL JOIN weather", EVERY, id="what two have in common"),
        pytest.param("SELECT x FROM (UNPIVOT facts ON amount, known_at INTO NAME n VALUE x)", EVERY, id="turned"),
        pytest.param("SELECT s FROM (SELECT * FROM weather) AS w(s), facts", EVERY, id="a star beside it, to be safe"),
        pytest.param("WITH w AS (SELECT * FROM weather) SELECT w.id, amount FROM w JOIN facts ON true",
                     {"id", "amount"}, id="a star in a CTE"),
        pytest.param("SELECT (SELECT max(w.amount) FROM weather w WHERE w.id = facts.id) FROM facts",
                     {"id", "amount"}, id="from within a subquery"),
        pytest.param("WITH f AS (SELECT amount FROM facts) SELECT id FROM weather JOIN f ON true", {"amount"},
                     id="another SELECT names more"),
        pytest.param("SELECT id FROM facts UNION ALL SELECT amount FROM weather", {"id"}, id="one side of a union"),
        pytest.param("SELECT id FROM facts WHERE amount > (SELECT max(amount) FROM facts WHERE known_at < reported_at)",
                     {"id", "amount", "known_at", "reported_at"}, id="twice, and once within itself"),
        pytest.param("SELECT l.x FROM facts, LATERAL (SELECT id || happened_at AS x) AS l", {"id", "happened_at"},
                     id="from a table beside it"),
    ],
)  # fmt: skip
def test_the_columns_a_query_can_tell_are_there_are_those_it_names(two, sql, columns):
    assert columns_by_source(two, sql, "features.sql")["facts"] == columns


ASKED = [
    "SELECT id, amount + 1 AS more FROM facts ORDER BY ALL",
    "SELECT weather.id, f.amount FROM facts AS f JOIN weather USING (id) ORDER BY ALL",
    "SELECT f FROM facts AS f ORDER BY id",
    "SELECT a, b FROM facts AS f(a, b) ORDER BY ALL",
    "SELECT count(*) FROM facts NATURAL JOIN weather",
    "SELECT id AS amount FROM facts ORDER BY amount",
    "SELECT amount FROM facts WHERE EXISTS (FROM weather WHERE weather.id = facts.id) ORDER BY ALL",
    "WITH w AS (FROM weather) SELECT facts.id, w.amount FROM facts LEFT JOIN w ON w.id = facts.id ORDER BY ALL",
    "SELECT count(*) FROM facts, LATERAL (SELECT facts.*) AS l",
    "SELECT max(COLUMNS('.*_at')) FROM facts",
    "WITH f AS (SELECT max(amount) AS most FROM facts) SELECT id, most FROM weather, f ORDER BY ALL",
    "SELECT id, amount FROM facts UNION BY NAME SELECT id, happened_at FROM weather ORDER BY ALL",
]


@pytest.mark.parametrize("sql", ASKED)
def test_a_query_answers_the_same_when_it_gets_only_these_columns(two, sql):
    seen = columns_by_source(two, sql, "features.sql")
    answers = []
    for keep in (dict.fromkeys(seen, EVERY), seen):
        with duckdb.connect() as db:
            for n, (table, columns) in enumerate(keep.items()):
                db.execute(f"CREATE TABLE made AS SELECT i::VARCHAR AS id, i / 2 AS amount, "
                           f"TIMESTAMPTZ '2024-01-01' + to_days(i::INT) AS happened_at, 0 AS reported_at, "
                           f"NULL::INT AS event_time, i + {n} AS known_at FROM range({3 + n}) t(i)")  # fmt: skip
                kept = ", ".join(
                    c for c in ("id", "amount", *sorted(EVERY - {"id", "amount"})) if c in columns | {"id"}
                )
                db.execute(f"CREATE TABLE {table} AS SELECT {kept} FROM made")
                db.execute("DROP TABLE made")
            answers.append(db.sql(sql).fetchall())
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        pytest.param("SELECT now() FROM facts", "asks for now,", id="now"),
        pytest.param('SELECT "NOW"() FROM facts', "asks for now,", id="in other letters"),
        pytest.param("SELECT main.now() FROM facts", "asks for now,", id="by its schema"),
        pytest.param("SELECT current_date FROM facts", "asks for current_date,", id="without brackets"),
        pytest.param("SELECT LOCALTIMESTAMP FROM facts", "(?i)asks for localtimestamp,", id="the local clock"),
        pytest.param("SELECT * FROM facts WHERE happened_at > today()", "asks for today,", id="in a filter"),
        pytest.param("SELECT age(happened_at) FROM facts", "asks for age,", id="age is of today"),
        pytest.param("SELECT ago(INTERVAL 1 DAY) FROM facts", "asks for ago,", id="ago hides a clock"),
        pytest.param("WITH c AS (SELECT now() AS n) SELECT n FROM c, facts", "asks for now,", id="in a CTE"),
        pytest.param("SELECT * FROM facts ORDER BY random() LIMIT 3", "asks for random,", id="dice in an order"),
        pytest.param("SELECT gen_random_uuid() FROM facts", "asks for gen_random_uuid,", id="a new name per row"),
        pytest.param("SELECT nextval('s') FROM facts", "asks for nextval,", id="a counter"),
        pytest.param("SELECT getenv('USER') FROM facts", "asks for getenv,", id="the environment"),
        pytest.param("SELECT * FROM facts USING SAMPLE 10%", "draws a sample without", id="a sample"),
        pytest.param("SELECT * FROM facts TABLESAMPLE 10%", "draws a sample without", id="a sample of a table"),
        pytest.param(
            "SELECT * FROM fact", "reads 'fact', which is no source of tiny; did you mean 'facts'", id="a typo"
        ),
        pytest.param("SELECT * FROM planes", "reads 'planes', .*known: facts, weather", id="an unknown table"),
        pytest.param("SELECT * FROM Facts", "reads 'Facts', .*did you mean 'facts'", id="another spelling"),
        pytest.param("SELECT * FROM delivered.facts", "names delivered.facts", id="a schema"),
        pytest.param("SELECT * FROM information_schema.tables", "names information_schema.tables", id="the catalogue"),
        pytest.param("SELECT * FROM a.b.facts", "names b.facts", id="a database"),
        pytest.param("SELECT * FROM 'rows.csv'", "reads 'rows.csv'", id="a file"),
        pytest.param("SELECT * FROM read_csv('rows.csv')", r"table function read_csv\(\)", id="a reader"),
        pytest.param("SELECT * FROM query('SELECT now()')", r"table function query\(\)", id="SQL in a text"),
        pytest.param("SELECT * FROM query_table('facts')", r"table function query_table\(\)", id="a table by its name"),
        pytest.param("SELECT * FROM duckdb_settings()", r"table function duckdb_settings\(\)", id="settings"),
        pytest.param("SELECT 1; SELECT 2", "holds 2 statements", id="two statements"),
        pytest.param("", "holds 0 statements", id="nothing"),
        pytest.param("-- only a comment", "holds 0 statements", id="only a comment"),
        pytest.param("DELETE FROM facts", "does not parse: Only SELECT", id="a delete"),
        pytest.param("INSTALL httpfs", "does not parse: Only SELECT", id="an extension"),
        pytest.param("COPY (SELECT 1) TO 'x.csv'", "does not parse: Only SELECT", id="an export"),
        pytest.param("SELECT FROM WHERE", "does not parse", id="no SQL"),
        pytest.param("SELECT " + "(" * 5000 + "1" + ")" * 5000, "does not parse", id="deeper than DuckDB goes"),
    ],
)
def test_a_query_that_would_not_give_the_same_rows_again_is_refused(two, sql, why):
    with pytest.raises(FeaturesInvalid, match=why) as refused:
        sources_of(two, sql, "features.sql of tiny")
    assert refused.value.what.startswith("features.sql of tiny ")
    assert "one SELECT over the sources" in refused.value.next_step


def test_a_query_nested_deeper_than_python_goes_is_read_or_refused(two):
    """Pythons differ in how deep they go."""
    sql = "SELECT " + " + ".join(["amount"] * 700) + " FROM facts"
    try:
        said = str(sources_of(two, sql, "features.sql of tiny"))
    except FeaturesInvalid as refused:
        said = refused.what
    assert said in ("['facts']", "features.sql of tiny is nested too deeply to be checked.")


def test_every_function_that_duckdb_calls_unstable_is_refused():
    """`error` stops a query and the others name the database: neither changes rows."""
    harmless = {
        "error",
        "current_database",
        "current_schema",
        "current_schemas",
        "in_search_path",
        "stats",
        "vector_type",
    }
    unstable = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT'"
    clocks = (
        "SELECT function_name FROM duckdb_functions() WHERE function_type LIKE '%macro' "
        "AND regexp_matches(macro_definition, '(?i)current_(date|time)|now\\(|today\\(|random\\(')"
    )
    with duckdb.connect() as db:
        found = {name for sql in (unstable, clocks) for (name,) in db.execute(sql).fetchall()}
    assert found - harmless <= _CLOCKS_AND_DICE


def test_every_clock_that_needs_no_brackets_is_known():
    with duckdb.connect() as db:
        for word in _CLOCKS_AND_DICE:
            try:
                db.execute(f"SELECT {word}")
            except duckdb.Error:
                assert word not in _CLOCKS_WITHOUT_BRACKETS
            else:
                assert word in _CLOCKS_WITHOUT_BRACKETS


@pytest.mark.parametrize("which", ["features", "label"])
def test_the_demo_reads_the_sources_it_declares(which):
    from pathlib import Path

    from updraft.spec.load import load

    case = load("flight_delays", Path(__file__).parents[2] / "include" / "use_cases")
    reads = sources_of(case, case.sql(which), which)
    assert reads == (["outcomes", "schedule", "weather"] if which == "features" else ["outcomes"])


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("low < high", ["low", "high"]), ("HIGH > 1 -- and a comment", ["high"]), ("true", []),
        ("low IN (1, 2) OR (high IS NULL AND NOT low BETWEEN 1 AND high)", ["low", "high"]),
        ("CASE WHEN low::varchar LIKE '1%' THEN extract(hour FROM \"at\") > 3 ELSE true END", ["low", "at"]),
        ("\"at\" + INTERVAL 1 DAY > DATE '2013-01-01'", ["at"]),
    ],
)  # fmt: skip
def test_a_condition_reads_columns_of_one_row(sql, reads):
    assert columns_of(sql, ["low", "high", "at"], "It") == reads


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("1) , (2", "more than one expression"), ("true) UNION SELECT (false", "more than one expression"),
        ("low) FROM t WHERE (true", "more than one expression"), ("true; DROP TABLE t", "does not parse"),
        ("(SELECT 1) = low", "subquery"), ("EXISTS (SELECT 1)", "subquery"), ("low IN (SELECT 1)", "subquery"),
        ("sum(low) OVER () > 1", "window"), ("COLUMNS(*) > 1", "star"), ("unnest([low]) > 1", "function"),
        ("low > ?", "parameter"), ("now() > 1", "asks for now"), ("current_date > 1", "asks for current_date"),
        ("random() > low", "asks for random"), ("t.low > 1", "reads 't.low'"), ("lwo > 1", "did you mean 'low'"),
    ],
)  # fmt: skip
def test_what_is_no_condition_over_one_row_is_refused(sql, why):
    with pytest.raises(SpecInvalid, match=re.escape(why)):
        columns_of(sql, ["low", "high"], "It")
