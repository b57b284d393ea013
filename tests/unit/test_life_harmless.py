"""Drift that labels show to be harmless, read from lake and ledger."""

from dataclasses import replace

import pytest
from tests.deciding import READY, append, look

from updraft.life import incidents, labels, monitor, retrain
from updraft.monitor import table
from updraft.partition import calendar

pytestmark = pytest.mark.slow


@pytest.fixture
def watched(drifting):
    return monitor.watch_partitions(drifting.case, [READY], drifting.lake)


def says_of_labels(world, status):
    """Let the newest look say something else of what came true."""
    rows = table.from_arrow(world.lake.read("monitor/parcels", [READY]))
    said = [replace(m, status=status, reason="AUC 0.9") if (m.metric, m.subject) == ("auc", "all") else m for m in rows]
    world.lake.replace("monitor/parcels", table.to_arrow(said), [READY])


def pooled(world):
    found = labels.scored_and_mature(world.case, calendar(world.case).at(READY), world.lake)
    return found[-world.case.monitor.window :]


def test_labels_older_than_the_incident_say_nothing_about_it(drifting, watched):
    assert watched.incident.kind == "feature_drift"
    says_of_labels(drifting, "ok")
    assert pooled(drifting)[0] < watched.incident.opened
    assert retrain._harmless(drifting.case, drifting.lake, watched, look(drifting, READY)) == ""


@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param("ok", "AUC 0.9, in {} to {}", id="all is well since it began"),
        pytest.param("unknown", "", id="labels do not say"),
        pytest.param("drifted", "", id="it does harm"),
    ],
)
def test_an_incident_began_when_the_ledger_says_it_did(drifting, watched, status, why):
    """A look remembers a few partitions; what lasts for longer seems younger than it is."""
    since = pooled(drifting)
    says_of_labels(drifting, status)
    long = replace(watched.incident, opened=since[0])
    assert incidents.open_incident(drifting.case, long, since[0], drifting.lake, who="test")
    assert retrain._harmless(drifting.case, drifting.lake, watched, look(drifting, READY)) == why.format(
        since[0], since[-1]
    )


def test_an_incident_that_is_over_lends_its_beginning_to_no_other(drifting, watched):
    since = pooled(drifting)[0]
    says_of_labels(drifting, "ok")
    incidents.open_incident(drifting.case, replace(watched.incident, opened=since), since, drifting.lake, who="test")
    (record,) = incidents.unclosed(drifting.case, drifting.lake)
    append(drifting, "resolved", since, facts={"identity": watched.incident.identity, "closes": [record.sequence]})
    assert retrain._harmless(drifting.case, drifting.lake, watched, look(drifting, READY)) == ""


def test_while_nothing_lasts_nothing_is_harmless(drifting, watched):
    assert retrain._harmless(drifting.case, drifting.lake, replace(watched, incident=None), look(drifting, READY)) == ""
