import pytest

from updraft.ledger import Ledger
from updraft.life import likeness
from updraft.model import store

pytestmark = pytest.mark.slow


def test_rows_of_a_champion_are_those_of_its_windows_in_runs_as_long_as_a_look(observed):
    case, lake = observed.case, observed.lake
    model = store.load(lake, case.name, Ledger(lake, case.name).state().champion)
    rows = likeness.reference_rows(case, lake, model, 2)
    windows = {key for name in ("train", "validation", "holdout") for key in model.manifest.windows[name]}
    assert set(rows["partition"]) <= windows
    assert set(rows.groupby("run")["partition"].nunique()) == {2}
    assert likeness.reference_rows(case, lake, model, 1000) is None


def test_how_easily_runs_are_told_apart_is_kept_with_the_champion(observed):
    from updraft.life.train import profile_key
    from updraft.monitor import reference

    case, lake = observed.case, observed.lake
    champion = Ledger(lake, case.name).state().champion
    kept = reference.from_bytes(lake.get(profile_key(case, champion)))
    assert kept.told_apart == pytest.approx(likeness.usual(case, lake, store.load(lake, case.name, champion)))
    assert kept.run_width == case.monitor.window
