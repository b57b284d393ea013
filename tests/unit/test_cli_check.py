import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from updraft.cli.main import app

FLIGHTS = Path(__file__).parents[2] / "include" / "use_cases" / "flight_delays"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the demo's use case, and a copy of it that a test may break."""
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(tmp_path))
    for name in ("flight_delays", "other"):
        shutil.copytree(FLIGHTS, tmp_path / name)
    say(tmp_path / "other" / "spec.yaml", "name: flight_delays", "name: other")
    return tmp_path


def say(file, before, after):
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))


def check(*arguments):
    return CliRunner().invoke(app, ["check", *arguments])


def test_every_use_case_that_is_fit_is_ticked_off(folder):
    done = check()
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "✓ flight_delays: 3 sources, 27 features",
        "✓ other: 3 sources, 27 features",
    ]


def test_one_use_case_may_be_checked_alone(folder):
    say(folder / "other" / "spec.yaml", "families:", "familys:")
    done = check("flight_delays")
    assert (done.exit_code, done.output) == (0, "✓ flight_delays: 3 sources, 27 features\n")


def test_a_mistake_in_a_spec_is_told_with_file_line_field_and_a_hint(folder):
    spec = folder / "other" / "spec.yaml"
    say(spec, "families:", "familys:")
    line = spec.read_text()[: spec.read_text().index("familys")].count("\n") + 1
    done = check()
    assert done.exit_code == 1
    assert "✓ flight_delays" in done.output
    assert "✗ other" in done.output
    assert f"{spec}:{line}: model.familys" in done.output
    assert "did you mean 'families'?" in done.output


@pytest.mark.parametrize(
    ("file", "query"),
    [
        pytest.param("features.sql", "SELECT * FROM schedul", id="features"),
        pytest.param("label.sql", "SELECT * FROM read_csv('/etc/passwd')", id="label"),
    ],
)
def test_a_mistake_in_a_query_is_told_with_its_file(folder, file, query):
    (folder / "other" / file).write_text(query)
    done = check()
    assert done.exit_code == 1
    assert f"{file} of other" in done.output
    assert "Next: " in done.output


def test_a_mistake_in_a_condition_is_told_with_its_source(folder):
    spec = folder / "other" / "spec.yaml"
    rows = "contract: {rows: [300, 3000], tolerance: 0.02"
    say(spec, rows, f"{rows}, conditions: {{far: distanze > 1}}")
    done = check()
    assert done.exit_code == 1
    told = (
        "sources.schedule of other: The condition far reads 'distanze', which is no column of the source; did you mean"
    )
    assert told in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("dest > 'A'", "sources.schedule of other: The condition far reads 'dest', which is dropped at landing."),
        ("carrier > 1", "sources.schedule of other: The condition far failed: Binder Error"),
        ("origin <> carrier", None),
    ],
)
def test_a_condition_is_tried_on_the_columns_as_they_are_stored(folder, condition, told):
    spec = folder / "other" / "spec.yaml"
    rows = "contract: {rows: [300, 3000], tolerance: 0.02"
    say(spec, rows, f'{rows}, conditions: {{far: "{condition}"}}')
    say(spec, 'dest: {type: string, pattern: "^[A-Z]{3}$"}', "dest: {type: string, personal: drop}")
    done = check()
    assert done.exit_code == (0 if told is None else 1)
    assert (told or "✓ other") in " ".join(done.output.split())


def test_a_mistake_in_the_contract_of_the_features_is_told(folder):
    of_features = "contract: {conditions: {counted_in: flights_in_our <= flights_in_day}}"
    say(folder / "other" / "spec.yaml", "\nmodel:\n", f"\n{of_features}\n\nmodel:\n")
    done = check()
    assert done.exit_code == 1
    assert "contract of other: The condition counted_in reads 'flights_in_our'" in " ".join(done.output.split())


def test_a_use_case_that_is_not_there_is_an_error_with_a_hint(folder):
    done = check("flight_delay")
    assert done.exit_code == 1
    assert "did you mean 'flight_delays'?" in str(done.exception)


def test_it_writes_nothing(folder):
    before = sorted((str(file), file.stat().st_mtime_ns) for file in folder.rglob("*"))
    check()
    assert sorted((str(file), file.stat().st_mtime_ns) for file in folder.rglob("*")) == before
