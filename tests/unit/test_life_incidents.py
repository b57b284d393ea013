"""Incidents on record: opened once, resolved once, in whatever order partitions are looked at."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import parcels

from updraft import ingest
from updraft.errors import DeliveryBlocked
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import incidents, monitor
from updraft.monitor import table
from updraft.monitor.incident import Incident
from updraft.monitor.table import Measurement
from updraft.partition import calendar

OURS, OTHER = "c" * 64, "0" * 64
DAYS = [f"2024-01-{day:02}" for day in range(1, 21)]


def measured(case, lake, line, *, champion=OURS):
    """Write measurements of the first days from a line of letters: `s` scores moved, `b` a broken feed, `-` calm."""
    for key, letter in zip(DAYS, line, strict=False):
        rows = [
            Measurement(key, "scored", champion, 60.0, 60, "info"),
            Measurement(key, "score_distance", "scores", 0.5, 60, "drifted" if letter == "s" else "ok", "moved"),
            Measurement(key, "broken_feed", "weight", 1.0, 60, "drifted" if letter == "b" else "ok", "stuck at 0"),
        ]
        lake.replace(incidents.monitor_table(case), table.to_arrow(rows), [key])


def promote(lake, model=OURS):
    Ledger(lake, "parcels").append("promoted", why="by hand", who="test", model=model)


def found(kind="prediction_drift", opened=DAYS[1], champion=OURS):
    return Incident(kind, champion, opened, True, f"{kind} lasts")


def open_(case, lake, key, kind="prediction_drift", champion=OURS):
    return incidents.open_incident(case, found(kind, key, champion), key, lake, who="test")


def resolve(case, lake, key):
    return incidents.resolve_incidents(case, calendar(case).at(key), lake, who="test")


def told(lake):
    kinds = ("incident", "resolved")
    return [(r.kind, r.partition[-2:], r.facts["kind"]) for r in Ledger(lake, "parcels").records() if r.kind in kinds]


# ---- opened and resolved -----------------------------------------------------------------------------------------


def test_an_incident_is_resolved_when_too_few_alarms_are_left(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "ss--s")  # two of the last three make one
    assert open_(parcels_case, lake, DAYS[1])
    assert [resolve(parcels_case, lake, key) for key in DAYS[1:4]] == [[], [], [f"prediction_drift:{OURS}"]]
    (record,) = [r for r in Ledger(lake, "parcels").records() if r.kind == "resolved"]
    assert (record.partition, record.model) == (DAYS[3], OURS)
    assert record.why == f"fewer than 2 of the last 3 partitions up to {DAYS[3]} are alarming"
    assert Ledger(lake, "parcels").state().open_incidents == ()
    assert resolve(parcels_case, lake, DAYS[3]) == [], "once"


def test_the_same_trouble_later_is_another_incident(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "ss---ss---")
    for key in DAYS[:10]:
        if key in (DAYS[1], DAYS[6]):
            assert open_(parcels_case, lake, key)
        resolve(parcels_case, lake, key)
    assert [(kind, day) for kind, day, _ in told(lake)] == [
        ("incident", "02"), ("resolved", "04"), ("incident", "07"), ("resolved", "09"),
    ]  # fmt: skip


def test_a_worse_incident_does_not_resolve_the_one_before(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "ssss")
    assert open_(parcels_case, lake, DAYS[1])
    assert open_(parcels_case, lake, DAYS[2], "performance")
    assert resolve(parcels_case, lake, DAYS[3]) == [f"performance:{OURS}"], "nothing measured says it lasts"
    assert [r.facts["kind"] for r in incidents.unclosed(parcels_case, lake)] == ["prediction_drift"]


def test_a_new_champion_resolves_what_was_about_the_former_one(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "sss")
    assert open_(parcels_case, lake, DAYS[1])
    promote(lake, OTHER)
    assert resolve(parcels_case, lake, DAYS[2]) == [f"prediction_drift:{OURS}"]
    assert Ledger(lake, "parcels").records()[-1].why == f"{OURS[:12]} is champion no more"


def test_a_broken_feed_is_an_incident_until_a_partition_is_sound_again(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "-bb-")
    at = [calendar(parcels_case).at(key) for key in DAYS[:4]]
    faults = [incidents.broken_feed(parcels_case, day, lake) for day in at]
    assert faults == [None, *["the feed is broken: weight (stuck at 0)"] * 2, None]
    assert open_(parcels_case, lake, DAYS[1], "broken_feed")
    assert not open_(parcels_case, lake, DAYS[2], "broken_feed")
    assert [resolve(parcels_case, lake, key) for key in DAYS[2:4]] == [[], [f"broken_feed:{OURS}"]]


def test_a_mended_feed_holds_trainings_back_for_as_long_as_its_rows_bend_what_came_true(parcels_case, lake):
    measured(parcels_case, lake, "-b" + "-" * 6)
    at = [calendar(parcels_case).at(key) for key in DAYS[:8]]
    held = [bool(incidents.lingering(parcels_case, day, lake)) for day in at]
    lag = 3  # partitions from one to the newest whose labels are mature at its moment
    assert held == [False, *[True] * (lag + parcels_case.monitor.of - 0), *[False] * 8][:8]


# ---- what says nothing -------------------------------------------------------------------------------------------


def test_an_earlier_partition_or_one_that_was_not_measured_resolves_nothing(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "--ss")
    assert open_(parcels_case, lake, DAYS[3])
    assert [resolve(parcels_case, lake, key) for key in (DAYS[0], DAYS[1], DAYS[9])] == [[], [], []]


def test_an_old_partition_looked_at_again_does_not_open_what_was_resolved_since(parcels_case, lake):
    promote(lake)
    measured(parcels_case, lake, "ss--")
    assert open_(parcels_case, lake, DAYS[1])
    assert resolve(parcels_case, lake, DAYS[3])
    assert not open_(parcels_case, lake, DAYS[1])
    assert told(lake)[-1][0] == "resolved"


def test_a_record_by_hand_that_is_no_incident_of_ours_is_left_alone(parcels_case, lake):
    promote(lake)
    Ledger(lake, "parcels").append("incident", why="somebody saw something", who="test", partition=DAYS[0])
    measured(parcels_case, lake, "---")
    assert resolve(parcels_case, lake, DAYS[2]) == []


@pytest.mark.slow
def test_in_whatever_order_and_however_often_partitions_are_looked_at_it_opens_once(parcels_case, tmp_path):
    for number, order in enumerate(permutations([1, 2, 3, 4])):
        lake = Lake(str(tmp_path / f"lake{number}"))
        promote(lake)
        measured(parcels_case, lake, "sss--")
        for place in (*order, order[-1]):
            if place < 4:  # at these two of the last three are alarming
                open_(parcels_case, lake, DAYS[place])
            resolve(parcels_case, lake, DAYS[place])
        resolve(parcels_case, lake, DAYS[4])
        assert [kind for kind, *_ in told(lake)] == ["incident", "resolved"], order


@pytest.mark.slow
@given(st.lists(st.sampled_from("s-b"), min_size=4, max_size=12))
@settings(max_examples=15, derandomize=True, deadline=None)
def test_what_is_open_is_what_lasts(parcels_case, tmp_path_factory, letters):
    lake = Lake(str(tmp_path_factory.mktemp("story")))
    promote(lake)
    measured(parcels_case, lake, "".join(letters))
    for place, key in enumerate(DAYS[: len(letters)]):
        recent = letters[max(0, place - 2) : place + 1]
        lasting = {"prediction_drift"} if recent.count("s") >= 2 else set()
        lasting |= {"broken_feed"} if letters[place] == "b" else set()
        for kind in lasting:
            open_(parcels_case, lake, key, kind)
        resolve(parcels_case, lake, key)
        assert {r.facts["kind"] for r in incidents.unclosed(parcels_case, lake)} == lasting


# ---- deliveries --------------------------------------------------------------------------------------------------


def test_a_blocked_delivery_is_broken_data_until_it_is_replaced_or_lies_far_back(parcels_case, lake, tmp_path):
    inbox, day = tmp_path / "inbox", DAYS[3]
    parcels.drop(parcels_case, inbox, DAYS[:5])
    file = inbox / f"parcels/{day}.csv"
    sound = file.read_text()
    file.write_text("\n".join([sound.splitlines()[0], *[f"{n},A,heavy,today,now" for n in range(30)]]) + "\n")
    with pytest.raises(DeliveryBlocked):
        ingest.stage(parcels_case, "parcels", DAYS[:5], lake, inbox)
    at = [calendar(parcels_case).at(key) for key in DAYS[:8]]
    said = [incidents.broken_feed(parcels_case, one, lake) for one in at]
    why = f"blocked deliveries wait for a person: parcels of {day}"
    assert said == [None, None, None, why, why, None, None, None], "a window of two partitions"
    file.write_text(sound)
    ingest.stage(parcels_case, "parcels", [day], lake, inbox)
    assert incidents.broken_feed(parcels_case, at[3], lake) is None


# ---- a whole life ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_was_watched_is_settled_once_and_woken_for_until_it_is_over(drifting):
    case, lake, day = drifting.case, drifting.lake, "2024-01-20"
    at, champion = calendar(case).at(day), Ledger(lake, "parcels").state().champion
    assert monitor.watch_partitions(case, [day], lake).due
    first = monitor.settle(case, at, lake, who="test")
    assert first == {"opened": [f"feature_drift:{champion}"], "resolved": []}
    assert monitor.settle(case, at, lake, who="test") == {"opened": [], "resolved": []}
    calm = lake.read("monitor/parcels", ["2024-01-18"])
    place = calm.schema.get_field_index("partition")
    for key in ("2024-01-19", day):
        lake.replace("monitor/parcels", calm.set_column(place, "partition", [[key] * len(calm)]), [key])
    assert [why for _, why in incidents.over(case, at, lake)] == [
        f"fewer than 2 of the last 3 partitions up to {day} are alarming"
    ]
