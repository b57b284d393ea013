"""What a build writes, and which rows it refuses."""

import pytest
from tests.coloured import GOOD, fact, facts

from updraft import features
from updraft.errors import FeaturesInvalid, SpecInvalid
from updraft.partition import calendar

pytestmark = pytest.mark.slow


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


def test_what_was_computed_before_a_partition_that_cannot_be_stays(lake, sql_case):
    case = sql_case(GOOD.replace("amount", "CASE id WHEN 'bad' THEN error('no') ELSE amount END AS amount"))
    later = calendar(case).at("2024-03-20").start
    facts(lake, case, fact(case, "a"), fact(case, "bad") | {"happened_at": later, "event_time": later})
    keys = calendar(case).keys("2024-01-02", "2024-04-01")
    with pytest.raises(FeaturesInvalid, match=r"failed for 2024-03-20: .*no"):
        features.build(case, keys, lake)
    assert lake.partitions("features/tiny") == ["2024-01-02"], "days without rows have no files"
    assert features.stale(case, ["2024-01-02"], lake) == []
