"""Every kind of leak is planted and named; rows without one pass, draw after draw."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests import planted

from updraft.evidence import leaks
from updraft.evidence.gates import leakage
from updraft.evidence.hindsight import Hindsight
from updraft.evidence.leaks import (
    clock,
    duplicates,
    future,
    key_reuse,
    key_tells,
    missingness,
    one_feature,
    target_copy,
)
from updraft.evidence.look import Look
from updraft.evidence.telling import tell

CASE = planted.case()
KINDS = (clock, duplicates, future, key_reuse, key_tells, missingness, one_feature, target_copy)


def found_in(rows: pd.DataFrame, use_case=CASE) -> set[tuple[str, str]]:
    look = Look(planted.unscored(rows), use_case, *planted.windows(rows))
    return {(leak.kind, leak.subject) for find in leaks.discover().values() for leak in find(look)}


def test_there_are_eight_kinds_and_each_finds_its_own_name():
    assert list(leaks.discover()) == [kind.__name__.rsplit(".", 1)[1] for kind in KINDS]
    assert {kind for kind, _, _ in planted.PLANTS.values()} == set(leaks.discover()) - {"future"}


@pytest.mark.parametrize("name", planted.PLANTS)
def test_a_planted_leak_is_named_and_nothing_else_is(name):
    kind, subject, _ = planted.PLANTS[name]
    assert found_in(planted.plant(name, planted.clean(3))) == {(kind, subject)}


@pytest.mark.parametrize("seed", range(12))
def test_rows_without_a_leak_pass(seed):
    assert found_in(planted.clean(100 + seed, per_day=80)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("family", ["logistic", "lightgbm"])
def test_a_model_that_learnt_from_a_leak_fails_the_gate_and_one_that_did_not_passes(family):
    rows, case = planted.clean(5), planted.case(family)
    assert leakage.gate(planted.evidence(rows, case), case).outcome == "PASS"
    for name, (kind, subject, _) in planted.PLANTS.items():
        verdict = leakage.gate(planted.evidence(planted.plant(name, rows), case), case)
        assert verdict.outcome == "FAIL", name
        assert verdict.reason.startswith(f"{kind}: "), name
        assert f"{kind}.{subject}" in verdict.numbers, name


def test_what_was_computed_with_knowledge_of_the_future_is_named():
    seen = planted.unscored(planted.clean(1), hindsight=Hindsight(("2024-01-30",), 150, {"rate": 150}, ("2024-01-30",)))
    verdict = leakage.gate(seen, CASE)
    assert verdict.outcome == "FAIL"
    assert verdict.reason == "future: rate of 2024-01-30 is not what was known at its moment, in 150 of 150 rows"


def test_rows_that_could_not_be_computed_again_are_no_pass():
    verdict = leakage.gate(
        planted.unscored(planted.clean(1), hindsight=Hindsight((), 0, unknown="the query fails")), CASE
    )
    assert (verdict.outcome, verdict.reason) == ("INSUFFICIENT", "no row could be computed again: the query fails")


# ---- what is no leak -------------------------------------------------------------------------------------------------


def test_customers_who_come_back_every_day_are_no_reuse_of_keys():
    rows = planted.clean(2)
    rows["id"] = [f"C{n:04}" for n in rows.groupby("partition").cumcount()]
    assert found_in(rows) == set()


def test_rows_that_agree_by_chance_are_no_copies():
    rows = planted.clean(2)
    rows = rows.assign(signal=rows["signal"].round(), weight=1.0, rate=0.3, extra=0.0, hour=1.0)
    assert found_in(rows) == set()


def test_the_same_trains_on_every_day_are_no_copies_though_their_keys_differ():
    rows = planted.clean(2)
    slot = rows.groupby("partition").cumcount().astype(float)
    rows = rows.assign(hour=slot, signal=slot % 7, weight=slot % 11, rate=0.3, extra=0.0, place="north", mark="a")
    assert found_in(rows) == set()


def test_a_delivery_that_stands_in_both_windows_is_named_by_its_keys_and_by_its_rows():
    rows = planted.clean(2)
    days = sorted(rows["partition"].unique())
    again = rows[rows["partition"] == days[3]].assign(partition=days[-2], event_time=rows["event_time"].max())
    rows = pd.concat([rows[rows["partition"] != days[-2]], again]).sort_values("partition", ignore_index=True)
    assert found_in(rows) == {("key_reuse", "id"), ("duplicates", "rows")}


def test_gaps_that_mean_something_are_no_leak():
    rows = planted.clean(2)
    gone = np.random.default_rng(1).random(len(rows)) < np.where(rows["late"] == 1, 0.3, 0.1)
    assert found_in(rows.assign(extra=rows["extra"].mask(gone))) == set()


def test_a_number_that_is_the_same_all_day_does_not_run_with_the_clock():
    rows = planted.clean(2)
    days = {key: place for place, key in enumerate(sorted(rows["partition"].unique()))}
    rows["extra"] = rows["partition"].map(days) % 7.0
    assert found_in(rows) == set()


def test_what_is_allowed_is_in_the_spec():
    rows = planted.plant("a feature too good to be true", planted.clean(3))
    assert found_in(rows, planted.case(leakage={"alone": 0.99})) == set()
    assert found_in(planted.clean(3), planted.case(leakage={"alone": 0.6})) == {("one_feature", "signal")}


# ---- the verdict -----------------------------------------------------------------------------------------------------


def test_many_leaks_are_named_by_kind_and_counted_in_few_words():
    rows = planted.clean(3)
    for name in ("a mirror of the label", "the label as a word", "keys sorted by the label", "keys of training rows"):
        rows = planted.plant(name, rows)
    rows = rows.assign(signal=rows["late"], weight=1 - rows["late"])
    verdict = leakage.gate(planted.unscored(rows), CASE)
    assert verdict.numbers["leaks"] == 6
    assert verdict.reason.startswith("key_reuse: 5.0% of the held-out rows")
    assert "target_copy: extra is the label in other words" in verdict.reason
    assert verdict.reason.endswith("; and 3 more")
    assert len(verdict.reason) < 700


def test_a_leak_fails_however_few_rows_there_are_and_none_in_few_rows_is_no_pass():
    few = planted.case(min_rows=10_000)
    assert leakage.gate(planted.unscored(planted.clean(3)), few).outcome == "INSUFFICIENT"
    assert (
        leakage.gate(planted.unscored(planted.plant("a mirror of the label", planted.clean(3))), few).outcome == "FAIL"
    )


def test_without_rows_there_is_nothing_to_look_at():
    seen = planted.unscored(planted.clean(3, per_day=20))
    assert leakage.gate(replace(seen, rows=None), CASE) is None
    assert leakage.gate(replace(seen, training=None), CASE) is None
    nothing = np.array([])
    empty = replace(seen, y=nothing, blocks=nothing, candidate=nothing, rows=seen.rows[:0])
    assert leakage.gate(empty, CASE).outcome == "INSUFFICIENT"


# ---- how much a column tells -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(lambda x: x, id="as it is"),
        pytest.param(lambda x: -x, id="upside down"),
        pytest.param(lambda x: 1e12 + x, id="large"),
        pytest.param(lambda x: np.where(x > 0, np.inf, -np.inf), id="infinite"),
        pytest.param(lambda x: np.where(x > 0, "yes", "no").astype(object), id="in words"),
        pytest.param(lambda x: np.where(x > 0, 0.0, np.sign(np.arange(len(x)) % 2 - 0.5)), id="in the middle"),
    ],
)
def test_a_column_tells_whatever_way_it_says_it(column):
    x = np.random.default_rng(1).normal(size=800)
    y = (x > 0).astype(float)
    told = tell(column(x)[:400], y[:400], column(x)[400:])
    assert ((told > np.median(told)) == (y[400:] == 1)).mean() > 0.9 or len(np.unique(told)) == 2
    assert told[y[400:] == 1].min() >= told[y[400:] == 0].max() - 1e-12


def test_a_column_of_noise_tells_nothing_of_rows_it_was_not_learnt_on():
    draw = np.random.default_rng(2)
    y = (draw.random(4000) < 0.3).astype(float)
    told = tell(draw.normal(size=2000), y[:2000], draw.normal(size=2000))
    assert abs(told[y[2000:] == 1].mean() - told[y[2000:] == 0].mean()) < 0.05
