"""Which change of a use case makes its partitions stale, and which does not."""

import pytest
from tests.coloured import GOOD, fact, facts

from updraft import features

pytestmark = pytest.mark.slow


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
