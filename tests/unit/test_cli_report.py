import pytest
from rich.console import Console

from updraft.cli.report import report

pytestmark = pytest.mark.slow


def test_a_report_is_written_where_it_was_asked_for(observed, tmp_path, monkeypatch):
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(observed.case.folder.parent))
    monkeypatch.setenv("UPDRAFT_LAKE", observed.lake.uri)
    newest = observed.lake.partitions("monitor/parcels")[-1]
    console = Console(width=200, record=True)
    report(console, "parcels", newest[:7], tmp_path / "month.html")
    assert f"parcels: {newest[:7]}" in (tmp_path / "month.html").read_text()
    assert "month.html" in console.export_text()
