"""`updraft quarantine` and `updraft status --deliveries`, typed on a lake in which something is held."""

import json
import shutil

import pytest
import yaml
from tests import parcels
from typer.testing import CliRunner

from updraft.cli import main, quarantine
from updraft.cli.main import app

DAY = "2024-01-01"


@pytest.fixture
def command(ingested, parcels_case, tmp_path, monkeypatch):
    """Type a command in the place of a lake into which three days were ingested, a bad row among them."""
    shutil.copytree(parcels_case.folder, tmp_path / "use_cases" / "parcels")
    places = {
        "UPDRAFT_HOME": tmp_path,
        "UPDRAFT_USE_CASES": tmp_path / "use_cases",
        "UPDRAFT_LAKE": ingested.uri,
    }
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    for console in (main.console, quarantine.console):
        monkeypatch.setattr(console, "_width", 250)

    def typed(*arguments, fails=None):
        done = CliRunner().invoke(app, list(arguments))
        assert (type(done.exception).__name__ if fails else done.exception) == fails, done.output
        return [" ".join(line.replace("│", " ").split()) for line in done.output.splitlines()]

    return typed


@pytest.fixture
def repaired(tmp_path):
    """The same spec, in which a parcel may stand in a delivery twice."""
    spec = {**parcels.SPEC, "sources": json.loads(json.dumps(parcels.SPEC["sources"]))}
    spec["sources"]["parcels"]["contract"] = {"tolerance": 0.05, "unique": False}
    return lambda: (tmp_path / "use_cases" / "parcels" / "spec.yaml").write_text(yaml.safe_dump(spec))


def digest_of(ingested):
    (place,) = [key for key in ingested.keys("deliveries/parcels/parcels") if DAY in key]
    return place.split("/")[4].removesuffix(".json")


def test_the_list_says_what_is_held_where_and_why(command, ingested):
    *table, total = command("quarantine", "list", "parcels")
    (row,) = [line for line in table if line.startswith("parcels 2024")]
    where, why = f"parcels {DAY} {digest_of(ingested)[:12]}", "parcel: an earlier row has the same key"
    assert row == f"{where} quarantined 1 unique 1 {why}"
    assert total == "1 rows of 1 deliveries are held."
    assert command("quarantine", "list", "parcels", "--source", "arrivals")[-1] == "0 rows of 0 deliveries are held."


def test_a_delivery_is_shown_with_row_line_rule_reason_and_what_came(command):
    said, row, report = command("quarantine", "show", "parcels", "parcels", "--partition", DAY)
    assert "from parcels/2024-01-01.csv: quarantined, 1 rows held; 1 of 60 rows (1.67%) break the contract" in said
    assert row.startswith("row 8, line 9: unique: parcel: an earlier row has the same key: {")
    assert report.endswith(".html")


def test_what_a_supplier_wrote_cannot_steer_the_terminal(command, ingested):
    (place,) = [key for key in ingested.keys("rejected/parcels/parcels") if DAY in key]
    rows = json.loads(ingested.get(place))
    rows[0][2:4] = ["\x1b[2J[bold]x[/bold]", "\x9b31m"]
    ingested.put(place, json.dumps(rows).encode())
    _, row, _ = command("quarantine", "show", "parcels", "parcels", "--partition", DAY)
    assert "\\x1b[2J[bold]x[/bold]: \\x9b31m" in row
    assert "\\x1b[2J" in " ".join(command("quarantine", "list", "parcels"))


def test_a_delivery_that_is_not_there_is_an_error_that_names_those_that_are(command):
    command("quarantine", "show", "parcels", "parcels", "--partition", DAY, "--delivery", "zzz", fails="Permanent")
    command("quarantine", "show", "parcels", "parcels", "--partition", "2024-02-01", fails="DeliveryMissing")


def test_a_replay_after_the_spec_was_repaired_publishes_the_row(command, repaired):
    (before,) = command("quarantine", "replay", "parcels", "parcels", "--partition", DAY)
    assert (json.loads(before)["released"], json.loads(before)["held"]) == (0, 1)
    repaired()
    (told,) = command("quarantine", "replay", "parcels", "parcels", "--partition", DAY, "--through", "2024-01-03")
    assert (json.loads(told)["released"], json.loads(told)["held"]) == (1, 0)
    assert command("quarantine", "list", "parcels")[-1] == "0 rows of 0 deliveries are held."


def test_a_discard_asks_for_a_reason_and_keeps_it(command, ingested):
    assert CliRunner().invoke(app, ["quarantine", "discard", "parcels", "parcels", "--partition", DAY]).exit_code == 2
    (told,) = command("quarantine", "discard", "parcels", "parcels", "--partition", DAY, "--why", "a test parcel")
    assert json.loads(told)["discarded"] == 1
    (record,) = ingested.keys("discarded")
    kept = json.loads(ingested.get(record))
    assert (kept["why"], kept["rows"]) == ("a test parcel", [[8, 8]])
    assert kept["who"].endswith(", by hand")
    assert command("quarantine", "list", "parcels")[-1] == "0 rows of 0 deliveries are held."


def test_the_status_lists_deliveries_and_what_became_of_them(command, ingested):
    lines = command("status", "parcels", "--deliveries")
    (row,) = [line for line in lines if line.startswith(f"{DAY} parcels 60 ")]
    assert f" {digest_of(ingested)[:12]} " in row
    assert row.endswith(" quarantined 59 1")
    assert lines[-1] == "6 deliveries; the same bytes again are none."
