"""Training that would go round in circles: in vain, on the same rows, or set off by itself."""

from datetime import timedelta

import pyarrow as pa
import pytest
from tests.deciding import READY, append, decisions

from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import retrain
from updraft.partition import calendar
from updraft.spec.load import digest as spec_digest

pytestmark = pytest.mark.slow

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
