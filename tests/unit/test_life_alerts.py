"""What people are told: all that was found, whatever else cannot be read or delivered."""

from dataclasses import replace

from tests.telling import SOME, Receiver, kinds, opened, record, told

from updraft.errors import AlertUndelivered
from updraft.life.findings.failures import failure


def test_of_nothing_there_is_nothing_to_tell(case, lake):
    assert told(case, lake).summary() == {"opened": [], "resolved": [], "sent": 0, "waiting": 0}


def test_what_was_found_is_kept_even_if_the_rest_cannot_be_read(case, lake):
    record(lake, case, "promoted")
    lake.put("ledger/tiny/00000001.json", b"{}")
    seen = told(case, lake, also=[failure(replace(SOME, error=OSError("x")))])
    assert kinds(seen.opened) == ["task_failed", "ledger_broken"]


def test_what_is_not_delivered_is_reported_and_sent_by_the_next_call(case, lake):
    opened(lake, case)
    receiver = Receiver("all")
    seen = told(case, lake, receiver)
    assert (seen.sent, [type(fault) for fault in seen.failed]) == (0, [AlertUndelivered])
    receiver.deaf.clear()
    assert told(case, lake, receiver).sent == 1
