"""A person decides about the model and the examination they were shown, and about no other."""

from dataclasses import asdict, replace

import pytest
from tests.promoting import ASKING, CASE, DAY, A, B, crown, decide_and_promote, examined

from updraft.ledger import Ledger
from updraft.promote import Approval, answer, gate, promote

pytestmark = pytest.mark.slow  # talks to a real MLflow
YES = Approval("ana", "approved", A, gated=1)


@pytest.mark.parametrize(
    ("case", "approval", "outcome", "why"),
    [
        pytest.param(ASKING, YES, "promoted", "PASS", id="approved"),
        pytest.param(ASKING, None, "rejected", "nobody approved it in time", id="silence means no"),
        pytest.param(ASKING, replace(YES, decision="rejected"), "rejected", "ana rejected it", id="no means no"),
        pytest.param(ASKING, replace(YES, decision=""), "rejected", "ana rejected it", id="anything but yes means no"),
        pytest.param(ASKING, replace(YES, digest=B), "rejected", "shown model bbbb", id="another model"),
        pytest.param(ASKING, replace(YES, gated=7), "rejected", "examination of record 7", id="another examination"),
        pytest.param(CASE, None, "promoted", "PASS", id="nobody needs to be asked"),
        pytest.param(CASE, replace(YES, decision="rejected"), "rejected", "ana rejected it", id="a no always counts"),
    ],
)
def test_a_person_decides_about_the_model_and_the_examination_they_were_shown(
    lake, shared, case, approval, outcome, why
):
    gate(lake, case, A, examined(), **DAY)
    if approval:
        said = answer(lake, case, approval, partition="2013-04-01")
        assert (said.kind, said.who) == ("approved" if approval.decision == "approved" else "rejected", "ana")
    result = promote(lake, shared, case, A, **DAY)
    assert result.outcome == outcome
    assert why in result.why
    decided = Ledger(lake, "flights").records()[result.sequence - 1]
    assert decided.facts["approval"] == (asdict(approval) if approval else None)


@pytest.mark.parametrize("outcome", ["FAIL", "INSUFFICIENT"])
def test_no_person_can_promote_what_did_not_pass(lake, shared, outcome):
    gate(lake, ASKING, A, examined(outcome), **DAY)
    answer(lake, ASKING, YES, partition="2013-04-01")
    assert promote(lake, shared, ASKING, A, **DAY).outcome == "rejected"


def test_an_approval_that_came_late_can_still_be_used(lake, shared):
    assert decide_and_promote(lake, shared, ASKING, A, examined(), **DAY).outcome == "rejected"
    answer(lake, ASKING, YES, partition="2013-04-01")
    assert promote(lake, shared, ASKING, A, **DAY).outcome == "promoted"


def test_an_approval_of_an_older_examination_is_void(lake, shared):
    assert gate(lake, ASKING, A, examined(), **DAY).sequence == 1
    crown(lake, B)
    gate(lake, ASKING, A, examined(against=B), **DAY)
    answer(lake, ASKING, YES, partition="2013-04-01")
    result = promote(lake, shared, ASKING, A, **DAY)
    assert result.why == "ana was shown the examination of record 1, the newest is 3"
