import pandas as pd
import pytest
from tests import tiny

from updraft.errors import TrainingRefused
from updraft.train import sufficiency
from updraft.train.split import Split

CASE = tiny.case(min_rows=10, min_positives=2)
WINDOWS = Split(train=("1", "2"), validation=("4",), holdout=("6",))


def rows(**ones):
    """Ten rows per partition, of which the named partitions have other counts of ones than five."""
    counts = {"p1": 5, "p2": 5, "p4": 5, "p6": 5} | ones
    labels = [(key[1:], float(row < count)) for key, count in counts.items() for row in range(10)]
    return pd.DataFrame(labels, columns=["partition", "late"])


def test_enough_of_both_kinds_in_every_window_passes():
    sufficiency.check(CASE, rows(), WINDOWS)
    sufficiency.check(CASE, rows(p1=0, p2=2, p4=8, p6=2), WINDOWS)


@pytest.mark.parametrize(
    ("data", "said", "advice"),
    [
        pytest.param(rows()[15:], "1..2 has 5 labelled rows, 10 are needed", "model.min_rows", id="few rows"),
        pytest.param(
            rows(p1=0, p2=0), "train window 1..2 has 0 rows labelled 1 and 20", "check label.sql", id="no ones"
        ),
        pytest.param(rows(p1=10, p2=10), "0 rows labelled 0 and 20 labelled 1", "check label.sql", id="only ones"),
        pytest.param(rows(p1=1, p2=0), "1 rows labelled 1 and 19 labelled 0, 2 of", "backfill", id="few ones"),
        pytest.param(
            rows(p4=9),
            "4..4 has 1 rows labelled 0 and 9",
            "`model.validation` longer",
            id="few in validation",
        ),
        pytest.param(rows(p6=1), "holdout window 6..6 has 1", "`model.holdout` longer", id="few in holdout"),
        pytest.param(rows().replace({"late": {0.0: 2.0}}), "20 of 40 labels are neither", "label.sql", id="odd labels"),
        pytest.param(rows().replace({"late": {0.0: None}}), "20 of 40 labels are neither", "null", id="null labels"),
    ],
)
def test_data_no_honest_model_can_come_from_is_refused(data, said, advice):
    with pytest.raises(TrainingRefused) as refused:
        sufficiency.check(CASE, data, WINDOWS)
    assert said in refused.value.what
    assert advice in refused.value.next_step
