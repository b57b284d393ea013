import pandas as pd
from tests.week import CASE, CHAMPION, DAY, HOLDOUT, PROFILE, rows

from updraft.monitor.measures import discover, features, performance, scores
from updraft.monitor.window import Window


def window(frame: pd.DataFrame) -> Window:
    return Window(CASE, DAY, CHAMPION, PROFILE, frame, frame, frame, {}, HOLDOUT)


def test_every_kind_of_measure_is_found_by_its_folder():
    found = discover()
    assert {"features", "performance", "scores"} <= set(found)
    assert all(m.partition == DAY for measure in found.values() for m in measure(window(rows())))


def test_each_kind_measures_what_its_name_says():
    frame = rows()
    assert {m.metric for m in features.measure(window(frame))} >= {"feature_psi", "missing_psi", "drifted_share"}
    assert {m.metric: m.value for m in scores.measure(window(frame))}["scored"] == len(frame)
    assert {m.subject: m.value for m in performance.measure(window(frame)) if m.metric == "labels"}["missing"] == 0
