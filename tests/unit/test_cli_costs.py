from pathlib import Path

import pytest
from rich.console import Console
from tests import parcels

from updraft import operation
from updraft.cli.costs import show
from updraft.lake import Lake
from updraft.operation import Spent


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """What the command prints in a lake with two partitions of work."""
    case = parcels.write(tmp_path, costs={"cpu_hour": 3.6}, tags=["post", "europe"])
    lake = Lake(str(tmp_path / "lake"))
    for key, rows in (("2024-01-02", 400), ("2024-01-03", 600)):
        did = Spent(key, 1, "score.score", "run", "2024-01-02T06:00:00.000000+00:00", rows, 2.0, 1.5, 3_000_000_000)
        operation.keep(case, lake, did)
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(Path(case.folder).parent))
    monkeypatch.setenv("UPDRAFT_LAKE", lake.uri)

    def run(*asked):
        console = Console(width=200, record=True)
        show(console, *asked)
        return console.export_text()

    return run


def line(text, name):
    return next(row.split("│")[1:-1] for row in text.splitlines() if name in row and "│" in row)


def test_a_use_case_is_told_with_the_price_of_its_predictions(printed):
    cells = [cell.strip() for cell in line(printed("use_case", None, None), "parcels")]
    assert cells[1] == "2"
    assert cells[5:] == ["1,000", "3.00", "0.003 EUR"]


def test_a_span_leaves_out_what_was_spent_elsewhere(printed):
    assert line(printed("use_case", "2024-01-03", None), "parcels")[5].strip() == "600"


def test_each_tag_and_each_owner_is_told_what_its_use_cases_took(printed):
    told = printed("tag", None, None)
    assert line(told, "post")[1:] == line(told, "europe")[1:]
    assert "1,000" in printed("owner", None, None)
