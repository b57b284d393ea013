import pytest
from pydantic import ValidationError

from updraft.spec.alerts import Deadlines, Destination


@pytest.mark.parametrize(
    ("said", "kind", "severity", "wanted"),
    [
        pytest.param({}, "incident", "warning", True, id="an incident, by default"),
        pytest.param({}, "rows_held", "info", False, id="rows within tolerance, not by default"),
        pytest.param({"on": ["rows_held"]}, "rows_held", "info", True, id="asked for"),
        pytest.param({"on": ["rows_held"]}, "incident", "critical", False, id="not asked for"),
        pytest.param({"severity": "critical"}, "incident", "warning", False, id="not grave enough"),
        pytest.param({"severity": "warning"}, "incident", "critical", True, id="graver than asked for"),
    ],
)
def test_a_destination_wants_what_it_asked_for(said, kind, severity, wanted):
    assert Destination(to="slack", connection="c", **said).wants(kind, severity) is wanted


@pytest.mark.parametrize(
    "said", [{"to": "pigeon"}, {"connection": "https://hooks.example/secret"}, {"url": "x"}, {"on": []}, {"on": ["x"]}]
)
def test_a_destination_holds_no_address_and_no_unknown_word(said):
    with pytest.raises(ValidationError):
        Destination.model_validate({"to": "slack", "connection": "c", **said})


def test_without_deadlines_scores_are_due_when_their_partition_begins(make_case):
    from updraft.life.findings.data import scores_within

    assert Deadlines().scores is None
    assert scores_within(make_case()).total_seconds() == 6 * 3600
    assert scores_within(make_case(deadlines={"scores": "2h"})).total_seconds() == 2 * 3600
