"""`updraft explain` tells a passport, and the study explains a sample of all predictions."""

import json
import shutil

import pytest
from tests.bench.passport_study import study
from tests.explained import DAY, WHO, explain, in_table
from typer.testing import CliRunner

from updraft.cli.explain import told
from updraft.cli.main import app
from updraft.lake import Lake

pytestmark = pytest.mark.slow  # lives a short life first


@pytest.fixture
def lake(lived, tmp_path):
    shutil.copytree(lived.uri, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def command(parcels_case, lake, tmp_path, monkeypatch):
    places = {"UPDRAFT_HOME": tmp_path, "UPDRAFT_USE_CASES": parcels_case.folder.parent, "UPDRAFT_LAKE": lake.uri}
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    return lambda *arguments: CliRunner().invoke(app, ["explain", "parcels", *arguments])


def test_long_lists_of_deliveries_are_cut_in_words_and_whole_in_json(parcels_case, lived):
    found = explain(parcels_case, lived)
    (line,) = [line for line in told(found) if "deliveries before" in line]
    assert line.strip() == "and 4 deliveries before; --json lists them all"
    assert len(found.to_json()["behind"][0]["deliveries"]) == 9


def test_the_command_tells_it_in_words_and_as_json(command):
    done = command(WHO, DAY)
    assert done.exit_code == 0, done.output
    for words in (f"parcel {WHO} in {DAY}", "Score 0.", "depot_late", "landed", "gate", "by Ada", "exactly."):
        assert words in done.output
    whole = json.loads(command(f"parcel={WHO}", DAY, "--json").output)
    assert (whole["recomputes"], whole["at_fault"]) == (True, [])


def test_the_command_fails_when_something_was_changed_and_names_it(command, lake):
    in_table("features/parcels", "weight", 99.0)(lake)
    done = command(WHO, DAY)
    assert done.exit_code == 1
    assert "CHANGED: features" in done.output
    assert "expected" in done.output


def test_a_sample_of_all_predictions_comes_out_again_exactly(parcels_case, lived):
    found = study(parcels_case, lived, sample=50)
    assert (found.sampled, found.exact, found.wrong, dict(found.unknown)) == (50, 50, [], {})


def test_the_study_tells_what_does_not_come_out_again(parcels_case, lake):
    in_table("raw/parcels/parcels", "weight", 99.0)(lake)
    found = study(parcels_case, lake, sample=1000)
    assert found.sampled == 120
    assert found.exact < 120
    assert any("raw rows" in line for line in found.wrong)
