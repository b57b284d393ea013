import pytest
from tests.plugins import tiny

from updraft.errors import PartitionInvalid
from updraft_airflow import partitions


@pytest.mark.parametrize(
    ("partition", "through", "keys"),
    [
        pytest.param("2024-02-28", "", ["2024-02-28"], id="one"),
        pytest.param("2024-02-28", "2024-02-28", ["2024-02-28"], id="a span of one"),
        pytest.param("2024-02-28", "2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"], id="a span"),
    ],
)
def test_a_run_is_for_one_partition_or_for_a_span_with_both_ends(partition, through, keys):
    assert partitions.span(tiny.CASE, partition, through) == keys


@pytest.mark.parametrize(
    ("partition", "through", "says"),
    [
        pytest.param("", "", "fill in the form's field `Partition`", id="none"),
        pytest.param("", "2024-02-28", "fill in the form's field `Partition`", id="only the end of a span"),
        pytest.param("2024-2-28", "", "write it like 2013-04-01", id="not a key"),
        pytest.param("../../etc", "", "write it like 2013-04-01", id="a path"),
        pytest.param("{{ var.value.secret }}", "", "write it like 2013-04-01", id="a template"),
        pytest.param("2024-02-28", "soon", "write it like 2013-04-01", id="not a key at the end"),
        pytest.param("2023-12-31", "", "choose a later partition", id="before the first"),
        pytest.param("2024-02-28", "2024-02-27", "give the earlier partition first", id="the wrong way round"),
    ],
)
def test_what_is_no_span_is_refused_with_the_next_step(partition, through, says):
    with pytest.raises(PartitionInvalid, match=says):
        partitions.span(tiny.CASE, partition, through)


def test_the_form_shows_an_example_of_the_use_case_and_both_fields_may_stay_empty():
    form = partitions.params(tiny.CASE)
    assert {name: (field.value, field.schema["type"]) for name, field in form.items()} == {
        "partition": (None, ["null", "string"]),
        "through": (None, ["null", "string"]),
    }
    assert "2024-01-01" in form["partition"].description


@pytest.mark.parametrize(
    ("run", "rendered"),
    [
        pytest.param({"partition": "2024-02-28"}, "2024-02-28", id="Airflow's key"),
        pytest.param({"conf": {"partition": "2024-02-28"}}, "2024-02-28", id="the form"),
        pytest.param({"partition": "2024-02-28", "conf": {"partition": "2024-03-01"}}, "2024-02-28", id="both"),
    ],
)
def test_the_key_comes_from_airflow_or_else_from_the_form(world, run, rendered):
    ended = world.run("retrain", **run).task("decide")
    assert ended.returned["because"].endswith("no partition has matured since the last training")
    rendered_fields = next(told for told in ended.told if type(told).__name__ == "SetRenderedFields")
    assert rendered_fields.rendered_fields["partition"] == rendered


def test_a_key_is_not_a_template(world):
    ended = world.run("features", partition="{{ 1 + 1 }}").task("build")
    assert ended.state == "failed"
    assert "'{{ 1 + 1 }}' is not the key of a partition" in str(ended.error)


@pytest.mark.parametrize(
    "word", [{"a": 1}, 20240105, "{{ 1 + 1 }}", "../../etc", "2024-1-5", "2024-01-05; ls"], ids=str
)
@pytest.mark.parametrize("field", ["partition", "through"])
def test_a_form_filled_with_what_is_not_written_like_a_key_fails_before_the_task(world, field, word):
    with pytest.raises(Exception, match=f"Invalid input for param {field}"):
        world.run("features", conf={field: word}).task("build")
