import json

import pytest
from pydantic import ValidationError

from updraft.spec.contract import Contract, Missing, Range, Unique
from updraft.spec.sources import Column


def contract(**said):
    return Contract.model_validate_json(json.dumps(said), strict=True)


def column(**said):
    return Column.model_validate_json(json.dumps(said), strict=True)


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ({"rows": [3, 9]}, {"rows": {"between": [3, 9]}}),
        ({"unique": True}, {"unique": {}}),
        ({"volume": 7}, {"volume": {"recent": 7}}),
        ({"freshness": "2d"}, {"freshness": {"within": "2d"}}),
        ({"conditions": {"rises": "low < high"}}, {"conditions": {"rises": {"sql": "low < high"}}}),
        ({"references": {"tail": "fleet.id"}}, {"references": {"tail": {"to": "fleet.id"}}}),
    ],
)
def test_a_rule_may_be_written_short(short, whole):
    assert contract(**short) == contract(**whole)


def test_rules_of_columns_may_be_written_short():
    assert column(type="integer", range=[0, None]).range == Range(between=(0, None))
    assert column(type="string", among=["AA"]) == column(type="string", among={"values": ["AA"]})
    assert column(type="string", pattern="a+") == column(type="string", pattern={"matches": "a+"})
    assert column(type="string", nullable=True, missing=0.1).missing == Missing(max=0.1)


def test_whatever_was_written_comes_back_from_its_json():
    told = contract(rows=[1, 9], unique=False, volume=7, freshness="2d", conditions={"a": "b"}, references={"c": "d.e"})
    assert Contract.model_validate_json(told.model_dump_json(), strict=True) == told
    assert Contract.model_validate_json(Contract().model_dump_json(), strict=True) == Contract()


@pytest.mark.parametrize(
    ("said", "severity", "limit"),
    [
        ({}, "quarantine", None),
        ({"severity": "warn"}, "warn", None),
        ({"severity": "block"}, "block", 0.0),
        ({"tolerance": 0.1}, "quarantine", 0.1),
        ({"severity": "block", "tolerance": 0.1}, "block", 0.1),
    ],
)
def test_rows_go_to_quarantine_unless_a_rule_says_otherwise(said, severity, limit):
    rule = column(type="integer", range={"between": [0, 1], **said}).range
    assert (rule.severity, rule.limit) == (severity, limit)


def test_deliveries_are_blocked_unless_a_rule_says_otherwise():
    assert contract(rows=[1, 9]).rows.severity == contract(volume=7).volume.severity == "block"
    assert Unique().limit is None
    assert Missing(max=0.1).severity == "block"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"rows": [1]}, "rows.between.1"),
        ({"rows": {"between": [1, 2], "severity": "quarantine"}}, "rows.severity"),
        ({"volume": {"recent": 0}}, "greater than or equal to 1"),
        ({"freshness": "0m"}, "greater than 0"),
        ({"conditions": {"A b": "x"}}, "match pattern"),
        ({"conditions": {"a": ""}}, "at least 1 character"),
        ({"references": {"tail": "fleet"}}, "match pattern"),
        ({"references": {"tail": "../x.y"}}, "match pattern"),
        ({"unique": "yes"}, "unique"),
        ({"conditions": {"a": {"sql": "b", "severity": "warn", "tolerance": 0.1}}}, "only warns has no `tolerance`"),
        ({"conditions": {"a": {"sql": "b", "severity": "ignore"}}}, "'warn', 'quarantine' or 'block'"),
    ],
)
def test_a_rule_that_says_nothing_or_too_much_is_refused(said, why):
    with pytest.raises(ValidationError, match=why):
        contract(**said)


def test_a_column_that_must_be_there_has_no_share_that_may_be_missing():
    with pytest.raises(ValidationError, match="`missing` is for nullable columns"):
        column(type="string", missing={"max": 0.1})
