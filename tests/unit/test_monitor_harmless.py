import math

import pytest

from updraft.monitor.harmless import harmless
from updraft.monitor.table import Measurement

WEEK = [f"2013-04-{day:02}" for day in range(8, 15)]


def auc(status="ok", metric="auc", subject="all"):
    return Measurement("2013-04-16", metric, subject, 0.8, 900, status, "AUC 0.800, holdout 0.810")


@pytest.mark.parametrize("kind", ["prediction_drift", "multivariate_drift", "feature_drift"])
@pytest.mark.parametrize("since", ["2013-04-08", "2013-04-01"])
def test_drift_is_harmless_once_labels_of_as_many_partitions_as_a_look_has_say_so(kind, since):
    assert harmless(kind, since, WEEK, [auc()]) == "AUC 0.800, holdout 0.810, in 2013-04-08 to 2013-04-14"


@pytest.mark.parametrize(
    ("kind", "since", "pooled", "measured"),
    [
        pytest.param("feature_drift", "2013-04-09", WEEK, [auc()], id="one of the partitions is older than it"),
        pytest.param("feature_drift", "2013-04-08", [], [auc()], id="nothing is mature"),
        pytest.param("feature_drift", "2013-04-08", WEEK, [], id="nothing was measured"),
        pytest.param("feature_drift", "2013-04-08", WEEK, [auc("unknown")], id="labels do not say"),
        pytest.param("feature_drift", "2013-04-08", WEEK, [auc("drifted")], id="labels show harm"),
        pytest.param("feature_drift", "2013-04-08", WEEK, [auc(metric="estimated_auc")], id="an estimate is no label"),
        pytest.param("feature_drift", "2013-04-08", WEEK, [auc(subject="windy")], id="a slice is not all"),
        pytest.param("performance", "2013-04-08", WEEK, [auc()], id="not a warning"),
        pytest.param("calibration", "2013-04-08", WEEK, [auc()], id="seen in labels itself"),
    ],
)
def test_it_is_not_called_harmless_when(kind, since, pooled, measured):
    assert harmless(kind, since, pooled, measured) == ""


def test_a_metric_of_another_kind_of_problem_counts_as_well():
    rmse = Measurement("2013-04-16", "rmse", "all", 1.0, 900, "ok", "RMSE 1.0", limit=math.inf)
    assert harmless("feature_drift", "2013-04-08", WEEK, [rmse]).startswith("RMSE 1.0")
