import duckdb
import pytest

from updraft.errors import SettingInvalid
from updraft.settings import SHARE, Settings


def settings(monkeypatch, tmp_path, memory):
    monkeypatch.setenv("UPDRAFT_MEMORY", memory)
    monkeypatch.setenv("UPDRAFT_HOME", str(tmp_path))
    return Settings.from_env()


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("1GB", 10**9),
        ("1 gb", 10**9),
        ("800MB", 8 * 10**8),
        ("1.5GiB", 3 * 2**29),
        ("512KiB", 2**19),
        ("2TB", 2 * 10**12),
    ],
)
def test_of_the_memory_a_process_may_take_half_is_the_engine_s(monkeypatch, tmp_path, said, whole):
    assert SHARE == 0.5
    held = settings(monkeypatch, tmp_path, said)
    assert held.engine() == whole / 2
    with duckdb.connect() as db, duckdb.connect() as other:
        held.hold(db)
        other.execute("SET memory_limit = ?", [f"{whole // 2}B"])
        found = [one.execute("SELECT current_setting('memory_limit')").fetchall() for one in (db, other)]
        assert found[0] == found[1]
        assert db.execute("SELECT current_setting('temp_directory')").fetchall() == [(str(tmp_path / "spill"),)]


def test_without_a_limit_the_engine_keeps_its_own(monkeypatch, tmp_path):
    held = settings(monkeypatch, tmp_path, "")
    with duckdb.connect() as db:
        before = db.execute("SELECT current_setting('memory_limit')").fetchall()
        held.hold(db)
        assert db.execute("SELECT current_setting('memory_limit')").fetchall() == before
    assert held.engine() is None


@pytest.mark.parametrize("said", ["a lot", "1", "0GB", "80%", "1XB", "-1GB", "1e9GB", "1GB; DROP TABLE x", "1GB\n"])
def test_what_is_no_amount_of_memory_is_refused_with_an_example(monkeypatch, tmp_path, said):
    with pytest.raises(SettingInvalid, match=r"UPDRAFT_MEMORY is .*no amount of memory") as refused:
        settings(monkeypatch, tmp_path, said).engine()
    assert "800MB" in str(refused.value)
