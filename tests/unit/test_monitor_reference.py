import json

import numpy as np
import pandas as pd
import pytest
from tests.monitored import use_case

from updraft.errors import ModelRejected
from updraft.monitor.drift import stability
from updraft.monitor.histogram import Histogram
from updraft.monitor.reference import MOST_LEVELS, Profile, Seen, from_bytes, profile, to_bytes

FRAME = pd.DataFrame({"temp": [3.0, 1.0, np.nan, 2.0], "carrier": ["UA", None, "AA", "UA"], "id": [1, 2, 3, 4]})


def test_a_profile_counts_the_declared_features_and_the_scores():
    assert profile(FRAME, use_case(), [0.1, 0.2, 0.1]) == Profile(
        features={
            "temp": Histogram("number", (1.0, 2.0), (1, 1, 1, 1)),
            "carrier": Histogram("category", ("AA", "UA"), (1, 2, 0, 1)),
        },
        scores=Histogram("number", (0.1,), (2, 1, 0)),
        seen={
            "temp": Seen(1.0, 3.0, spread=pytest.approx(0.816, abs=1e-3), sums=(1.0, 2.0, 3.0)),
            "carrier": Seen(levels=("AA", "UA")),
        },
    )


def test_partitions_are_counted_one_by_one_where_rows_say_theirs():
    frame = FRAME.assign(partition=["2013-01-02", "2013-01-01", "2013-01-02", "2013-01-02"])
    made = profile(frame, use_case(), [0.1], {"temp": 0.75, "carrier": 0.25})
    assert made.partitions == ("2013-01-01", "2013-01-02")
    assert made.part("temp").tolist() == [[1, 0, 0, 0], [0, 1, 1, 1]]
    assert made.part("carrier").sum(axis=0).tolist() == list(made.features["carrier"].counts)
    assert made.importance == {"temp": 0.75, "carrier": 0.25}
    assert from_bytes(to_bytes(made)) == made
    assert profile(FRAME, use_case(), [0.1]).part("temp").shape == (0, 4)


def test_how_many_new_categories_are_usual_is_kept():
    days = [f"2013-01-0{n}" for n in (1, 2, 3, 4)]
    carriers = [*"AB", *"AC", *"AB", *"CD"]  # half of the rows of the second and of the fourth day are new
    frame = pd.DataFrame({"temp": 0.0, "carrier": carriers, "partition": np.repeat(days, 2)})
    assert profile(frame, use_case(), [0.1]).seen["carrier"].fresh == 0.5
    calm = frame.assign(carrier=[*"AB", *"AC", *"AB", *"CA"])
    assert profile(calm, use_case(), [0.1]).seen["carrier"].fresh == 0.0


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        pytest.param([np.nan, np.inf], Seen(), id="no number"),
        pytest.param([5.0, -np.inf, -1.0], Seen(-1.0, 5.0, spread=3.0, sums=(-1.0, 5.0)), id="finite ones count"),
    ],
)
def test_bounds_are_those_of_finite_numbers(values, seen):
    frame = pd.DataFrame({"temp": values, "carrier": [None] * len(values)})
    assert profile(frame, use_case(), [0.1]).seen == {"temp": seen, "carrier": Seen(levels=())}


def test_categories_too_many_to_keep_are_not_kept():
    frame = pd.DataFrame({"temp": 0.0, "carrier": [f"c{n}" for n in range(MOST_LEVELS + 1)]})
    assert profile(frame, use_case(), [0.1]).seen["carrier"] == Seen()


def test_a_profile_of_an_earlier_version_is_read():
    old = {
        k: v for k, v in json.loads(to_bytes(profile(FRAME, use_case(), [0.1]))).items() if k in ("features", "scores")
    }
    read = from_bytes(json.dumps(old).encode())
    assert (read.seen, read.partitions, read.importance, len(read.part("temp"))) == ({}, (), {}, 0)
    before = json.dumps({**old, "seen": {"temp": {"low": 1.0, "high": 3.0, "levels": None}}}).encode()
    assert from_bytes(before).seen == {"temp": Seen(1.0, 3.0)}


def test_features_that_models_do_not_see_are_not_watched():
    hidden = {"temp": {"type": "number"}, "carrier": {"type": "category", "learn": False}}
    assert set(profile(FRAME, use_case(features=hidden), [0.1]).features) == {"temp"}


def test_a_profile_survives_the_lake_and_the_same_profile_gives_the_same_bytes():
    made = profile(FRAME, use_case(), [0.1, 1 / 3])
    content = to_bytes(made)
    assert from_bytes(content) == made
    assert to_bytes(profile(FRAME[::-1], use_case(), [1 / 3, 0.1])) == content
    lists = ["partitions", "parts", "run_width", "told_apart"]
    assert list(json.loads(content)) == sorted(["conduct", "features", "importance", "scores", "seen", *lists])


def test_a_profile_is_small_however_many_rows_it_stands_for():
    random = np.random.default_rng(1)
    rows = 20_000
    frame = pd.DataFrame(
        {"temp": random.normal(size=rows), "carrier": random.choice([f"c{i}" for i in range(500)], rows)}
    )
    assert len(to_bytes(profile(frame, use_case(), random.random(rows)))) < 5000


def test_drift_needs_the_profile_alone():
    made = from_bytes(to_bytes(profile(pd.concat([FRAME] * 500), use_case(), [0.1, 0.2])))
    same, gone = np.array(FRAME["temp"].tolist() * 500), np.full(2000, np.nan)
    before = made.features["temp"]
    assert stability(np.asarray(before.counts), before.count(same)) == 0
    assert stability(np.asarray(before.counts), before.count(gone)) > 1


GOOD = (
    b'{"features":{"a":{"kind":"number","cuts":[1.0],"counts":[1,2,0]}},'
    b'"scores":{"kind":"number","cuts":[],"counts":[1,0]}}'
)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(GOOD[:-1], id="cut short"),
        pytest.param(b"[]", id="another shape"),
        pytest.param(GOOD.replace(b'"scores"', b'"other"'), id="no scores"),
        pytest.param(GOOD.replace(b'"number"', b'"thing"', 1), id="unknown kind"),
        pytest.param(GOOD.replace(b"[1,2,0]", b"[1,2]"), id="a count too few"),
        pytest.param(GOOD.replace(b"[1,2,0]", b"[1,-2,0]"), id="a negative count"),
        pytest.param(GOOD.replace(b"[1,2,0]", b'[1,"2",0]'), id="a count as text"),
        pytest.param(GOOD.replace(b"1.0", b"NaN"), id="a cut that is no number"),
        pytest.param(GOOD.replace(b"1.0", b'"x"'), id="a level of a number"),
    ],
)
def test_bytes_that_are_no_profile_are_refused_with_a_next_step(content):
    with pytest.raises(ModelRejected, match="Next: compare its digest"):
        from_bytes(content)


def test_the_bytes_used_above_are_good_when_left_alone():
    assert from_bytes(GOOD).features["a"].rows == 3


def test_what_is_derived_of_a_profile_is_found_once_and_not_kept_in_the_lake():
    frame = FRAME.assign(partition=["2013-01-02", "2013-01-01", "2013-01-02", "2013-01-02"])
    made = profile(frame, use_case(), [0.1])
    before = to_bytes(made)
    assert made.part("temp") is made.part("temp")
    assert made.derived
    assert to_bytes(made) == before
    assert from_bytes(before) == made
