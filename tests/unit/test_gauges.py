import pytest

from updraft.gauges import HELP, gauges
from updraft.ledger import Ledger
from updraft.partition import calendar


def told(world):
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for one in gauges(world.case, world.lake)}


def value(found, name, **labels):
    return found[name, tuple(sorted({"use_case": "parcels", **labels}.items()))]


@pytest.mark.slow
def test_a_use_case_at_work_is_told_by_its_champion_its_tables_and_its_newest_measurements(observed):
    found = told(observed)
    champion = Ledger(observed.lake, "parcels").state().champion
    assert value(found, "champion_info", model=champion) == 1
    newest = observed.lake.partitions("scores/parcels")[-1]
    started = calendar(observed.case).at(newest).start.timestamp()
    assert value(found, "newest_partition_timestamp_seconds", table="scores") == started
    assert value(found, "measure", metric="scored", subject=champion) > 0
    assert value(found, "measure_status", metric="scored", subject=champion, status="info") == 1
    assert value(found, "decisions", kind="promoted") == 1
    assert {name for name, _ in found} <= set(HELP)


@pytest.mark.slow
def test_incidents_are_counted_while_they_are_open(observed):
    how = {"why": "it moved", "who": "test", "facts": {"kind": "feature_drift", "identity": "feature_drift:x"}}
    Ledger(observed.lake, "parcels").append("incident", **how)
    assert value(told(observed), "open_incidents", kind="feature_drift") == 1


def test_a_use_case_that_has_not_begun_says_who_answers_for_it_and_nothing_else(parcels_case, lake):
    found = list(gauges(parcels_case, lake))
    assert {one.name for one in found} == {"use_case_info", "ledger_records"}
    assert found[0].labels["owner"] == parcels_case.owner.name
