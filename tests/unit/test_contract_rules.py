"""Every kind of rule: good data mutated breaks exactly that rule, and its severity says what follows."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ruled import GOOD, LATE, NOON, ORDER, ROWS, RULES, check, delivered, mutated, source, together

from updraft import contract
from updraft.contract import Facts, Surroundings
from updraft.errors import SpecInvalid, ValidationBroken
from updraft.spec.contract import RowRule, Rule

pytestmark = pytest.mark.slow
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
