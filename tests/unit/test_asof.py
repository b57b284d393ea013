import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.asof import History, loading, raw_schema, raw_table
from updraft.errors import FeaturesInvalid, SettingInvalid, SpecInvalid
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.rows import aligned, digest

ALL = "SELECT id, amount FROM facts"
NOON = "2024-01-03"  # the partition that is computed at noon of the second
DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06"]


@pytest.fixture
def facts(sql_case):
    """A use case whose partitions are computed at noon of the day before."""
    return sql_case(ALL, problem={"lead_time": "12h"})


def moment(said):
    """`09:00` is of 2 January; `4 09:00` of the fourth."""
    day, _, clock = said.rpartition(" ")
    hour, minute = clock.split(":")
    return datetime(2024, 1, int(day or 2), int(hour), int(minute), tzinfo=UTC)


def row(id=1, amount=5.0, known_at="09:00", delivered=None, delivery="d", row=1, gone=None):  # noqa: A002 - its name
    return {
        "id": str(id),
        "amount": amount,
        "known_at": known_at,
        "partition": delivered,
        "delivery": delivery,
        "row": row,
        "gone": gone,
    }


def deliver(lake, case, rows):
    """Write raw rows, each in the partition it was delivered in: where not said, the first whose moment has come."""
    dates = calendar(case)
    made = []
    for r in rows:
        known = moment(r["known_at"]) if isinstance(r["known_at"], str) else r["known_at"]
        key = r["partition"] or dates.last_visible(known).key
        stamps = {"known_at": known, "reported_at": known, "event_time": known, "happened_at": known}
        made.append({**r, **stamps, "partition": key})
    table = pa.Table.from_pylist(made, raw_schema(case.sources["facts"]))
    lake.replace(raw_table(case, "facts"), table, sorted({r["partition"] for r in made}))


def deleting(make_case, **more):
    """The use case with a source whose rows can say that their fact is gone."""
    source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True) | more
    source["columns"]["is_gone"] = {"type": "boolean", "nullable": True}
    return make_case(problem={"lead_time": "12h"}, sources={"facts": source | {"deleted": {"column": "is_gone"}}})


def history(lake, case, *, first, latest):
    return History(lake, case, "features", first=calendar(case).at(first), latest=latest)


def seen(lake, case, key=NOON, at=None):
    """Rows a query sees of a partition, in the order it sees them."""
    day = calendar(case).at(key)
    at = at or day.as_of
    with history(lake, case, first=key, latest=at) as known:
        return known.ask(day, at).to_pylist()


def amounts(*args, **more):
    return [r["amount"] for r in seen(*args, **more)]


@pytest.mark.parametrize(
    ("delivered", "visible_at_noon"),
    [
        pytest.param([row(amount=5, known_at="09:00")], [5], id="known before"),
        pytest.param([row(amount=5, known_at="15:00")], [], id="known after"),
        pytest.param([row(amount=5, known_at="12:00")], [5], id="known at the very moment"),
        pytest.param([row(amount=5, known_at="09:00"), row(amount=9, known_at="11:00")], [9], id="corrected before"),
        pytest.param([row(amount=5, known_at="09:00"), row(amount=9, known_at="15:00")], [5], id="corrected after"),
        pytest.param([row(amount=5, known_at="09:00"), row(amount=None, known_at="11:00")], [None], id="taken back"),
        pytest.param([row(amount=9, known_at="11:00"), row(amount=5, known_at="09:00", row=2)], [9], id="out of order"),
        pytest.param(
            [row(amount=5, known_at="09:00"), row(amount=9, known_at="12:30", delivered=NOON)], [5], id="known too late"
        ),
        pytest.param([row(id=2, amount=2), row(id=1, amount=1)], [1, 2], id="two facts, in the order of their keys"),
        pytest.param([row(amount=5), row(amount=5, row=2)], [5], id="the same row twice is one fact"),
    ],
)
def test_a_view_shows_the_newest_version_known_at_its_moment(lake, facts, delivered, visible_at_noon):
    deliver(lake, facts, delivered)
    assert amounts(lake, facts) == visible_at_noon


@pytest.mark.parametrize(
    ("delivered", "visible_at_noon"),
    [
        pytest.param([row(gone=True)], [], id="gone, and never seen"),
        pytest.param([row(), row(gone=True, known_at="11:00")], [], id="gone before"),
        pytest.param([row(), row(gone=True, known_at="12:00")], [], id="gone at the very moment"),
        pytest.param([row(), row(gone=True, known_at="15:00")], [5], id="gone after"),
        pytest.param(
            [row(), row(gone=True, known_at="10:00"), row(amount=7, known_at="11:00")], [7], id="gone and made again"
        ),
        pytest.param([row(known_at="11:00"), row(gone=True, known_at="10:00")], [5], id="gone before it was known"),
        pytest.param([row(), row(id=2, amount=2), row(gone=True, known_at="10:00")], [2], id="another one stays"),
        pytest.param([row(), row(amount=9, gone=True, row=2)], [], id="gone in the same delivery, further down"),
        pytest.param([row(gone=True), row(amount=9, row=2)], [9], id="made again in the same delivery"),
    ],
)
def test_a_fact_that_is_gone_is_not_seen_from_then_on(lake, make_case, delivered, visible_at_noon):
    case = deleting(make_case)
    case._folder = Path(lake.uri).parent
    (case._folder / "features.sql").write_text(ALL)
    deliver(lake, case, delivered)
    assert amounts(lake, case) == visible_at_noon


@pytest.mark.parametrize(
    ("delivered", "wins"),
    [
        pytest.param([row(amount=1, row=1), row(amount=2, row=2)], 2, id="the later row of one delivery"),
        pytest.param([row(amount=1, delivery="a"), row(amount=2, delivery="b")], 2, id="the greater digest"),
        pytest.param(
            [row(amount=1, delivery="a", row=9), row(amount=2, delivery="b", row=1)], 2, id="digest before row"
        ),
        pytest.param(
            [row(amount=1, delivery="z", known_at="08:59"), row(amount=2, delivery="a")], 2, id="time before digest"
        ),
    ],
)
def test_a_tie_is_broken_in_the_same_way_whatever_the_order_of_arrival(lake, facts, delivered, wins):
    for number, order in enumerate([delivered, delivered[::-1]]):
        deliver(lake, facts, order)
        assert amounts(lake, facts) == [wins], f"attempt {number}"


def test_the_order_of_the_deliveries_and_of_their_rows_leaves_no_trace(tmp_path, facts):
    rows = [row(id=i % 7, amount=i / 3, known_at=f"{h:02}:00", row=i) for i, h in enumerate([1, 5, 2, 8, 3, 11, 7] * 5)]
    answers = []
    for seed in range(3):
        lake, mixed = Lake(str(tmp_path / str(seed))), random.Random(seed).sample(rows, len(rows))
        deliver(lake, facts, mixed)
        answers.append(seen(lake, facts))
    assert answers[0] == answers[1] == answers[2]
    assert [r["id"] for r in answers[0]] == [str(i) for i in range(7)]


def test_many_facts_of_which_some_were_corrected_come_in_the_order_of_their_keys(lake, sql_case):
    """Enough rows for several of the engine's batches, and for one that none of them fills."""
    case = sql_case("SELECT id, amount FROM facts")
    rows = [row(id=f"{i:05}", amount=float(i), row=i) for i in range(5000)]
    again = [{**r, "amount": -1.0, "known_at": "10:00", "delivery": "e"} for r in rows if r["row"] % 7 == 0]
    deliver(lake, case, random.Random(1).sample([*rows, *again], len(rows) + len(again)))
    assert seen(lake, case) == [{"id": f"{i:05}", "amount": -1.0 if i % 7 == 0 else float(i)} for i in range(5000)]


@pytest.mark.parametrize(
    ("delivered", "order"),
    [
        pytest.param([row("b", known_at="1 09:00"), row("a")], "ba", id="known a day earlier"),
        pytest.param([row("b", known_at="1 13:00"), row("a")], "ab", id="first seen by the same partition"),
        pytest.param(
            [row("b", known_at="2 11:00", delivered="2024-01-01"), row("a", known_at="1 13:00")], "ab", id="held back"
        ),
        pytest.param([row("b", known_at="1 09:00"), row("b", 9.0), row("a")], "ab", id="corrected: as if known then"),
        pytest.param(
            [row("b", known_at="1 09:00"), row("c", known_at="1 09:00"), row("c", 9.0)], "bc", id="beside one"
        ),
        pytest.param([row("b", known_at="1 10:00", delivered=NOON), row("a")], "ab", id="claimed too early"),
    ],
)
def test_rows_come_in_the_order_in_which_partitions_could_see_them_then_of_their_keys(lake, facts, delivered, order):
    deliver(lake, facts, delivered)
    days = [calendar(facts).at(day) for day in DAYS]
    with history(lake, facts, first=DAYS[0], latest=days[-1].as_of) as known:
        together = known.ask(days[2], days[2].as_of).to_pylist()
    assert [r["id"] for r in together] == list(order)
    assert together == seen(lake, facts)


def test_a_partition_asked_among_many_sees_the_order_it_sees_alone(lake, looking_back):
    """Whatever the loading begins with, what was held back or claimed too early stays in its place."""
    draw = random.Random(3)
    dates = calendar(looking_back)
    rows = [
        row(n % 23, float(n), dates.opens_at(dates.at(day)) + timedelta(hours=draw.randrange(-30, 90)), day, f"d{n}", n)
        for n, day in enumerate(DAYS * 12)
    ]
    deliver(lake, looking_back, rows)
    with history(lake, looking_back, first=DAYS[0], latest=dates.at(DAYS[-1]).as_of) as known:
        together = [known.ask(dates.at(day), dates.at(day).as_of).to_pylist() for day in DAYS]
    assert together == [seen(lake, looking_back, day) for day in DAYS]
    assert max(map(len, together)) > 10


@pytest.mark.parametrize("corrected", [False, True], ids=["each fact once", "some facts corrected, some gone"])
@pytest.mark.parametrize("together", [1, 100])
def test_a_history_read_in_several_parts_is_the_one_read_at_once(lake, make_case, monkeypatch, together, corrected):
    """With rows that were held back, or claimed to have been known before they were delivered, in every part."""
    draw, case = random.Random(together), deleting(make_case, lookback="2d")
    case._folder = Path(lake.uri).parent
    (case._folder / "features.sql").write_text("SELECT *, sum(amount) OVER (ROWS UNBOUNDED PRECEDING) AS s FROM facts")
    dates = calendar(case)
    rows = [
        row(
            draw.randrange(40) if corrected else n, n / 3,
            dates.opens_at(dates.at(day)) + timedelta(hours=draw.randrange(-30, 90)),
            day, f"d{n % 5}", n, corrected and n % 9 == 0,
        )
        for n, day in enumerate(DAYS * 20)
    ]  # fmt: skip
    deliver(lake, case, draw.sample(rows, len(rows)))
    asked = [(dates.at(day), dates.at(day).as_of) for day in DAYS]
    found = []
    for values in (loading.TOGETHER, together):
        monkeypatch.setattr(loading, "TOGETHER", values)
        parts = list(loading.slices(lake.counts("raw/tiny/facts"), DAYS, 7))
        with history(lake, case, first=DAYS[0], latest=asked[-1][1]) as known:
            found.append((len(parts), list(known.ask_each(asked))))
    (once, at_once), (often, in_parts) = found
    assert (once, often > 2) == (1, True)
    assert max(map(len, at_once)) > 20
    assert [rows.to_pylist() for rows in in_parts] == [rows.to_pylist() for rows in at_once]


def test_a_history_read_in_several_parts_is_of_one_version(lake, facts, monkeypatch):
    """Whoever writes in between writes for the next one who looks."""
    deliver(lake, facts, [row(n, float(n), delivered=day) for n, day in enumerate(DAYS[:3])])
    monkeypatch.setattr(loading, "TOGETHER", 1)
    known = history(lake, facts, first=NOON, latest=moment("12:00"))
    assert known._lake.version("raw/tiny/facts") == 1
    deliver(lake, facts, [row(2, 9.0, delivered=NOON)])
    with known:
        assert known.ask(calendar(facts).at(NOON), moment("12:00"))["amount"].to_pylist() == [0.0, 1.0, 2.0]
        assert known.versions == {"raw/tiny/facts": 1}


def test_asking_for_many_partitions_at_once_answers_each_in_its_turn(lake, looking_back):
    deliver(lake, looking_back, [row(id=n, amount=n, delivered=day, known_at="1 13:00") for n, day in enumerate(DAYS)])
    days = [calendar(looking_back).at(day) for day in DAYS * 3]
    with history(lake, looking_back, first=DAYS[0], latest=days[5].as_of) as known:
        each = list(known.ask_each([(day, day.as_of) for day in days]))
        assert [rows.to_pylist() for rows in each] == [known.ask(day, day.as_of).to_pylist() for day in days]
        assert [len(rows) for rows in each] == [0, 0, 3, 3, 3, 3] * 3


@pytest.mark.parametrize(
    ("at", "visible"),
    [
        pytest.param(timedelta(0), [5.0], id="at the moment it became known"),
        pytest.param(timedelta(microseconds=-1), [], id="a microsecond before"),
        pytest.param(timedelta(microseconds=1), [5.0], id="a microsecond after"),
    ],
)
def test_a_row_is_visible_from_the_moment_it_became_known(lake, facts, at, visible):
    known = calendar(facts).at(NOON).as_of
    deliver(lake, facts, [row(known_at=known)])
    assert amounts(lake, facts, at=known + at) == visible


def test_what_a_later_delivery_claims_to_have_been_known_before_is_not_believed(lake, facts):
    deliver(lake, facts, [row(amount=5), row(amount=9, known_at="10:00", delivered="2024-01-04")])
    assert amounts(lake, facts) == [5]
    assert amounts(lake, facts, "2024-01-04") == [9]


def test_the_first_partition_sees_what_its_own_delivery_brought(lake, facts):
    deliver(lake, facts, [row(known_at="1 11:00", delivered="2024-01-01")])
    assert amounts(lake, facts, "2024-01-01") == []
    assert amounts(lake, facts, "2024-01-02") == [5]


def test_a_source_nobody_delivered_is_an_empty_table(lake, facts):
    with history(lake, facts, first=NOON, latest=moment("12:00")) as known:
        assert known.ask(calendar(facts).at(NOON), moment("12:00")).num_rows == 0
        assert known.versions == {"raw/tiny/facts": -1}


def test_the_versions_that_were_read_are_named(lake, facts):
    deliver(lake, facts, [row()])
    deliver(lake, facts, [row(known_at="3 09:00")])
    with history(lake, facts, first=NOON, latest=moment("12:00")) as known:
        assert known.versions == {"raw/tiny/facts": 2}


# ---- how far back -----------------------------------------------------------------------------------------------


@pytest.fixture
def looking_back(sql_case, make_case):
    source = make_case().sources["facts"].model_dump(mode="json", exclude_none=True) | {"lookback": "2d"}
    return sql_case(ALL, problem={"lead_time": "12h"}, sources={"facts": source})


@pytest.mark.parametrize(
    ("delivered", "visible"),
    [("2024-01-05", [5]), ("2024-01-04", [5]), ("2024-01-03", [5]), ("2024-01-02", []), ("2024-01-01", [])],
)
def test_a_delivery_from_before_the_lookback_is_not_seen(lake, looking_back, delivered, visible):
    deliver(lake, looking_back, [row(known_at="1 13:00", delivered=delivered)])
    assert amounts(lake, looking_back, "2024-01-05") == visible


def test_a_partition_asked_beside_older_ones_sees_what_it_sees_alone(lake, looking_back):
    deliver(lake, looking_back, [row(id=n, amount=n, delivered=day, known_at="1 13:00") for n, day in enumerate(DAYS)])
    dates = calendar(looking_back)
    alone = {day: amounts(lake, looking_back, day) for day in DAYS}
    with history(lake, looking_back, first=DAYS[0], latest=dates.at(DAYS[-1]).as_of) as known:
        for day in reversed(DAYS):
            together = known.ask(dates.at(day), dates.at(day).as_of)["amount"].to_pylist()
            assert together == alone[day], day
    assert alone["2024-01-06"] == [3, 4, 5]


def test_deliveries_from_before_the_lookback_are_not_opened(lake, looking_back, tmp_path):
    deliver(lake, looking_back, [row(delivered=day, known_at="1 13:00") for day in DAYS])
    for file in (tmp_path / "lake" / "raw" / "tiny" / "facts" / "partition=2024-01-01").glob("*.parquet"):
        file.write_bytes(b"broken")
    assert amounts(lake, looking_back, "2024-01-05") == [5]
    with pytest.raises(Exception, match=r"Parquet|parquet"):
        amounts(lake, looking_back, "2024-01-03")


# ---- what a query gets ------------------------------------------------------------------------------------------


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


# ---- against a brute-force oracle --------------------------------------------------------------------------------

PER_ROW = st.tuples(
    st.integers(0, 5),  # delivered in this partition
    st.integers(1, 60),  # hours it became known after the delivery could begin to hold it
    st.sampled_from("abc"),  # key
    st.sampled_from("de"),  # delivery
    st.integers(1, 3),  # row
    st.sampled_from([None, 0.0, 1.5, 2.5]),  # value
    st.sampled_from([None, False, False, True]),  # gone; rows from before there were deletes do not say
)


def visible(rows, at, oldest):
    """What the docstring of `updraft.asof` promises, said in the plainest Python."""
    newest = {}
    for r in rows:
        if r["known_at"] <= at and r["partition"] >= oldest:
            rank = (r["known_at"], r["delivery"], r["row"])
            if r["id"] not in newest or rank > newest[r["id"]][0]:
                newest[r["id"]] = (rank, r)
    return {key: r["amount"] for key, (_, r) in newest.items() if not r["gone"]}


@given(drawn=st.lists(PER_ROW, min_size=1, max_size=12, unique_by=lambda r: (r[0], r[3], r[4])), seed=st.integers(0, 9))
@settings(max_examples=25)
@pytest.mark.parametrize("lookback", [None, "1d"])
@pytest.mark.slow
def test_every_moment_of_every_history_is_what_the_oracle_says(make_case, tmp_path_factory, lookback, drawn, seed):
    case = deleting(make_case, lookback=lookback)
    case._folder = tmp_path_factory.mktemp("case")
    (case._folder / "features.sql").write_text(ALL)
    dates = calendar(case)
    rows = [
        row(
            key,
            value,
            dates.opens_at(dates.at(DAYS[day])) + timedelta(hours=late),
            DAYS[day],
            f"{delivery}{day}",
            number,
            gone,
        )
        for day, late, key, delivery, number, value, gone in drawn
    ]
    moments = sorted({r["known_at"] for r in rows} | {dates.at(day).as_of for day in DAYS})
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        deliver(lake, case, random.Random(seed).sample(rows, len(rows)))
        with history(lake, case, first=DAYS[0], latest=moments[-1]) as known:
            for at in (m + tick for m in moments for tick in (timedelta(microseconds=-1), timedelta(0))):
                day = dates.containing(max(at + dates.lead_time, dates.first.start))
                oldest = dates.containing(day.start - timedelta(days=1)).key if lookback else DAYS[0]
                found = {r["id"]: r["amount"] for r in known.ask(day, min(at, moments[-1])).to_pylist()}
                assert found == visible(rows, at, oldest), f"as of {at} for {day}"


def test_equal_knowledge_gives_equal_bytes_whoever_delivered_it_when(tmp_path, sql_case):
    """Sums of doubles depend on their order: the view must fix it."""
    case = sql_case("SELECT sum(amount) AS total, avg(amount) AS mean FROM facts", problem={"lead_time": "12h"})
    rows = [row(id=i, amount=10.0 ** (i % 17) / 3, row=i) for i in range(200)]
    answers = set()
    for seed in range(4):
        lake, day = Lake(str(tmp_path / str(seed))), calendar(case).at(NOON)
        deliver(lake, case, random.Random(seed).sample(rows, len(rows)))
        with history(lake, case, first=NOON, latest=day.as_of) as known:
            answers.add(digest(known.ask(day, day.as_of)))
    assert len(answers) == 1


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
