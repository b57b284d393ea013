"""What the feature table promises: good rows mutated break exactly that rule, and what is blocked is not published."""

from datetime import timedelta

import pyarrow as pa
import pytest

from updraft import features
from updraft.asof import raw_schema, raw_table
from updraft.contract import features as promised
from updraft.errors import FeaturesBlocked, SpecInvalid, ValidationBroken
from updraft.life import features as life
from updraft.partition import calendar
from updraft.spec.features import Feature, FeatureCondition, FeatureContract, FeatureRange

pytestmark = pytest.mark.slow

SQL = """
SELECT id, happened_at AS event_time, amount, CASE WHEN amount >= 0 THEN 'up' ELSE 'down' END AS colour
FROM facts, this_partition WHERE happened_at >= starts_at AND happened_at < ends_at
"""
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
NEXT = "2024-01-06"
ROWS = 20
RULES = {
    "range": {"between": [0, 99]},
    "among": {"values": ["up"]},
    "missing": {"max": 0.1},
    "condition": {"sql": "amount + 1 < 100 OR colour = 'down'"},
    "rows": {"between": [10, 40]},
    "volume": {"recent": 3, "between": [0.8, 1.2]},
    "coverage": {"of": "facts"},
}


def said(kinds, **changes):
    """A feature table with rules of some kinds; what is given is added to the rule of that kind."""
    rule = {kind: {**RULES[kind], **changes.get(kind, {})} for kind in kinds}
    amount = {"type": "number", **{kind: rule[kind] for kind in ("range", "missing") if kind in rule}}
    colour = {"type": "category", **({"among": rule["among"]} if "among" in rule else {})}
    whole = {kind: rule[kind] for kind in ("rows", "volume", "coverage") if kind in rule}
    conditions = {"conditions": {"small": rule["condition"]}} if "condition" in rule else {}
    return {"features": {"amount": amount, "colour": colour}, "contract": {**whole, **conditions}}


def happened(case, lake, days, rows=ROWS, **changed):
    """Deliver rows known long before; `changed` are amounts by number of the row."""
    known = calendar(case).at("2024-01-01").start
    for day in days:
        at = calendar(case).at(day).start + timedelta(hours=9)
        table = [
            {"id": f"{day}-{n:03}", "amount": changed.get(f"row{n}", 1.0), "happened_at": at, "reported_at": known,
             "event_time": at, "known_at": known, "partition": day, "delivery": "d", "row": n}
            for n in range(rows)
        ]  # fmt: skip
        lake.replace(raw_table(case, "facts"), pa.Table.from_pylist(table, raw_schema(case.sources["facts"])), [day])


# What breaks one rule alone: how many rows there are, and amounts by row.
MUTATIONS = {
    "range": ({"row0": 100.0}, "range(amount)"),
    "among": ({"row0": -1.0}, "among(colour)"),
    "missing": ({"row0": None, "row1": None, "row2": None}, "amount is missing in 3 rows (15.00%)"),
    "condition": ({"row0": 99.5}, "condition(small)"),
    "rows": ({"rows": 9}, "it has 9 rows, the contract asks for 10 to 40"),
    "volume": ({"rows": 15}, "it has 15 rows, 0.75 times the median of the 3 partitions before it"),
    "coverage": ({}, "it has 19 rows for the 20 facts of facts that happen in it"),
}
DROPS_ONE = SQL + " AND id NOT LIKE '%-000'"


@pytest.fixture
def built(lake, sql_case):
    """Publish good days, then build another one, with a mutation."""

    def build(kinds, mutation, **changes):
        case = sql_case(SQL, **said(kinds, **changes))
        happened(case, lake, DAYS)
        features.build(case, DAYS, lake)
        happened(case, lake, [NEXT], **mutation)
        if mutation == {}:
            case = sql_case(DROPS_ONE, **said(kinds, **changes))
        return case, lambda: features.build(case, [NEXT], lake)

    return build


def test_every_kind_of_rule_has_a_mutation():
    of_table = {name.replace("conditions", "condition") for name in FeatureContract.model_fields}
    of_feature = set(Feature.model_fields) - {"type", "nullable", "about", "learn", "monotone"}
    assert set(RULES) == set(MUTATIONS) == of_table | of_feature


def test_good_features_keep_every_rule_and_their_reports_are_kept(built, lake):
    _, build = built(RULES, {"row0": 2.0})
    told = build()
    assert (told.rows, told.warned, told.reports) == (ROWS, 0, (f"reports/tiny/features/{NEXT}.html",))
    assert b"accepted: all 20 rows keep the contract" in lake.get(told.reports[0])
    assert lake.keys("reports/tiny/features") == [f"reports/tiny/features/{day}.html" for day in [*DAYS, NEXT]]


@pytest.mark.parametrize("kind", RULES)
def test_a_mutation_breaks_its_rule_and_nothing_is_published(kind, built, lake):
    mutation, why = MUTATIONS[kind]
    _, build = built([kind], mutation)
    with pytest.raises(FeaturesBlocked) as blocked:
        build()
    assert f"features/tiny for {NEXT} is not published" in blocked.value.what
    assert why in blocked.value.what
    assert lake.location(f"reports/tiny/features/{NEXT}.html") in blocked.value.what
    assert lake.partitions("features/tiny") == DAYS
    assert b"blocked: " in lake.get(f"reports/tiny/features/{NEXT}.html")


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_that_warns_publishes_and_counts(kind, built, lake):
    mutation, _ = MUTATIONS[kind]
    _, build = built([kind], mutation, **{kind: {"severity": "warn"}})
    told = build()
    assert told.warned >= 1
    assert lake.partitions("features/tiny") == [*DAYS, NEXT]
    assert b"warning: " in lake.get(told.reports[0])


@pytest.mark.parametrize("kind", RULES)
def test_without_the_rule_nobody_minds(kind, built, lake):
    mutation, _ = MUTATIONS[kind]
    _, build = built([], mutation)
    assert build().reports == ()
    assert lake.keys("reports/tiny/features") == []


@pytest.mark.parametrize(("tolerance", "blocked"), [(0.05, False), (0.04, True)])
def test_a_tolerated_share_is_published_whole(built, lake, tolerance, blocked):
    _, build = built(["range"], {"row0": 100.0}, range={"tolerance": tolerance})
    if blocked:
        with pytest.raises(FeaturesBlocked, match=r"1 of 20 rows \(5.00%\) break range\(amount\)"):
            build()
        return
    told = build()
    assert told.rows == ROWS
    assert b"accepted: 1 of 20 rows break rules, each within what it tolerates" in lake.get(told.reports[0])


def test_what_passes_is_published_before_it_is_complained_about(lake, sql_case):
    case = sql_case(SQL, **said(["range"]))
    happened(case, lake, [DAYS[0], DAYS[2]])
    happened(case, lake, [DAYS[1], DAYS[3]], row0=100.0)
    with pytest.raises(FeaturesBlocked, match=rf"for {DAYS[1]} .*Blocked as well: {DAYS[3]}"):
        features.build(case, DAYS, lake)
    assert lake.partitions("features/tiny") == [DAYS[0], DAYS[2]]


def test_a_blocked_rebuild_leaves_what_was_published(built, lake):
    case, build = built(["range"], {"row0": 2.0})
    build()
    before = lake.read("features/tiny", [NEXT])
    happened(case, lake, [NEXT], row0=100.0)
    with pytest.raises(FeaturesBlocked):
        build()
    assert lake.read("features/tiny", [NEXT]) == before


@pytest.mark.parametrize("days", [[[*DAYS, NEXT]], [[day] for day in [*DAYS, NEXT]]], ids=["together", "one by one"])
def test_volume_compares_to_the_partitions_before_however_many_are_built_at_a_time(lake, sql_case, days):
    case = sql_case(SQL, **said(["volume"]))
    happened(case, lake, DAYS)
    happened(case, lake, [NEXT], rows=15)
    for together in days[:-1]:
        features.build(case, together, lake)
    with pytest.raises(FeaturesBlocked, match=f"for {NEXT}"):
        features.build(case, days[-1], lake)
    assert lake.partitions("features/tiny") == DAYS


def test_coverage_counts_what_was_known_then(lake, sql_case):
    """A fact that became known too late for the prediction needs no row, and a corrected one needs one."""
    case = sql_case(SQL, **said(["coverage"]))
    happened(case, lake, [NEXT])
    raw, day = raw_table(case, "facts"), calendar(case).at(NEXT)
    rows = lake.read(raw, [NEXT]).to_pylist()
    late = {**rows[0], "id": "late", "known_at": day.end, "row": 90}
    corrected = {**rows[1], "amount": 5.0, "known_at": rows[1]["known_at"] + timedelta(hours=1), "row": 91}
    lake.replace(raw, pa.Table.from_pylist([*rows, late, corrected], raw_schema(case.sources["facts"])), [NEXT])
    assert features.build(case, [NEXT], lake).rows == ROWS


def test_coverage_of_a_source_that_the_query_does_not_read_is_counted_too(lake, sql_case):
    nobody = "SELECT 'x' AS id, starts_at AS event_time, 1.0 AS amount, 'up' AS colour FROM this_partition"
    case = sql_case(nobody, **said(["coverage"]))
    happened(case, lake, [NEXT])
    with pytest.raises(FeaturesBlocked, match="it has 1 rows for the 20 facts of facts"):
        features.build(case, [NEXT], lake)


@pytest.mark.parametrize(("rows", "fits"), [(0, True), (1, False)])
def test_where_nothing_happens_nothing_is_needed(lake, sql_case, rows, fits):
    sql = f"SELECT 'x' AS id, starts_at AS event_time, 1.0 AS amount, 'up' AS colour FROM this_partition LIMIT {rows}"
    case = sql_case(sql, **said(["coverage"]))
    happened(case, lake, [DAYS[0]])
    if fits:
        assert features.build(case, [NEXT], lake).rows == 0
    else:
        with pytest.raises(FeaturesBlocked, match="1 rows for the 0 facts"):
            features.build(case, [NEXT], lake)


def test_a_condition_that_fails_on_the_rows_publishes_nothing(lake, sql_case):
    case = sql_case(SQL, **said(["condition"], condition={"sql": "CAST(colour AS INTEGER) > 0"}))
    happened(case, lake, [NEXT])
    with pytest.raises(ValidationBroken, match="condition small failed"):
        features.build(case, [NEXT], lake)
    assert lake.partitions("features/tiny") == []


def test_labels_are_held_by_no_feature_contract(lake, sql_case):
    case = sql_case(SQL, "SELECT id, 1 AS late FROM facts", **said(RULES, rows={"between": [1000, 2000]}))
    happened(case, lake, [NEXT])
    assert features.build_labels(case, [NEXT], lake).rows == ROWS


def test_a_tighter_contract_makes_no_partition_stale(sql_case):
    loose, tight = sql_case(SQL, **said([])), sql_case(SQL, **said(RULES))
    assert features.fingerprint(loose) == features.fingerprint(tight)


def test_the_stage_hands_over_warnings_and_reports(built, lake):
    case, _ = built(["range"], {"row0": 100.0}, range={"severity": "warn"})
    told = life.build(case, [NEXT], lake)
    assert (told["warned"], told["reports"]) == (1, [f"reports/tiny/features/{NEXT}.html"])


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("amuont > 0", "did you mean 'amount'"),
        ("amount > 0 AND now() > event_time", "asks for now"),
        ("amount", "not true or false"),
        ("fingerprint = 'x'", "no column"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_refused_by_the_check(sql_case, sql, why):
    case = sql_case(SQL, **said(["condition"], condition={"sql": sql}))
    with pytest.raises(SpecInvalid, match=why):
        promised.tried(case, features.schema(case), "contract of tiny")


def test_a_condition_may_read_the_entity_the_event_and_the_moment(sql_case):
    case = sql_case(SQL, **said(["condition"], condition={"sql": "id <> '' AND event_time > as_of"}))
    promised.tried(case, features.schema(case), "contract of tiny")


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("range", {"severity": "quarantine"}, "severity"),
        ("range", {"severity": "warn", "tolerance": 0.1}, "only warns"),
        ("coverage", {"of": "nobody"}, "no source"),
    ],
)
def test_rules_that_make_no_sense_for_features_are_refused(sql_case, kind, change, why):
    with pytest.raises(ValueError, match=why):
        sql_case(SQL, **said([kind], **{kind: change}))


@pytest.mark.parametrize(
    ("feature", "why"),
    [
        ({"type": "category", "range": [0, 1]}, "for numbers"),
        ({"type": "number", "among": ["a"]}, "for categories"),
        ({"type": "number", "nullable": False, "missing": 0.1}, "nullable"),
    ],
)
def test_a_rule_that_does_not_fit_its_feature_is_refused(sql_case, feature, why):
    with pytest.raises(ValueError, match=why):
        sql_case(SQL, features={"amount": feature, "colour": {"type": "category"}})


def test_rules_may_be_written_short():
    assert FeatureRange.model_validate([1, 6000]) == FeatureRange(between=(1, 6000), severity="block")
    assert FeatureCondition.model_validate("a < b").limit == 0.0
    assert FeatureContract.model_validate({"coverage": "facts"}).coverage.between == (1.0, 1.0)
