"""What is known of labels, from the lake: for estimates that go on when labels stop, and begin with a new champion."""

import numpy as np
import pyarrow as pa
import pytest
from tests import parcels
from tests.watching import LATE, MARKS, MONITOR, QUIET, at, champion, measured, watch

from updraft import dataset
from updraft.life import labels, monitor, train
from updraft.life.train import examined
from updraft.model import store
from updraft.partition import calendar

pytestmark = pytest.mark.slow


def known(world, key, case=None):
    truth = labels.with_labels(world.case, world.lake, [])
    model = train.comparable(world.lake, case or world.case, champion(world))
    return labels.known(case or world.case, at(world, key), world.lake, champion(world), model, truth)


def stop_labels(world, tmp_path, first, kept_before):
    """Let no arrivals be delivered from a partition on, nor labels be there from another one on."""
    for mark in (tmp_path / "lake" / MARKS).iterdir():
        if mark.name >= first:
            mark.unlink()
    rows = world.lake.read("labels/parcels")
    kept = rows.filter(pa.compute.less(rows["partition"], kept_before))
    world.lake.replace("labels/parcels", kept, world.lake.partitions("labels/parcels"))


def test_a_fresh_champion_is_known_by_rows_it_did_not_learn_from(observed):
    model = store.load(observed.lake, "parcels", champion(observed))
    learnt = {key for name in ("train", "validation") for key in model.manifest.windows[name]}
    rows = known(observed, QUIET)
    assert set(rows["partition"]) >= set(model.manifest.windows["holdout"])
    assert not set(rows["partition"]) & learnt
    assert rows["late"].notna().mean() > 0.9
    assert np.allclose(rows["score"], model.predict(rows)), "what it says itself, whoever decided then"


def test_a_champion_is_known_by_its_own_scores_where_it_decided(drifting):
    monitor.mature(drifting.case, at(drifting, "2024-01-25"), drifting.lake)
    rows = known(drifting, "2024-01-25")
    assert sorted(set(rows["partition"]))[-1] == "2024-01-22"
    assert rows["partition"].nunique() == labels.LEAST
    assert not rows.duplicated(["partition", "parcel"]).any()
    assert set(rows.loc[rows["partition"] >= "2024-01-16", "role"]) == {"champion"}


def test_nothing_is_known_of_labels_that_are_not_mature(observed):
    assert len(known(observed, "2024-01-02")) == 0


def test_labels_by_another_definition_are_not_known(observed, tmp_path):
    other = parcels.write(tmp_path, parcels.FEATURES, parcels.LABEL.replace("> 0", "> 1"))
    assert len(known(observed, QUIET, other)) == 0


def test_estimates_are_made_before_any_label_of_the_champions_own_is_mature(observed):
    watch(observed, QUIET)
    assert measured(observed, QUIET, "auc")["status"] == "unknown"
    found = measured(observed, QUIET, "estimated_auc")
    assert (found["status"], found["n"]) == ("ok", 2 * parcels.PER_DAY)
    held = examined(observed.case, observed.lake, champion(observed))["metrics"]["auc"]["value"]
    assert abs(found["value"] - held) < 0.08
    assert measured(observed, QUIET, "label_outage")["status"] == "unknown", "nothing is mature, and that is no outage"


def test_when_labels_stop_there_is_an_alarm_of_its_own_and_estimates_go_on(drifting, tmp_path):
    stop_labels(drifting, tmp_path, "2024-01-19", "2024-01-17")
    watch(drifting, LATE)
    outage = measured(drifting, LATE, "label_outage")
    assert (outage["status"], outage["value"]) == ("drifted", 2)
    assert outage["reason"].startswith("performance is unknown since 2024-01-19 (2 partitions): waits for arrivals")
    assert measured(drifting, LATE, "auc")["status"] == "unknown"
    estimated = measured(drifting, LATE, "estimated_auc")
    assert estimated["value"] > 0.5
    assert "up to 2024-01-16" in estimated["reason"]


def test_estimates_meet_their_labels_and_the_record_says_that_the_world_turned(drifting):
    """The parcels turned on the nineteenth: an estimate that rests on older labels is far too good, and it shows."""
    days = ["2024-01-18", "2024-01-19", "2024-01-20", "2024-01-21", "2024-01-22", "2024-01-23", "2024-01-24"]
    watch(drifting, *days, "2024-01-25")
    errors = {r["partition"]: r["value"] for r in rows_of(drifting, "estimate_error") if r["value"] is not None}
    said = {r["partition"]: r["value"] for r in rows_of(drifting, "estimated_auc")}
    came = {r["partition"]: r["value"] for r in rows_of(drifting, "auc")}
    step = calendar(drifting.case).step
    for key, error in errors.items():
        made = step(at(drifting, key), -3).key
        assert error == pytest.approx(said[made] - came[key])
    assert max(errors.values()) > 0.2
    assert measured(drifting, "2024-01-25", "estimate_mae")["n"] == len(errors)
    assert measured(drifting, "2024-01-25", "estimated_auc")["status"] == "unknown"


def rows_of(world, metric):
    rows = world.lake.read(MONITOR).to_pylist()
    return [r for r in rows if r["metric"] == metric and r["subject"] == "all"]


def test_the_share_of_labels_is_by_partition_whoever_scored(drifting):
    keys = ["2024-01-17", "2024-01-20"]
    dataset.mature_labels(drifting.case, keys, drifting.lake)
    found = labels.share(labels.with_labels(drifting.case, drifting.lake, keys), "late")
    assert list(found) == keys
    assert all(0.9 < one <= 1 for one in found.values())
