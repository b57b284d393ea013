"""Every kind of rule: good data mutated breaks exactly that rule, and its severity says what follows."""

import re
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft import contract
from updraft.contract import Facts, Surroundings
from updraft.errors import SpecInvalid, ValidationBroken
from updraft.sources.decode import decode
from updraft.spec.contract import RowRule, Rule
from updraft.spec.sources import Source

pytestmark = pytest.mark.slow

ORDER = ["accepted", "quarantined", "blocked"]
NOON = datetime(2013, 4, 1, 12, tzinfo=UTC)
ROWS = 20
GOOD = [
    {"id": n, "at": "2013-04-01T08:00:00Z", "low": n, "high": n + 1, "carrier": "AA", "plane": "N1", "note": "x"}
    for n in range(ROWS)
]
WEEK = {f"2013-03-{day}": ROWS for day in (28, 29, 30)}
RULES = {
    "range": {"between": [0, 99]},
    "among": {"values": ["AA", "UA"]},
    "pattern": {"matches": "[A-Z]{2}"},
    "missing": {"max": 0.1},
    "unique": {},
    "condition": {"sql": "low < high"},
    "references": {"to": "fleet.plane"},
    "rows": {"between": [10, 30]},
    "volume": {"recent": 3, "between": [0.8, 1.2]},
    "freshness": {"within": "6h"},
}


def source(tolerance=0.2, **changes):
    """A source with a rule of every kind; what is given is added to the rule of that kind."""
    rule = {kind: {**told, **changes.get(kind, {})} for kind, told in RULES.items()}
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "key": ["id"],
            "event_time": "at",
            "known_at": {"delay": "1h"},
            "columns": {
                "id": {"type": "integer"},
                "at": {"type": "timestamp"},
                "low": {"type": "integer", "range": rule["range"]},
                "high": {"type": "integer"},
                "carrier": {"type": "string", "among": rule["among"]},
                "plane": {"type": "string", "nullable": True},
                "note": {"type": "string", "nullable": True, "missing": rule["missing"], "pattern": "[a-z]*"},
                "code": {"type": "string", "nullable": True, "pattern": rule["pattern"]},
            },
            "contract": {
                "rows": rule["rows"],
                "unique": rule["unique"],
                "tolerance": tolerance,
                "volume": rule["volume"],
                "freshness": rule["freshness"],
                "conditions": {"rises": rule["condition"]},
                "references": {"plane": rule["references"]},
            },
        }
    )


def delivered(rows, declared):
    lines = [",".join(str(row.get(name, "")) for name in declared.columns) for row in rows]
    return decode("\n".join([",".join(declared.columns), *lines]).encode(), declared)


def check(rows, declared=None, *, published=WEEK, corrects=False, known=("N1", "N2"), zone="UTC"):
    return together({"d": rows}, declared or source(), published, corrects, known, zone)["d"]


def together(deliveries, declared, published=WEEK, corrects=False, known=("N1", "N2"), zone="UTC"):
    """Check deliveries that are all for one partition."""
    facts = Facts("2013-03-31", NOON, corrects, {"plane": pa.array(known, pa.string())})
    around = Surroundings(zone, published, dict.fromkeys(deliveries, facts))
    decoded = {name: delivered(rows, declared) for name, rows in deliveries.items()}
    return contract.check("flights", declared, decoded, around)


def mutated(count=1, **changes):
    return [{**row, **changes} if n < count else row for n, row in enumerate(GOOD)]


LATE = {"at": "2013-04-01T05:59:00Z"}
MUTATIONS = {
    "type": (mutated(low="x"), "type"),
    "not_null": (mutated(high=""), "not_null(high)"),
    "range": (mutated(low=-1), "range(low)"),
    "among": (mutated(carrier="DL"), "among(carrier)"),
    "pattern": (mutated(code="a"), "pattern(code)"),
    "missing": (mutated(3, note=""), "missing(note)"),
    "unique": ([GOOD[1], *GOOD[1:]], "unique(id)"),
    "condition": (mutated(high=0), "condition(rises)"),
    "references": (mutated(plane="N9"), "references(plane)"),
    "rows": (GOOD[:9], "rows"),
    "volume": (GOOD[:15], "volume"),
    "freshness": (mutated(ROWS, **LATE), "freshness"),
}
# What else has to give way for a mutation to break one rule alone.
LOWER = {"rows": {"volume": {"between": [0.0, 9.0]}}}


def kinds(rule=Rule):
    own = {rule.kind} if "kind" in vars(rule) else set()
    of_features_alone = {"coverage"}
    return own.union(*(kinds(below) for below in rule.__subclasses__())) - of_features_alone


def test_every_kind_of_rule_has_a_mutation():
    assert kinds() | {"type", "not_null"} == set(MUTATIONS)
    assert kinds() == set(RULES)


def test_good_data_keeps_every_rule():
    found = check(GOOD)
    assert (found.outcome, found.why) == ("accepted", f"all {ROWS} rows keep the contract")
    assert found.summary == {"rows": ROWS, "bad": 0, "rules": {}, "warned": {}, "undefined": {}}


@pytest.mark.parametrize("kind", MUTATIONS)
def test_a_mutation_is_named_by_its_rule_and_no_other(kind):
    rows, label = MUTATIONS[kind]
    found = check(rows, source(**LOWER.get(kind, {})))
    assert found.outcome != "accepted"
    if kind in ("rows", "volume", "freshness"):
        assert found.outcome == "blocked"
        assert found.summary["rules"] == {}
        assert {"rows": "rows, the", "volume": "times the median", "freshness": "newest"}[kind] in found.why
    else:
        assert list(found.summary["rules"]) == [label]
        assert {bad.rule for bad in found.bad} == {kind}


@pytest.mark.parametrize("kind", [kind for kind in MUTATIONS if kind in RULES])
def test_a_rule_that_warns_is_counted_and_told_but_changes_nothing(kind):
    rows, label = MUTATIONS[kind]
    found = check(rows, source(tolerance=0.0, **{**LOWER.get(kind, {}), kind: {"severity": "warn"}}))
    assert (found.outcome, found.bad, found.summary["rows"]) == ("accepted", (), len(rows))
    assert list(found.summary["warned"]) == [label]
    assert f"warning: {label}".encode() in found.report_html


@pytest.mark.parametrize("kind", [kind for kind in MUTATIONS if kind in RULES])
def test_a_rule_that_blocks_does_so_at_the_first_break(kind):
    rows, _ = MUTATIONS[kind]
    found = check(rows, source(tolerance=1.0, **{**LOWER.get(kind, {}), kind: {"severity": "block"}}))
    assert found.outcome == "blocked"


@pytest.mark.parametrize("kind", ["range", "missing", "unique", "condition"])
def test_a_rule_that_quarantines_keeps_out_the_rows_that_break_it(kind):
    rows, label = MUTATIONS[kind]
    found = check(rows, source(**{kind: {"severity": "quarantine"}}))
    assert found.outcome == "quarantined"
    assert found.summary["rules"] == {label: len(found.bad)}
    assert len(found.bad) == found.summary["bad"] <= found.summary["rows"] == len(rows)


@pytest.mark.parametrize(
    ("broken", "severity", "tolerance", "outcome"),
    [
        (2, "quarantine", 0.1, "quarantined"),
        (3, "quarantine", 0.1, "blocked"),
        (2, "block", 0.1, "quarantined"),
        (3, "block", 0.1, "blocked"),
        (1, "quarantine", 0.0, "blocked"),
    ],
)
def test_a_rule_has_a_tolerance_of_its_own(broken, severity, tolerance, outcome):
    told = {"severity": severity, "tolerance": tolerance}
    found = check(mutated(broken, low=-1), source(range=told))
    assert found.outcome == outcome
    if outcome == "blocked":
        assert f"break range(low), the contract allows {tolerance:.2%}" in found.why


@pytest.mark.parametrize(
    ("missing", "severity", "outcome", "bad"),
    [
        (2, "block", "accepted", 0), (3, "block", "blocked", 3), (ROWS, "block", "blocked", ROWS),
        (2, "quarantine", "accepted", 0), (3, "quarantine", "quarantined", 3), (ROWS, "quarantine", "blocked", ROWS),
        (ROWS, "warn", "accepted", 0),
    ],
)  # fmt: skip
def test_a_column_may_miss_some_values_but_not_too_many(missing, severity, outcome, bad):
    found = check(mutated(missing, note=""), source(missing={"severity": severity}))
    assert (found.outcome, len(found.bad)) == (outcome, bad)


def test_the_report_tells_how_many_values_are_missing_even_where_that_is_allowed():
    page = check(mutated(2, note="")).report_html.decode()
    assert "accepted: all 20 rows keep the contract" in page
    assert "90% not null" in " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_reasons_tell_the_values():
    bad = check(mutated(1, plane="N9", high=0)).bad[0]
    assert bad.reason == "rises: low < high is not so with low 0, high 0; plane: 'N9' is not in fleet.plane"


@pytest.mark.parametrize(
    ("around", "why"),
    [
        ({"published": {"2013-03-29": ROWS, "2013-03-30": ROWS}}, "only 2 of 3 partitions before it are published"),
        ({"published": {}}, "only 0 of 3"),
        ({"published": {**WEEK, "2013-03-28": 0, "2013-03-29": 0}}, "median of the 3 partitions before it is 0 rows"),
        ({"corrects": True}, "it corrects an earlier delivery"),
    ],
)
def test_a_volume_that_cannot_be_compared_is_told_and_blocks_nothing(around, why):
    found = check(GOOD[:11], **around)
    assert found.outcome == "accepted"
    assert why in found.summary["undefined"]["volume"]
    assert b"not judged: volume" in found.report_html


def test_volume_compares_to_the_partitions_right_before_and_to_no_later_one():
    history = {"2013-03-01": 1, "2013-03-02": 1, **WEEK, "2013-04-01": 1, "2013-04-02": 1}
    assert check(GOOD, published=history).outcome == "accepted"
    assert check(GOOD, published={**dict.fromkeys(WEEK, 30)}).why == (
        "it has 20 rows, 0.67 times the median of the 3 partitions before it, the contract asks for 0.8 to 1.2"
    )


def test_deliveries_judged_together_are_compared_as_if_published_one_by_one():
    declared, days = source(rows={"between": [1, 99]}), [f"2013-03-{day}" for day in range(10, 17)]
    sizes = dict(zip(days, [20, 20, 20, 5, 19, 20, 40], strict=True))

    def around(published, *which):
        known = {"plane": pa.array(["N1"])}
        return Surroundings("UTC", published, {day: Facts(day, NOON, known=known) for day in which})

    loose = declared.model_copy(update={"contract": declared.contract.model_copy(update={"unique": None})})
    deliveries = {day: delivered((GOOD * 2)[:count], loose) for day, count in sizes.items()}
    together = contract.check("flights", loose, dict(reversed(deliveries.items())), around({}, *days))
    published, alone = {}, {}
    for day in days:
        alone[day] = contract.check("flights", loose, {day: deliveries[day]}, around(published, day))[day]
        if alone[day].outcome != "blocked":
            published[day] = sizes[day]
    assert {day: found.why for day, found in together.items()} == {day: found.why for day, found in alone.items()}
    assert [alone[day].outcome for day in days] == [*["accepted"] * 3, "blocked", "accepted", "accepted", "blocked"]


@pytest.mark.parametrize(
    ("hours", "outcome"), [(5.9, "accepted"), (6, "accepted"), (6.1, "blocked"), (-30, "accepted")]
)
def test_the_newest_row_decides_how_fresh_a_delivery_is(hours, outcome):
    newest = (NOON - timedelta(hours=hours)).isoformat()
    rows = [*mutated(ROWS, at="2013-03-01T00:00:00Z")[1:], {**GOOD[0], "at": newest}]
    assert check(rows).outcome == outcome


def test_without_a_readable_row_freshness_is_undefined():
    found = check([], source(rows={"between": [0, 9]}), published={})
    assert found.outcome == "accepted"
    assert found.summary["undefined"]["freshness"] == "no row says when it was"


def test_a_condition_that_is_unknown_is_kept_and_missing_values_refer_to_nothing():
    declared = source(condition={"sql": "code <> 'AA'"})
    assert check(mutated(plane=""), declared).outcome == "accepted"


def test_conditions_read_hours_in_the_zone_of_the_partitions():
    declared = source(condition={"sql": 'hour("at") = 8'})
    assert check(GOOD, declared).outcome == "accepted"
    assert check(GOOD, declared, zone="America/New_York").outcome == "blocked"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("low < hihg", "did you mean 'high'"), ("low", "is int64, not true or false"), ("sum(low) > 1", "failed"),
        ("low < (SELECT 1)", "subquery"), ('now() > "at"', "asks for now"), ("low <", "does not parse"),
        ("carrier::integer > low", ""), ("true) AS kept, (false", "more than one expression"),
        ("list_sum(low)", "failed"), ("carrier > 1 + 'x'::date", "failed"),
    ],
)  # fmt: skip
def test_a_condition_is_tried_before_it_counts(sql, why):
    if why:
        with pytest.raises(SpecInvalid, match=why):
            contract.check_conditions(source(condition={"sql": sql}), "flights")
    else:
        contract.check_conditions(source(condition={"sql": sql}), "flights")
        with pytest.raises(ValidationBroken, match="rises failed"):
            check(GOOD, source(condition={"sql": sql}))


def test_a_rule_that_needs_facts_and_gets_none_is_not_a_pass():
    declared = source()
    rows = delivered([], declared)
    with pytest.raises(ValidationBroken, match="asks about more than the rows"):
        contract.check("flights", declared, {"d": rows})
    around = Surroundings(facts={"d": Facts("2013-03-31", NOON)})
    with pytest.raises(ValidationBroken, match="What plane may refer to is not known"):
        contract.check("flights", declared, {"d": rows}, around)


FAULTS = [{"low": -1}, {"low": "x"}, {"note": ""}, {"high": 0}, {"plane": "N9"}, {"carrier": "DL"}, {"id": 19}]
SEVERITIES = st.fixed_dictionaries(
    {kind: st.sampled_from([{"severity": s} for s in ("warn", "quarantine", "block")]) for kind in sorted(
        rule.kind for rule in [*RowRule.__subclasses__()])}
)  # fmt: skip


@pytest.mark.slow
@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    told=SEVERITIES,
    tolerance=st.sampled_from([0.0, 0.1, 0.3]),
    faults=st.lists(st.tuples(st.integers(0, ROWS - 2), st.sampled_from(FAULTS)), max_size=8, unique_by=lambda f: f[0]),
    more=st.lists(st.tuples(st.integers(0, ROWS - 2), st.sampled_from(FAULTS)), max_size=8, unique_by=lambda f: f[0]),
)
def test_more_faulty_rows_never_lead_to_a_milder_outcome(told, tolerance, faults, more):
    declared = source(tolerance=tolerance, **told)
    few = dict(faults)
    many = {**dict(more), **few}
    spoilt = {"few": few, "many": many}
    rows = {name: [{**row, **of.get(n, {})} for n, row in enumerate(GOOD)] for name, of in spoilt.items()}
    found = together(rows, declared)
    assert ORDER.index(found["few"].outcome) <= ORDER.index(found["many"].outcome)
    assert len(found["few"].bad) <= len(found["many"].bad)
