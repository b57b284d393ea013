"""A model's life without Airflow: from files in an inbox to a retrained model, with all promises kept."""

import json

import pytest
from tests import parcels, promises

from updraft.errors import DeliveryMissing, NoChampion
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life.run import STAGES, Life
from updraft.partition import calendar
from updraft.registry import Registry

pytestmark = pytest.mark.slow  # trains, and ingests files
HISTORY, AT, DAYS = ("2024-01-01", "2024-01-18"), "2024-01-18", ["2024-01-19", "2024-01-20"]


def keys(case, first, last):
    return calendar(case).keys(first, last)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """The use case with a cooldown of a day, so that the second alarm already asks for a training."""
    return parcels.write(tmp_path_factory.mktemp("use_cases"), retrain={"cooldown": "1d"})


@pytest.fixture(scope="module")
def lived(impatient, _shown, tmp_path_factory):
    """A whole life, and everything that was told of it by stage."""
    folder = tmp_path_factory.mktemp("life")
    registry = _shown.copy(folder / "mlflow").registry
    life = Life(impatient, Lake(str(folder / "lake")), registry, folder / "inbox")
    history = keys(impatient, *HISTORY)
    parcels.drop(impatient, life.inbox, [*history, *DAYS])
    told = [*life.ingest(history), *life.features(history), *life.train([AT])]
    return life, [*told, *life.life(DAYS)]


def of(told, stage):
    return [{k: v for k, v in event.items() if k != "stage"} for event in told if event["stage"] == stage]


def test_every_stage_can_be_called_by_its_name():
    assert all(callable(getattr(Life, stage)) for stage in STAGES)


def test_a_life_goes_through_its_stages_in_order(lived):
    _, told = lived
    first = ["ingest", "ingest", "features", "train", "gates", "promote"]
    day = ["ingest", "ingest", "features", "score", "monitor"]
    assert [event["stage"] for event in told] == [*first, *day, *day, "retrain", "train", "gates", "promote"]


def test_what_is_told_is_small_json(lived):
    for event in lived[1]:
        assert len(json.dumps(event, allow_nan=False)) < 4096, event["stage"]


def test_what_was_delivered_was_published_built_and_scored(lived):
    life, told = lived
    taken_in = {event["source"]: event["rows"] for event in of(told, "ingest")[:2]}
    assert taken_in == {"parcels": 18 * parcels.PER_DAY, "arrivals": 16 * parcels.PER_DAY}
    assert of(told, "features")[0]["rows"] == 18 * parcels.PER_DAY
    assert [(event["rows"], event["refused"]) for event in of(told, "score")] == [(parcels.PER_DAY, 0)] * 2
    assert life.lake.partitions("scores/parcels") == DAYS


def test_the_first_model_was_promoted_and_the_second_was_no_better(lived):
    life, told = lived
    first, second = of(told, "promote")
    assert (first["outcome"], first["alias"]) == ("promoted", "follows")
    assert (second["outcome"], second["champion"]) == ("rejected", first["champion"])
    assert Ledger(life.lake, "parcels").state().champion == first["champion"]


def test_the_drift_was_seen_recorded_and_answered(lived):
    life, told = lived
    quiet, loud = of(told, "monitor")
    assert (bool(quiet["alarms"]), quiet["incident"], loud["due"]) == (True, None, True)
    assert loud["incident"]["kind"] == "feature_drift"
    (decision,) = of(told, "retrain")
    assert decision["action"] == "retrain"
    kinds = [r.kind for r in Ledger(life.lake, "parcels").records()]
    assert kinds == ["trained", "gated", "promoted", "confirmed", "incident", "decided", "trained", "gated", "rejected"]


def test_all_promises_are_kept_after_a_life_and_after_living_it_again(lived):
    life, _ = lived
    before = promises.acknowledged(life.lake, life.case)
    assert promises.broken(life.lake, life.case, registry=life.registry) == []
    told = list(life.life(DAYS[:1]))
    assert of(told, "score")[0]["rows"] == parcels.PER_DAY
    assert promises.broken(life.lake, life.case, before=before, registry=life.registry) == []
    assert len(Ledger(life.lake, "parcels").records()) == len(before.decisions), "nothing new to decide"


def test_without_a_champion_a_life_goes_as_far_as_the_features(impatient, tmp_path):
    registry = Registry(f"sqlite:///{tmp_path / 'never_opened.db'}", str(tmp_path))
    life = Life(impatient, Lake(str(tmp_path / "lake")), registry, tmp_path / "inbox")
    parcels.drop(impatient, life.inbox, ["2024-01-01"])
    told = list(life.life(["2024-01-01"]))
    assert told[-1] == {"stage": "score", "partition": "2024-01-01", "skipped": "no champion yet; run `train`"}
    with pytest.raises(NoChampion):
        list(life.score(["2024-01-01"]))
    with pytest.raises(DeliveryMissing):
        list(life.ingest(["2024-01-02"]))
