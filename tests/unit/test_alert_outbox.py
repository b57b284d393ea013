"""What was told to whom: once per incident whoever asks and however often, and never lost."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tests.telling import Receiver

from updraft.alert.alert import Finding
from updraft.alert.outbox import LEASE, Outbox

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
FOUND = Finding("incident", "7", "the scores moved", "2024-01-19")
HELD = Finding("rows_held", "facts/x/y", "3 rows")


@pytest.fixture
def case(make_case):
    chat, mail = {"to": "slack", "connection": "chat"}, {"to": "email", "connection": "mail"}
    return make_case(alerts={"chat": chat, "mail": {**mail, "on": ["incident"], "severity": "warning"}})


class Killed(BaseException):
    """The process ends here."""


def outbox(case, lake):
    return Outbox(case, lake, "docs/runbooks")


def run(case, lake, receiver, *found, now=NOW, over=False):
    """One run: keep what was found, resolve what is open if it is over, send."""
    box = outbox(case, lake)
    for one in found:
        box.open(one, now)
    for kept in box.unresolved() if over else ():
        box.resolve(kept, "it passed", now)
    return box.deliver(receiver, now)


def test_an_alert_is_sent_once_to_each_however_often_it_is_found(case, lake):
    receiver = Receiver()
    for hours in range(5):
        run(case, lake, receiver, FOUND, FOUND, now=NOW + timedelta(hours=hours))
    assert receiver.got == [("chat", "opened", 1), ("mail", "opened", 1)]


def test_it_is_told_once_when_it_is_over_and_again_when_it_comes_back(case, lake):
    receiver = Receiver()
    for over in (False, True, True, False):
        run(case, lake, receiver, *(() if over else (FOUND,)), over=over)
    assert [event for somebody, event, _ in receiver.got if somebody == "chat"] == ["opened", "resolved", "opened"]
    assert [kept.alert.id.rpartition(".")[2] for kept in outbox(case, lake).unresolved()] == ["2"]


def test_who_did_not_ask_is_not_told(case, lake):
    receiver = Receiver()
    box = outbox(case, lake)
    assert box.open(HELD, NOW).severity == "info"
    assert box.deliver(receiver, NOW) == (0, [])


def test_who_is_added_later_is_not_told_of_what_was(make_case, lake):
    receiver, nobody = Receiver(), make_case()
    run(nobody, lake, receiver, FOUND)
    run(make_case(alerts={"chat": {"to": "slack", "connection": "chat"}}), lake, receiver, FOUND)
    assert receiver.got == []


def test_who_left_the_spec_is_not_told_and_holds_nothing_up(case, make_case, lake):
    run(case, lake, Receiver("chat", "mail"), FOUND)
    receiver = Receiver()
    assert run(make_case(), lake, receiver, now=NOW + timedelta(days=1)) == (0, [])
    assert receiver.got == []


def test_what_did_not_arrive_is_sent_later_and_others_do_not_wait_for_it(case, lake):
    receiver = Receiver("chat")
    sent, failed = run(case, lake, receiver, FOUND)
    assert (sent, [fault.what for fault in failed]) == (1, ["nobody there"])
    receiver.deaf.clear()
    assert run(case, lake, receiver, FOUND) == (1, [])
    assert receiver.got == [("mail", "opened", 1), ("chat", "opened", 2)]


def test_who_takes_nothing_is_asked_once_a_run_and_holds_nobody_up(case, lake):
    asked, receiver = [], Receiver("chat")

    def counting(somebody, told, attempt):
        asked.append(somebody.connection)
        receiver(somebody, told, attempt)

    many = [Finding("incident", str(n), "x") for n in range(5)]
    assert run(case, lake, counting, *many)[0] == 5
    assert asked.count("chat") == 1
    receiver.deaf.clear()
    assert run(case, lake, counting)[0] == 5


def test_what_happened_and_is_over_waits_for_no_end(case, lake):
    box = outbox(case, lake)
    box.open(Finding("rolled_back", "3", "back"), NOW)
    assert box.unresolved() == []


def test_the_end_is_told_after_the_beginning_arrived_and_not_before(case, lake):
    receiver = Receiver("chat")
    run(case, lake, receiver, FOUND)
    run(case, lake, receiver, over=True)
    assert [event for somebody, event, _ in receiver.got if somebody == "chat"] == []
    receiver.deaf.clear()
    run(case, lake, receiver, now=NOW + timedelta(hours=1))
    assert [event for somebody, event, _ in receiver.got if somebody == "chat"] == ["opened", "resolved"]


@pytest.mark.slow
def test_the_longer_it_fails_the_longer_it_waits_but_never_for_good(case, lake):
    receiver = Receiver("chat", "mail")
    moments = [NOW + timedelta(minutes=10 * n) for n in range(6 * 24 * 3)]
    tried = [moment for moment in moments if run(case, lake, receiver, FOUND, now=moment)[1]]
    pauses = [after - before for before, after in pairwise(tried)]
    assert pauses[0] == timedelta(minutes=10)
    assert timedelta(hours=5) < max(pauses) <= timedelta(hours=6, minutes=10)
    receiver.deaf.clear()
    assert run(case, lake, receiver, now=moments[-1] + timedelta(hours=7))[0] == 2


def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_id(case, lake):
    got = []

    def dies(somebody, told, attempt):
        got.append((told.message_id, attempt))
        raise Killed

    with pytest.raises(Killed):
        run(case, lake, dies, FOUND)
    receiver = Receiver()
    run(case, lake, receiver, FOUND, now=NOW + LEASE / 2)
    assert receiver.got == [("mail", "opened", 1)], "the claim still stands"
    run(case, lake, receiver, FOUND, now=NOW + LEASE)
    assert receiver.got[1:] == [("chat", "opened", 2)]
    assert [id_ for id_, _ in got] == [outbox(case, lake).unresolved()[0].alert.message_id]
    run(case, lake, receiver, FOUND, now=NOW + 3 * LEASE)
    assert len(receiver.got) == 2


def test_killed_before_anything_was_sent_nothing_is_lost(case, lake):
    outbox(case, lake).open(FOUND, NOW)
    receiver = Receiver()
    run(case, lake, receiver)
    assert len(receiver.got) == 2


def test_a_claim_from_the_future_is_one_of_a_wrong_clock(case, lake):
    run(case, lake, Receiver("chat", "mail"), FOUND, now=NOW + timedelta(days=400))
    receiver = Receiver()
    run(case, lake, receiver, FOUND)
    assert {somebody for somebody, _, _ in receiver.got} == {"chat", "mail"}


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(milliseconds=1), timedelta(minutes=1)], ids=str)
def test_of_many_runs_at_once_one_tells(case, lake, apart):
    receiver, start = Receiver(), threading.Barrier(8)

    def one(now):
        box = outbox(case, lake)
        start.wait()
        box.open(FOUND, now)
        box.deliver(receiver, now)

    threads = [threading.Thread(target=one, args=(NOW + n * apart,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(case, lake, receiver, FOUND)
    assert sorted(receiver.got) == [("chat", "opened", 1), ("mail", "opened", 1)]


@pytest.mark.parametrize("ahead", [timedelta(milliseconds=1), timedelta(minutes=1), LEASE])
def test_of_two_tellers_one_sends_though_the_other_looked_at_the_clock_before_it(case, lake, ahead):
    slow, receiver = outbox(case, lake), Receiver()
    slow.open(FOUND, NOW)

    def meanwhile(somebody, told, attempt):
        assert slow.deliver(receiver, NOW)[1] == []
        receiver(somebody, told, attempt)

    outbox(case, lake).deliver(meanwhile, NOW + ahead)
    assert sorted(receiver.got) == [("chat", "opened", 1), ("mail", "opened", 1)]


def test_what_is_done_is_not_read_again(case, lake):
    run(case, lake, Receiver(), FOUND)
    run(case, lake, Receiver())
    (seen,) = outbox(case, lake).unresolved()
    files = {key.rpartition("/")[2] for key in lake.keys(f"alerts/tiny/{seen.alert.id}/opened")}
    sent = {f"{name}{ending}" for name in ("chat", "mail") for ending in (".json", ".claim-0001.json")}
    assert files == {"_alert.json", "_done.json"} | sent
