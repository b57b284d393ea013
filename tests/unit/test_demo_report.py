import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from updraft.demo.plan import FULL
from updraft.demo.report import report
from updraft.demo.summary import Summary, Timing
from updraft.ledger import Record
from updraft.local.installation import Installation
from updraft.local.processes import Processes
from updraft.spec import load

CASE = load.load("flight_delays", Path(__file__).parents[2] / "include" / "use_cases")
RECORD = Record(
    sequence=7, previous="0" * 64, kind="promoted", at="2026-01-01T00:00:00Z", partition="2013-04-01", who="demo",
    why="PASS, [all] 3 gates", model="c0ffee" * 10, facts={}, token="x",
)  # fmt: skip


def printed(tmp_path, **numbers):
    told = Summary(
        partitions=28, scored=25_000, refused=3, acted=9_000, quarantined=320,
        champion=numbers.get("champion", {"auc": 0.7012, "brier": 0.1512, "log_loss": 0.4712}),
        frozen={"auc": 0.6512, "brier": 0.1612, "log_loss": 0.4912}, matured=24_000, decisions=[RECORD],
    )  # fmt: skip
    where = Timing({"ingest": 41.26, "score": 12.0}, tasks=250, overhead=numbers.get("overhead", 0.214))
    running = Installation("http://127.0.0.1:8080", "http://127.0.0.1:5000", "the-password", Processes(tmp_path))
    console = Console(file=io.StringIO(), width=160, color_system=None)
    report(console, CASE, FULL, told, where, running, minutes=8.04)
    return console.file.getvalue()


def test_it_tells_what_was_done_decided_and_how_long_it_took(tmp_path):
    text = printed(tmp_path)
    for told in (
        f"flight_delays, {FULL.daily[0]} to {FULL.daily[1]}: 28 partitions, 25000 rows scored",
        "3 refused, 9000 warnings",
        "320 rows quarantined",
        "0.7012", "0.6512", "24000 rows",
        "c0ffeec0", "2013-04-01", "promoted",
        "8.0 minutes in all", "41.3", "0.21 median per warm task (250 tasks)",
    ):  # fmt: skip
        assert told in text


def test_it_tells_where_to_look_and_how_to_stop(tmp_path):
    text = printed(tmp_path)
    assert "http://127.0.0.1:8080  user admin, password the-password" in text
    assert "http://127.0.0.1:5000" in text
    assert "`make stop`" in text
    assert "`make clean`" in text


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"champion": dict.fromkeys(("auc", "brier", "log_loss"), math.nan)}, id="nothing has matured"),
        pytest.param({"overhead": math.nan}, id="nothing was warm"),
    ],
)
def test_a_number_that_cannot_be_given_is_nan(tmp_path, numbers):
    assert "nan" in printed(tmp_path, **numbers)
