import pytest
from typer.testing import CliRunner

from updraft.cli.main import app
from updraft.errors import Permanent
from updraft.lake import Lake
from updraft.local.processes import Processes


@pytest.mark.parametrize("how", [[], ["--short"]])
def test_it_does_not_run_on_top_of_an_earlier_one(tmp_path, monkeypatch, how):
    import pyarrow as pa

    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path))
    monkeypatch.delenv("UPDRAFT_LAKE", raising=False)
    rows = pa.table({"flight_id": ["x"], "partition": ["2013-06-11"]})
    Lake(str(tmp_path / "lake")).replace("scores/flight_delays", rows, ["2013-06-11"])
    done = CliRunner().invoke(app, ["demo", *how])
    assert isinstance(done.exception, Permanent)
    assert "The demo has run here before. Next: run `make clean`" in str(done.exception)
    assert Processes(tmp_path).running() == []
