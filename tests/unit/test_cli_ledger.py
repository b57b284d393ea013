"""`updraft ledger`: decisions in a table, damage named, and an exit code a script can act on."""

import json

import pytest
from typer.testing import CliRunner

from updraft.cli import ledger as cli
from updraft.cli.main import app
from updraft.errors import LedgerBroken, ModelRejected
from updraft.ledger import Ledger
from updraft.records import canonical

pytestmark = pytest.mark.slow


@pytest.fixture
def command(promoted, tmp_path, monkeypatch):
    """Type a command in the place of the small world."""
    places = {
        "UPDRAFT_HOME": tmp_path,
        "UPDRAFT_USE_CASES": promoted.case.folder.parent,
        "UPDRAFT_LAKE": promoted.lake.uri,
        "UPDRAFT_ARTIFACTS": promoted.registry.artifacts,
        "MLFLOW_TRACKING_URI": promoted.registry.tracking_uri,
    }
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    monkeypatch.setattr(cli.console, "width", 220)  # made when the module was imported
    return lambda *arguments: CliRunner().invoke(app, ["ledger", *arguments])


def path(world, sequence):
    return f"ledger/parcels/{sequence:08}.json"


def test_decisions_are_shown_in_order_the_newest_last(command):
    shown = command("show", "parcels").output
    places = [shown.index(f" {kind} ") for kind in ("trained", "gated", "promoted", "confirmed")]
    assert places == sorted(places)
    assert shown.splitlines()[-1] == "4 records"


def test_on_a_narrow_terminal_nothing_is_cut(command, promoted, monkeypatch):
    monkeypatch.setattr(cli.console, "width", 80)
    why = "worse than the champion where origin is EWR, " * 8
    Ledger(promoted.lake, "parcels").append("decided", why=why, who="scheduled__2013-04-01", partition="2013-04-01T05")
    lines = command("show", "parcels").output.splitlines()
    assert max(map(len, lines)) <= 80
    assert f"{why}(scheduled__2013-04-01)" in " ".join(" ".join(lines).split())
    assert [line.split()[3] for line in lines if line[:5].strip().isdigit()] == [
        "trained", "gated", "promoted", "confirmed", "decided",
    ]  # fmt: skip


def test_as_json_every_record_is_a_line_with_the_digests_of_what_it_rests_on(command, promoted):
    lines = [json.loads(line) for line in command("show", "parcels", "--json").output.splitlines()]
    assert [line["kind"] for line in lines] == ["trained", "gated", "promoted", "confirmed"]
    trained, gated, risen, _ = (line["facts"] for line in lines)
    assert gated["origins"] == risen["origins"]
    assert risen["origins"] == {
        "model": lines[0]["model"],
        "data": trained["data"],
        "features": trained["features"],
        "spec": trained["spec"],
        "gates": gated["origins"]["gates"],
    }
    assert all(len(digest) == 64 for digest in risen["origins"].values())


def test_only_the_newest_are_shown_when_there_are_many(command):
    shown = command("show", "parcels", "--last", "1").output
    assert " promoted " not in shown
    assert "4 records; 3 earlier ones are not shown" in shown


def test_what_a_person_wrote_obeys_no_terminal_and_no_markup(command, promoted):
    Ledger(promoted.lake, "parcels").append("decided", why="[red]a\x1b[2Jb", who="x")
    assert "[red]a\\x1b[2Jb" in command("show", "parcels").output


def test_a_whole_ledger_is_verified(command):
    done = command("verify", "parcels")
    assert (done.exit_code, done.output) == (0, "parcels: 4 records, each as it was written\n")


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        pytest.param(
            lambda get: {2: get(2).replace(b'"PASS"', b'"FAIL"', 1)},
            ["Record 2 of the ledger was changed"],
            id="changed",
        ),
        pytest.param(lambda get: {2: None}, ["Record 2 of the ledger is missing"], id="missing"),
        pytest.param(
            lambda get: {2: get(3), 3: get(2)},
            [f"Record {a} of the ledger was replaced by a copy of record {b}" for a, b in ((2, 3), (3, 2))],
            id="reordered",
        ),
        pytest.param(
            lambda get: {3: None, 4: None},
            ["Record 3 of the ledger is missing, and so are those up to 4"],
            id="truncated",
        ),
        pytest.param(
            lambda get: {1: b"{}", 4: canonical({**json.loads(get(4)), "who": "mallory"})},
            ["Record 1 of the ledger was changed", "Record 4 of the ledger was changed"],
            id="two of them",
        ),
    ],
)  # fmt: skip
def test_damage_is_named_and_the_exit_code_says_so(command, promoted, harm, named):
    for sequence, content in harm(lambda n: promoted.lake.get(path(promoted, n))).items():
        if content is None:
            promoted.lake._store.delete(path(promoted, sequence))
        else:
            promoted.lake.put(path(promoted, sequence), content)
    done = command("verify", "parcels")
    assert done.exit_code == 1
    assert [line.split(".")[0] for line in done.output.splitlines()] == named
    assert isinstance(command("show", "parcels").exception, LedgerBroken)


def test_a_model_is_retired_by_how_its_digest_begins(command, promoted):
    other = Ledger(promoted.lake, "parcels").records()[0].facts["baselines"]["trivial"]
    Ledger(promoted.lake, "parcels").append("gated", why="w", who="w", model=other, facts={"outcome": "FAIL"})
    done = command("retire", "parcels", other[:10], "--why", "unlawful data")
    assert done.output == f"parcels: {other[:12]} is retired\n"
    record = Ledger(promoted.lake, "parcels").records()[-1]
    assert (record.kind, record.model, record.why) == ("retired", other, "unlawful data")
    assert isinstance(command("retire", "parcels", "zz", "--why", "w").exception, ModelRejected)
