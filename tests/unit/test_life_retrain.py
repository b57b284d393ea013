import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pyarrow as pa
import pytest
from tests import parcels, promises

from updraft import ingest, score
from updraft.errors import DeliveryBlocked
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import incidents, monitor, retrain
from updraft.monitor import table
from updraft.monitor.table import Measurement
from updraft.partition import calendar
from updraft.spec.load import digest as spec_digest

pytestmark = pytest.mark.slow

QUIET, FIRST, COOLING, READY, NEXT = "2024-01-18", "2024-01-19", "2024-01-21", "2024-01-23", "2024-01-24"


def consider(world, key):
    return retrain.consider(world.case, calendar(world.case).at(key), world.lake, who="test")


def decisions(world):
    return [r for r in Ledger(world.lake, "parcels").records() if r.kind == "decided"]


def append(world, kind, key, **more):
    return Ledger(world.lake, "parcels").append(kind, **{"why": "by hand", "who": "test", "partition": key, **more})


# ---- one decision, with its reason -------------------------------------------------------------------------------


def test_while_nothing_lasts_nothing_is_done_and_that_is_recorded(observed):
    champion = Ledger(observed.lake, "parcels").state().champion
    said = consider(observed, QUIET)
    expected = ("none", "calm", "no incident at 2024-01-18", champion)
    assert (said["action"], said["kind"], said["because"], said["champion"]) == expected
    assert consider(observed, QUIET) == said
    (record,) = decisions(observed)
    assert (record.partition, record.why, record.model) == (QUIET, said["because"], champion)
    assert (record.facts["action"], record.facts["kind"], record.facts["numbers"]) == ("none", "calm", said["numbers"])


def test_one_alarm_alone_trains_nothing(drifting):
    assert consider(drifting, FIRST)["because"] == "no incident at 2024-01-19"


def test_soon_after_a_training_an_incident_has_to_wait(drifting):
    said = consider(drifting, COOLING)
    assert said["action"] == "none"
    assert said["because"].startswith("feature_drift in 3 of the last 3 partitions")
    assert "but last trained at 2024-01-17 18:00, cooldown of 5d until 2024-01-22 18:00" in said["because"]
    assert decisions(drifting)[0].facts["incident"].startswith("feature_drift:")


def test_an_incident_that_outlasts_the_cooldown_asks_for_one_training(drifting):
    said = consider(drifting, READY)
    assert said["action"] == "retrain"
    assert "feature_drift in 3 of the last 3" in said["because"]
    (record,) = decisions(drifting)
    assert record.facts["incident"].startswith(f"{said['kind']}:")
    assert record.facts["numbers"]["new_mature_partitions"] == 5, "the 16th to the 20th"
    assert consider(drifting, READY) == said, "asked again, it is the same decision"
    assert len(decisions(drifting)) == 1
    later = consider(drifting, NEXT)
    assert later["action"] == "none"
    assert "last trained at 2024-01-22 18:00" in later["because"], "what was asked for counts before it ends"


def test_a_refused_training_counts_as_one(drifting):
    append(drifting, "refused", "2024-01-22")
    assert "cooldown of 5d until" in consider(drifting, READY)["because"]


def test_a_spent_budget_is_a_reason_to_wait(drifting):
    append(drifting, "decided", "2024-01-10", facts={"action": "retrain"})
    said = consider(drifting, READY)
    assert said["action"] == "none"
    assert said["because"].endswith("1 of 1 trainings within 30d are spent")


def test_an_alarm_every_day_trains_no_more_often_than_declared(drifting):
    days = [f"2024-01-{day}" for day in range(19, 26)]
    actions = [consider(drifting, day)["action"] for day in days]
    assert actions == ["none", "none", "none", "none", "retrain", "none", "none"]
    told = [(record.partition[-2:], record.facts["kind"]) for record in decisions(drifting)]
    assert told == [
        ("19", "calm"), ("20", "feature_drift/cooldown"), ("23", "feature_drift"), ("24", "performance/cooldown"),
    ]  # fmt: skip
    assert all(record.why for record in decisions(drifting))
    assert promises.broken(drifting.lake, drifting.case) == []


def test_a_decision_about_a_past_partition_asks_for_no_second_training(drifting):
    assert consider(drifting, NEXT)["action"] == "retrain"
    said = consider(drifting, READY)
    assert said["action"] == "none"
    assert "a training stood at 2024-01-23 18:00 already, later than 2024-01-23" in said["because"]


# ---- without a champion ------------------------------------------------------------------------------------------


def test_without_a_champion_the_first_training_is_asked_for(parcels_case, delivered):
    said = retrain.consider(parcels_case, calendar(parcels_case).at(QUIET), delivered, who="test")
    assert (said["action"], said["because"], said["champion"]) == ("retrain", "no champion yet", None)
    (record,) = Ledger(delivered, "parcels").records()
    assert record.facts["numbers"]["new_mature_partitions"] == 15


def test_before_anything_is_mature_no_training_is_asked_for(parcels_case, delivered):
    said = retrain.consider(parcels_case, calendar(parcels_case).at("2024-01-02"), delivered, who="test")
    assert (said["action"], said["because"]) == (
        "none", "no champion yet; but no partition has matured since the last training",
    )  # fmt: skip


def test_broken_data_is_an_incident_before_there_is_a_champion_too(parcels_case, tmp_path):
    lake, inbox, at = Lake(str(tmp_path / "lake")), tmp_path / "inbox", calendar(parcels_case).at("2024-01-02")
    parcels.drop(parcels_case, inbox, [at.key])
    file = inbox / f"parcels/{at.key}.csv"
    sound = file.read_text()
    file.write_text("\n".join([sound.splitlines()[0], *[f"{n},A,heavy,today,now" for n in range(30)]]) + "\n")
    with pytest.raises(DeliveryBlocked):
        ingest.stage(parcels_case, "parcels", [at.key], lake, inbox)
    assert retrain.consider(parcels_case, at, lake, who="test")["action"] == "quarantine"
    file.write_text(sound)
    ingest.stage(parcels_case, "parcels", [at.key], lake, inbox)
    assert retrain.consider(parcels_case, at, lake, who="test")["kind"] == "no_champion/nothing_new"
    kinds = [(record.kind, record.model) for record in Ledger(lake, "parcels").records()]
    assert kinds == [("incident", None), ("decided", None), ("resolved", None), ("decided", None)]


# ---- a broken feed -----------------------------------------------------------------------------------------------


def test_a_broken_feed_is_quarantined_and_never_learnt(observed):
    """The weights went missing: everything drifts, and a model fitted to that would be worse than the old one."""
    stored = observed.lake.read("features/parcels", ["2024-01-17", QUIET])
    place = stored.schema.get_field_index("weight")
    broken = stored.set_column(place, "weight", pa.nulls(len(stored), pa.float64()))
    observed.lake.replace("features/parcels", broken, ["2024-01-17", QUIET])
    champion = score.pin(observed.case, observed.lake)
    score.partitions(observed.case, ["2024-01-17", QUIET], observed.lake, champion=champion, rescore=True)
    said = consider(observed, QUIET)
    assert said["action"] == "quarantine"
    assert said["because"].startswith("the feed is broken: weight (")
    assert "values went missing: weight (" in said["because"]
    assert said["because"].endswith("retraining would learn the fault")
    assert [r.facts["kind"] for r in incidents.unclosed(observed.case, observed.lake)] == ["broken_feed"]


# ---- events only wake it -----------------------------------------------------------------------------------------

WEEK = ["2024-01-19", "2024-01-20", COOLING, "2024-01-22", READY, NEXT, "2024-01-25"]


@pytest.mark.parametrize(
    "woken",
    [
        pytest.param(WEEK, id="by every event"),
        pytest.param([key for key in WEEK for _ in range(2)], id="by every event twice", marks=pytest.mark.deep),
        pytest.param([READY], id="by one alone"),
        pytest.param([COOLING, READY, QUIET, COOLING, NEXT], id="by some, late and out of order"),
    ],
)
def test_lost_doubled_and_late_events_change_nothing(drifting, woken):
    for key in woken:
        consider(drifting, key)
    asked = [record.partition for record in decisions(drifting) if record.facts["action"] == "retrain"]
    opened = [r for r in Ledger(drifting.lake, "parcels").records() if r.kind == "incident"]
    assert asked == [READY]
    assert len({r.facts["identity"] for r in opened}) == len(opened), "each incident once"
    assert promises.broken(drifting.lake, drifting.case) == []


def test_a_look_before_the_partition_is_scored_sees_the_newest_that_is(drifting):
    said = consider(drifting, "2024-01-27")
    assert said["action"] == "retrain"
    assert "2024-01-25" in said["because"]


def test_what_somebody_outside_said_is_kept_and_decides_nothing(observed):
    at = calendar(observed.case).at(QUIET)
    said = retrain.consider(observed.case, at, observed.lake, who="test", reason="a new depot opened")
    assert (said["action"], said["kind"]) == ("none", "calm")
    assert decisions(observed)[0].facts["reason"] == "a new depot opened"


# ---- what is not done is recorded, and bounded -------------------------------------------------------------------


def test_a_reason_not_to_act_is_recorded_about_once_a_month_however_often_and_in_what_order(parcels_case, tmp_path):
    """Without a champion and without labels: the cheapest state that lasts."""
    keys = calendar(parcels_case).keys("2024-01-01", "2024-04-09")
    for name, order in {"in order": keys, "backwards": keys[::-1], "shuffled": _shuffled(keys)}.items():
        lake = Lake(str(tmp_path / name))
        said = [
            retrain.consider(parcels_case, calendar(parcels_case).at(key), lake, who="test")["kind"] for key in order
        ]
        assert set(said) == {"no_champion/nothing_new"}, "every look is answered"
        kept = sorted(record.partition for record in Ledger(lake, "parcels").records())
        assert 1 <= len(kept) <= len(keys) / retrain.REMINDED + 1, name
        places = [keys.index(key) for key in kept]
        assert all(later - former >= retrain.REMINDED for former, later in pairwise(places))


def _shuffled(keys):
    return random.Random(1).sample(keys, len(keys))


def test_another_reason_is_recorded_at_once(drifting):
    patient = drifting.case.retrain.model_copy(update={"cooldown": timedelta(days=9)})
    case = drifting.case.model_copy(update={"retrain": patient})
    for key in ("2024-01-19", "2024-01-20", COOLING, NEXT):
        retrain.consider(case, calendar(case).at(key), drifting.lake, who="test")
    told = ["calm", "feature_drift/cooldown", "performance/cooldown"]
    assert [record.facts["kind"] for record in decisions(drifting)] == told


# ---- against loops -----------------------------------------------------------------------------------------------

CHAMPION, DRIFT = "c" * 64, f"performance:{'c' * 64}"


def ledger_of(lake, *steps):
    """Records from words, each with a day: `asked`, `scheduled`, `followed`, `refused`, `same`, `promoted`."""
    ledger = Ledger(lake, "parcels")
    ledger.append("promoted", why="by hand", who="test", model=CHAMPION)
    for word, day in steps:
        about = {"why": "by hand", "who": "test", "partition": f"2024-01-{day:02}"}
        if word == "asked":
            ledger.append("decided", **about, facts={"action": "retrain", "incident": DRIFT})
        elif word in ("scheduled", "followed"):
            kind = {"scheduled": "schedule", "followed": "follow_up"}[word]
            ledger.append("decided", **about, facts={"action": "retrain", "kind": kind})
        elif word == "resolved":
            ledger.append("resolved", **about, facts={"identity": DRIFT})
        elif word == "same":
            ledger.append("trained", **about, model=CHAMPION)
        else:
            ledger.append(word, **about, model=None if word == "refused" else CHAMPION)
    return ledger.state()


@pytest.mark.parametrize(
    ("steps", "in_vain", "since_risen"),
    [
        pytest.param([], 0, 0, id="nothing yet"),
        pytest.param([("asked", 1)], 0, 0, id="still running"),
        pytest.param([("asked", 1), ("rejected", 1)], 1, 1, id="no better"),
        pytest.param([("asked", 1), ("refused", 1)], 1, 1, id="not possible"),
        pytest.param([("asked", 1), ("same", 1)], 1, 1, id="the champion again"),
        pytest.param([("asked", 1), ("rejected", 1), ("asked", 9), ("refused", 9)], 2, 2, id="in a row"),
        pytest.param([("asked", 1), ("rejected", 1), ("promoted", 9)], 0, 0, id="until one rises"),
        pytest.param([("asked", 1), ("rejected", 1), ("resolved", 9)], 0, 1, id="or it is over"),
        pytest.param([("scheduled", 1), ("rejected", 1)], 0, 1, id="a schedule may be in vain"),
        pytest.param([("followed", 1), ("rejected", 1)], 0, 1, id="a follow-up is none of the incident's"),
        pytest.param([("asked", 1), ("rejected", 2)], 0, 0, id="another training"),
        pytest.param([("asked", 20), ("rejected", 20)], 0, 0, id="of this very partition: a retry decides the same"),
    ],
)
def test_trainings_in_vain_are_counted_for_the_incident_and_for_the_champion(
    parcels_case, tmp_path, steps, in_vain, since_risen
):
    lake = Lake(str(tmp_path / "lake"))
    state = ledger_of(lake, *steps)
    found = retrain.model_state(parcels_case, calendar(parcels_case).at("2024-01-20"), lake, state)
    assert (found.in_vain, found.since_risen) == (in_vain, since_risen)


@pytest.mark.parametrize(
    ("facts", "day", "risen_on"),
    [
        pytest.param({"kind": "performance"}, 5, "performance", id="a loss of performance"),
        pytest.param({"kind": "follow_up"}, 5, "follow_up", id="a follow-up of one"),
        pytest.param({"kind": "calibration"}, 5, "calibration", id="another incident"),
        pytest.param({"kind": "schedule"}, 5, "", id="a schedule comes round by itself"),
        pytest.param({"kind": "performance"}, 4, "", id="another training"),
    ],
)
def test_it_is_known_what_the_champion_rose_on(parcels_case, tmp_path, facts, day, risen_on):
    lake = Lake(str(tmp_path / "lake"))
    ledger_of(lake, ("same", 5))
    about = {"why": "by hand", "who": "test", "partition": f"2024-01-{day:02}"}
    Ledger(lake, "parcels").append("decided", **about, facts={"action": "retrain", **facts})
    state = Ledger(lake, "parcels").state()
    at = calendar(parcels_case).at("2024-01-20")
    assert retrain.model_state(parcels_case, at, lake, state).risen_on == risen_on


def test_after_enough_attempts_a_person_is_asked(drifting):
    case = drifting.case.model_copy(
        update={"retrain": drifting.case.retrain.model_copy(update={"attempts": 1, "budget": 9})}
    )
    champion = Ledger(drifting.lake, "parcels").state().champion
    for kind, facts in (
        ("decided", {"action": "retrain", "incident": f"feature_drift:{champion}"}),
        ("rejected", {}),
    ):
        append(drifting, kind, "2024-01-15", facts=facts)
    said = retrain.consider(case, calendar(case).at(READY), drifting.lake, who="test")
    assert (said["action"], said["kind"]) == ("none", "feature_drift/attempts")
    assert said["because"].endswith(
        "1 trainings for it brought no better model, so another will not: a person has to look"
    )
    assert decisions(drifting)[-1].facts["asks"] == "Parcels"


def test_what_a_training_itself_sets_off_asks_for_no_other(drifting):
    """Without a cooldown: the run that it asked for ends, its events come back, and nothing has changed but that."""
    case = drifting.case.model_copy(
        update={"retrain": drifting.case.retrain.model_copy(update={"cooldown": timedelta(0), "budget": 99})}
    )
    at = calendar(case).at(READY)
    assert retrain.consider(case, at, drifting.lake, who="test")["action"] == "retrain"
    append(drifting, "refused", READY, facts={"spec": spec_digest(case), "code": "unversioned"})
    assert retrain.consider(case, at, drifting.lake, who="test")["because"].endswith("since the last training")
    asked = [record for record in decisions(drifting) if record.facts["action"] == "retrain"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("spec", "code", "changed"),
    [
        pytest.param("", "v1", "", id="the same"),
        pytest.param("", "v2", "the code", id="other code"),
        pytest.param("0" * 64, "v1", "the spec", id="another spec"),
        pytest.param("0" * 64, "v2", "the spec and the code", id="both"),
    ],
)
def test_a_training_on_the_same_rows_is_pointless_unless_spec_or_code_changed(
    parcels_case, tmp_path, spec, code, changed
):
    lake, at = Lake(str(tmp_path / "lake")), calendar(parcels_case).at("2024-01-20")
    facts = {"spec": spec or spec_digest(parcels_case), "code": "v1"}
    Ledger(lake, "parcels").append("trained", why="-", who="test", partition="2024-01-10", model=CHAMPION, facts=facts)
    state = Ledger(lake, "parcels").state()
    seen = retrain.model_state(parcels_case, at, lake, state, code_version=code)
    assert (seen.changed, seen.new_mature_partitions) == (changed, 0)


def test_mature_partitions_whose_labels_do_not_come_are_nothing_new(drifting, tmp_path):
    at, state = calendar(drifting.case).at(READY), Ledger(drifting.lake, "parcels").state()
    before = retrain.model_state(drifting.case, at, drifting.lake, state)
    assert (before.new_mature_partitions, before.new_labels > 4 * 50) == (5, True)
    for mark in (tmp_path / "lake/published/parcels/arrivals").iterdir():
        if mark.name >= "2024-01-19":
            mark.unlink()
    labels = drifting.lake.read("labels/parcels")
    kept = labels.filter(pa.compute.less(labels["partition"], "2024-01-16"))
    drifting.lake.replace("labels/parcels", kept, drifting.lake.partitions("labels/parcels"))
    seen = retrain.model_state(drifting.case, at, drifting.lake, state)
    assert (seen.new_mature_partitions, seen.new_labels) == (0, 0)


# ---- is it worth it ----------------------------------------------------------------------------------------------


def test_what_is_at_stake_is_the_drop_against_the_holdout_times_the_rows_until_the_next_training(observed):
    champion = Ledger(observed.lake, "parcels").state().champion
    watched = monitor.watch_partitions(observed.case, [QUIET], observed.lake)
    held = retrain.examined(observed.case, observed.lake, champion)["metrics"]["value"]["value"]
    every = table.from_arrow(observed.lake.read("monitor/parcels", [QUIET]))
    rows = [one for one in every if (one.metric, one.subject) != ("value_per_row", "all")]
    observed.lake.replace("monitor/parcels", table.to_arrow(rows), [QUIET])
    assert retrain._stake(observed.case, observed.lake, watched) is None, "nobody knows"
    rows.append(Measurement(QUIET, "value_per_row", "all", held - 0.5, 60, "info"))
    observed.lake.replace("monitor/parcels", table.to_arrow(rows), [QUIET])
    stake = retrain._stake(observed.case, observed.lake, watched)
    assert (stake.per_row, stake.rows) == (pytest.approx(0.5), 60 * 5), "60 parcels a day, a cooldown of five days"


# ---- several at once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [(READY, READY), (READY, NEXT)], ids=["one partition", "two partitions"])
def test_two_that_decide_at_once_ask_for_one_training(drifting, keys):
    gate = Barrier(2)

    def decide(key):
        gate.wait()
        return consider(drifting, key)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(decide, keys))
    asked = [record for record in decisions(drifting) if record.facts["action"] == "retrain"]
    assert len(asked) == 1
    assert len(decisions(drifting)) == len(set(keys))
    assert [s["action"] for s in said].count("retrain") == (2 if keys[0] == keys[1] else 1)
    assert promises.broken(drifting.lake, drifting.case) == []
