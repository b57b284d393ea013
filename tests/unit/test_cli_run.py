"""The verbs that work on a lake: run, status, rollback; on a small world with a champion."""

import json
import os
from datetime import UTC, datetime

import pytest
from tests import parcels
from typer.testing import CliRunner

from updraft.alert.alert import Finding
from updraft.alert.outbox import Outbox
from updraft.cli.main import app
from updraft.errors import DeliveryMissing, NoChampion, PartitionInvalid
from updraft.ledger import Ledger

pytestmark = pytest.mark.slow

DAY, NEXT = "2024-01-19", "2024-01-20"


@pytest.fixture
def command(promoted, tmp_path, monkeypatch):
    """Type a command in the place of the small world."""
    places = {
        "UPDRAFT_HOME": tmp_path,
        "UPDRAFT_USE_CASES": promoted.case.folder.parent,
        "UPDRAFT_LAKE": promoted.lake.uri,
        "UPDRAFT_INBOX": tmp_path / "inbox",
        "UPDRAFT_ARTIFACTS": promoted.registry.artifacts,
        "MLFLOW_TRACKING_URI": promoted.registry.tracking_uri,
        "COLUMNS": 200,
    }
    for name, place in places.items():
        monkeypatch.setenv(name, str(place))
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def told(done):
    assert done.exception is None, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def test_a_stage_is_run_for_one_partition_and_tells_what_came_of_it_as_json(command, promoted):
    [built] = told(command("run", "parcels", "features", "--partition", DAY))
    assert (built["stage"], built["partitions"], built["rows"]) == ("features", 1, parcels.PER_DAY)
    [scored] = told(command("run", "parcels", "score", "--partition", DAY))
    assert (scored["stage"], scored["scored"], scored["refused"]) == ("score", parcels.PER_DAY, 0)
    assert DAY in promoted.lake.partitions("scores/parcels")


def test_a_stage_is_run_for_a_span(command):
    [built] = told(command("run", "parcels", "features", "--partition", DAY, "--through", NEXT))
    assert built["partitions"] == 2


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        pytest.param(["scoer", "--partition", DAY], PartitionInvalid, "did you mean 'score'?", id="no stage"),
        pytest.param(
            ["__init__", "--partition", DAY], PartitionInvalid, "There is no stage", id="a method, but no stage"
        ),
        pytest.param(["score", "--partition", "soon"], PartitionInvalid, "write it like 2013-04-01", id="no partition"),
        pytest.param(
            ["score", "--partition", NEXT, "--through", DAY],
            PartitionInvalid,
            "earlier partition first",
            id="backwards",
        ),
        pytest.param(["ingest", "--partition", DAY], DeliveryMissing, "Next: ", id="nothing delivered"),
    ],
)
def test_what_cannot_be_run_is_an_error_with_the_next_step(command, arguments, error, says):
    done = command("run", "parcels", *arguments)
    assert isinstance(done.exception, error)
    assert says in str(done.exception)


def test_the_status_shows_champion_partitions_and_decisions(command, promoted):
    told(command("run", "parcels", "score", "--partition", "2024-01-16", "--through", "2024-01-18"))
    fault = Finding("data_incident", "feed", "values went missing", "2024-01-18")
    Outbox(promoted.case, promoted.lake, "docs/runbooks").open(fault, datetime(2024, 1, 18, 6, 30, tzinfo=UTC))
    ledger = Ledger(promoted.lake, "parcels")
    ledger.append("decided", why="in cooldown", who="test", partition=DAY, facts={"action": "none"})
    state = ledger.state()
    done = command("status", "parcels")
    assert done.exception is None
    lines = [" ".join(line.replace("│", " ").split()) for line in done.output.splitlines()]
    assert lines[0] == f"parcels champion {state.champion[:12]}, ledger of {state.head} records"
    assert lines[1] == "the registry's alias follows the ledger"
    since = "since 2024-01-18 06:30 UTC"
    assert (
        f"open: [critical] parcels: The data are at fault (2024-01-18), {since}, docs/runbooks/data-incident.md"
        in lines
    )
    assert "scores 3 2024-01-16 2024-01-18" in lines
    assert "raw parcels 42 2024-01-01 2024-02-11" in lines
    holes = [line.split(":")[1:] for line in lines if line.startswith("hole: ")]
    assert [said.split()[:3] for said, _ in holes] == [
        ["ingest", "lacks", "2024-02-12,"], ["features", "lacks", "2024-01-19,"], ["features", "lacks", "2024-02-12,"],
        ["score", "lacks", "2024-01-19,"],
    ]  # fmt: skip
    assert [why for _, why in holes][:2] == [" waits for a delivery of arrivals, parcels", " can be filled now"]
    assert [line.split()[2] for line in lines if line[:1].isdigit()][:3] == ["trained", "gated", "promoted"]
    assert "4 confirmed MLflow's alias follows" in lines
    assert f"5 {DAY} decided none: in cooldown" in lines
    assert [line for line in lines if line.endswith("promoted as record 2")]


def test_the_status_mends_an_alias_that_was_moved_by_hand(command, promoted):
    client = promoted.registry._client
    client.delete_registered_model_alias("parcels", "champion")
    done = command("status", "parcels")
    assert done.exception is None
    assert "the registry's alias follows the ledger" not in done.output
    assert promoted.registry.champion_alias("parcels") == Ledger(promoted.lake, "parcels").state().champion


def test_going_back_without_an_earlier_champion_is_an_error_and_changes_nothing(command, promoted):
    head = Ledger(promoted.lake, "parcels").state().head
    done = command("rollback", "parcels", "--why", "it does worse")
    assert isinstance(done.exception, NoChampion)
    assert Ledger(promoted.lake, "parcels").state().head == head


def test_going_back_says_to_which_and_records_who_and_why(command, promoted):
    ledger = Ledger(promoted.lake, "parcels")
    first = ledger.state().champion
    ledger.append("promoted", why="a worse one", who="test", partition=DAY, model="f" * 64)
    done = command("rollback", "parcels", "--why", "it does worse")
    assert done.output == f"parcels: rolled_back; champion is {first[:12]} from the next scoring run on\n"
    last = ledger.records()[-2]
    assert (last.kind, last.why, last.who) == ("rolled_back", "it does worse", os.environ.get("USER", last.who))


def test_a_reason_is_asked_for(command):
    assert command("rollback", "parcels").exit_code == 2
