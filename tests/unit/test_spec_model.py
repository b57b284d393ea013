import pytest
from pydantic import ValidationError

from updraft.spec.prediction import Value


@pytest.mark.parametrize(
    ("true_positive", "false_positive", "false_negative", "true_negative", "threshold"),
    [(3, -1, 0, 0, 0.25), (1, -1, 0, 0, 0.5), (0, -1, -99, 0, 0.01), (1, 0, 0, 9, 0.9)],
)
def test_the_threshold_is_where_acting_starts_to_pay(
    true_positive, false_positive, false_negative, true_negative, threshold
):
    value = Value(
        true_positive=true_positive,
        false_positive=false_positive,
        false_negative=false_negative,
        true_negative=true_negative,
    )
    acting = threshold * true_positive + (1 - threshold) * false_positive
    waiting = threshold * false_negative + (1 - threshold) * true_negative
    assert value.threshold == pytest.approx(threshold)
    assert acting == pytest.approx(waiting)


@pytest.mark.parametrize("numbers", [(0, -1, 0), (-1, -1, 0), (3, 0, 0), (3, 1, 0)])
def test_a_decision_that_can_never_pay_is_refused(numbers):
    with pytest.raises(ValidationError, match="acting must be worth more"):
        Value(true_positive=numbers[0], false_positive=numbers[1], false_negative=numbers[2])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"model": {"lightgbm": {"row_share": 0}}}, "greater than 0"),
        ({"model": {"lightgbm": {"feature_share": 0}}}, "greater than 0"),
        ({"partitions": {"cron": "61 * * * *"}}, "is not a schedule"),
        ({"retrain": {"cron": "never"}}, "five fields"),
        ({"monitor": {"alarms": 6, "of": 5}}, "`alarms` cannot be more than `of`"),
        ({"gates": {"absolute": {"auc": {}}}}, "say `min`, `max` or both"),
        ({"label": {"column": "amount"}}, "features must not be named amount"),
        ({"features": {"id": {"type": "number"}}}, "features must not be named id"),
        ({"features": {"event_time": {"type": "number"}}}, "features must not be named event_time"),
        ({"features": {}}, "at least 1 item"),
        ({"entity": []}, "at least 1 item"),
        ({"owner": {"email": "nobody"}}, "should match pattern"),
        ({"version": 2}, "should be 1"),
    ],
)
def test_a_use_case_that_contradicts_itself_is_refused(make_case, overrides, said):
    with pytest.raises(ValidationError, match=said):
        make_case(**overrides)


def test_a_source_may_not_take_the_names_of_the_lake_s_own_columns(make_case, case):
    source = case.sources["facts"].model_dump(mode="json")
    source["columns"]["delivery"] = {"type": "string"}
    with pytest.raises(ValidationError, match="columns the lake adds itself: delivery"):
        make_case(sources={"facts": source})


def referring(case, **told):
    """The case's source, and others like it that refer to each other."""
    facts = case.sources["facts"].model_dump(mode="json")
    return {name: {**facts, "contract": {"references": dict(refers)}} for name, refers in told.items()}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"facts": {"id": "nope.id"}}, "'nope.id', which is no other source's column"),
        ({"facts": {"id": "facts.id"}}, "'facts.id', which is no other source's column"),
        ({"facts": {"id": "more.nope"}, "more": {}}, "'more.nope', which is no other source's column"),
        ({"facts": {"id": "more.reported_at"}, "more": {}}, "'id' is string, 'more.reported_at' is timestamp"),
        ({"facts": {"id": "more.id"}, "more": {"id": "facts.id"}}, "refer to each other in a circle"),
    ],
)
def test_a_reference_leads_to_a_column_of_the_same_type_in_another_source(make_case, case, told, said):
    with pytest.raises(ValidationError, match=said):
        make_case(sources=referring(case, **told))


def test_sources_that_others_refer_to_come_first(make_case, case):
    told = {"facts": {"id": "more.id"}, "more": {"id": "most.id"}, "most": {}}
    assert make_case(sources=referring(case, **told)).sources_in_order == ("most", "more", "facts")
    assert make_case(sources=referring(case, b={}, a={})).sources_in_order == ("b", "a")


def test_a_use_case_is_frozen(case):
    with pytest.raises(ValidationError):
        case.name = "other"
    with pytest.raises(ValidationError):
        case.model.seed = 2


def test_a_use_case_that_was_not_loaded_has_no_folder(case):
    with pytest.raises(ValueError, match="not loaded from a folder"):
        _ = case.folder
