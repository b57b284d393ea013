"""Every kind of leak is planted beside a label of classes and beside a number, and named; rows without one pass."""

import numpy as np
import pandas as pd
import pytest
from tests import planted

from updraft.evidence import leaks
from updraft.evidence.gates import leakage
from updraft.evidence.hindsight import Hindsight
from updraft.evidence.look import Look
from updraft.evidence.telling import tell

pytestmark = pytest.mark.slow  # every test looks for every kind of leak; those of yes and no are quick

KINDS = ("multiclass", "regression")
SCALE = {"multiclass": "macro_auc", "regression": "r2"}


def large(rows: pd.DataFrame) -> pd.Series:
    """The highest class, or two fifths of the numbers."""
    return rows["late"] == 2 if rows["late"].nunique() == 3 else rows["late"] > rows["late"].quantile(0.6)


def named(rows, draw):
    words = rows["late"] if rows["late"].nunique() == 3 else pd.qcut(rows["late"], 200, labels=False)
    return rows.assign(mark=words.map("code {}".format).astype(object))


def halves_missing(rows, draw):
    return rows.assign(extra=rows["extra"].mask(draw.random(len(rows)) < np.where(large(rows), 0.9, 0.05)))


def filled_in(rows, draw):
    return rows.assign(mark=rows["mark"].where((draw.random(len(rows)) < 0.3) & large(rows), None))


def parity(rows, draw):
    return rows.assign(id=[f"P{n:07}" for n in 2 * np.arange(len(rows)) + large(rows)])


def too_good(rows, draw):
    step = 2.8 if rows["late"].nunique() == 3 else 4.0
    return rows.assign(extra=step * rows["late"] + rows["extra"])


def as_beside_a_yes_or_no(name):
    return *planted.PLANTS[name][:2], lambda rows, draw: planted.plant(name, rows)


PLANTS = {
    "a mirror of the label": ("target_copy", "extra", lambda rows, draw: rows.assign(extra=7 - 2 * rows["late"])),
    "a bent copy": ("target_copy", "extra", lambda rows, draw: rows.assign(extra=np.exp(rows["late"]))),
    "the label as a word": ("target_copy", "mark", named),
    "a feature too good to be true": ("one_feature", "extra", too_good),
    "gaps where it is large": ("missingness", "extra", halves_missing),
    "a field filled in afterwards": ("missingness", "mark", filled_in),
    "the label in the key's parity": ("key_tells", "id", parity),
    **{
        name: as_beside_a_yes_or_no(name)
        for name in (
            "keys sorted by the label",
            "keys of training rows",
            "copies of training rows",
            "hours since the beginning",
        )
    },
}


def unscored(rows, kind, **fields):
    _, new = planted.windows(rows)
    guess = np.full((len(new), 3), 1 / 3) if kind == "multiclass" else np.full(len(new), new["late"].mean())
    return planted.unscored(rows, **{"kind": kind, "candidate": guess, **fields})


def found_in(rows, kind, **limits):
    case = planted.case(kind=kind, leakage=limits)
    look = Look(unscored(rows, kind), case, *planted.windows(rows))
    return {(leak.kind, leak.subject): leak.says for find in leaks.discover().values() for leak in find(look)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_leak_is_named_and_nothing_else_is(kind, name):
    leak, subject, plant = PLANTS[name]
    rows = plant(planted.of_kind(kind, 3), np.random.default_rng(3))
    assert set(found_in(rows, kind)) == {(leak, subject)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_rows_without_a_leak_pass(kind, seed):
    assert found_in(planted.of_kind(kind, 100 + seed, per_day=80), kind) == {}


def test_a_field_filled_in_for_small_numbers_is_found_as_well():
    rows, draw = planted.of_kind("regression", 3), np.random.default_rng(3)
    there = (draw.random(len(rows)) < 0.3) & (rows["late"] < rows["late"].quantile(0.4))
    told = found_in(rows.assign(mark=rows["mark"].where(there, None)), "regression")
    assert "mark is there almost only where the label is not above 0.6" in told["missingness", "mark"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_came_out_otherwise_in_hindsight_is_named(kind):
    seen = Hindsight(("2024-01-30",), 150, {"rate": 150}, ("2024-01-30",))
    verdict = leakage.gate(unscored(planted.of_kind(kind, 1), kind, hindsight=seen), planted.case(kind=kind))
    assert (verdict.outcome, verdict.reason[:13]) == ("FAIL", "future: rate ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_model_passes_and_one_that_learnt_the_answer_does_not(kind):
    rows, case = planted.of_kind(kind, 5), planted.case("lightgbm", kind)
    sound = leakage.gate(planted.evidence(rows, case), case)
    assert sound.outcome == "PASS", sound.reason
    assert 0.5 * (kind == "multiclass") < sound.numbers[f"best_feature_{SCALE[kind]}"] < sound.numbers[SCALE[kind]] < 1
    copied = rows.assign(extra=-rows["late"])
    verdict = leakage.gate(planted.evidence(copied, case), case)
    assert verdict.outcome == "FAIL"
    assert verdict.reason.startswith("target_copy: extra is the label in other words: ")
    assert verdict.numbers["target_copy.extra"] > 0.995


# ---- what is told, and how much is too much --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("multiclass", "gaps where it is large", " on whether the label is high, and may have 0.75"),
        ("multiclass", "a field filled in afterwards", "mark is there almost only where the label is high"),
        ("multiclass", "a feature too good to be true", "extra alone has macro AUC 0.9"),
        ("regression", "gaps where it is large", " on whether the label is above 0.6"),
        ("regression", "a field filled in afterwards", "mark is there almost only where the label is above 0.6"),
        ("regression", "a feature too good to be true", "extra alone has R squared of ranks 0.9"),
    ],
)
def test_it_says_which_class_or_number_is_told(kind, name, says):
    leak, subject, plant = PLANTS[name]
    told = found_in(plant(planted.of_kind(kind, 3), np.random.default_rng(3)), kind)[leak, subject]
    assert says in told, told


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_allowed_is_in_the_spec(kind):
    rows = PLANTS["a feature too good to be true"][2](planted.of_kind(kind, 3), None)
    assert found_in(rows, kind, alone=0.999) == {}
    low = {"multiclass": 0.6, "regression": 0.51}[kind]
    assert set(found_in(planted.of_kind(kind, 3), kind, alone=low)) == {("one_feature", "signal")}


def test_a_feature_that_tells_one_class_of_several_is_no_copy_of_the_label():
    rows = planted.of_kind("multiclass", 3)
    assert found_in(rows.assign(extra=(rows["late"] == 2) + 0.0), "multiclass") == {}


def test_a_class_with_hardly_a_row_does_not_hide_a_copy_of_the_others():
    rows = planted.of_kind("multiclass", 3)
    rare = rows["late"].mask(rows["late"] == 2, 1.0).mask(rows.index % 500 == 0, 2.0)
    rows = rows.assign(late=rare, extra=-rare)
    assert set(found_in(rows, "multiclass")) == {("target_copy", "extra")}


def test_a_few_huge_numbers_hide_no_copy():
    rows = planted.of_kind("regression", 3)
    rows["late"] = rows["late"].mask(rows.index % 400 == 0, 1e9 + rows["late"])
    assert set(found_in(rows.assign(extra=-rows["late"]), "regression")) == {("target_copy", "extra")}


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(lambda x: -x, id="upside down"),
        pytest.param(lambda x: 1e12 + x, id="large"),
        pytest.param(lambda x: np.exp(5 * x), id="bent"),
        pytest.param(lambda x: np.abs(x) + (x > 0) * 10, id="in two pieces"),
        pytest.param(lambda x: np.digitize(x, np.linspace(-3, 3, 90)).astype(str).astype(object), id="in words"),
    ],
)
def test_a_column_tells_a_number_whatever_way_it_says_it(column):
    x = np.random.default_rng(1).normal(size=4000)
    place = x.argsort().argsort() / len(x)
    told = tell(column(x)[:2000], place[:2000], column(x)[2000:], "regression")
    assert np.abs(told - place[2000:]).mean() < 0.02


def test_noise_tells_nothing_of_a_number():
    draw = np.random.default_rng(2)
    y = draw.random(4000)
    told = tell(draw.normal(size=2000), y[:2000], draw.normal(size=2000), "regression")
    assert abs(np.corrcoef(told, y[2000:])[0, 1]) < 0.1
