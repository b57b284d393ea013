"""What the kinds of sources share: connections, names, and files that are the same whenever the rows are."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from updraft.errors import DeliveryRefused, SourceClosed
from updraft.sources import Connection, from_environment
from updraft.sources.decode import decode
from updraft.sources.reach import names, written
from updraft.spec.sources import Source

SOURCE = Source.model_validate(
    {
        "type": "python",
        "python": {"call": "source.py:rows"},
        "key": ["id"],
        "event_time": "at",
        "known_at": {"delay": "1h"},
        "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}, "n": {"type": "number", "nullable": True}},
    }
)
NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)


def rows(*ids, **changes):
    table = pa.table({"id": list(ids), "at": [NOON] * len(ids), "n": [1.5] * len(ids)})
    for name, values in changes.items():
        table = table.drop_columns(name) if name in table.column_names else table
        table = table.append_column(name, values)
    return table


def capped(**caps):
    return SOURCE.model_copy(update={"caps": SOURCE.caps.model_copy(update=caps)})


def parquet(*batches, **caps):
    return written.parquet(batches, capped(**caps), "here")


# ---- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param([rows("b", "a")], id="another order"),
        pytest.param([rows("b"), rows("a")], id="other batches"),
        pytest.param([rows("a", "b").to_batches()[0]], id="a record batch"),
        pytest.param([rows("a", "b").select(["n", "at", "id"])], id="another order of columns"),
        pytest.param([rows("a", "b", id=pa.array(["a", "b"], pa.large_string()))], id="large strings"),
        pytest.param([rows("a", "b", id=pa.array(["a", "b"]).dictionary_encode())], id="a dictionary"),
        pytest.param([rows("a", "b", at=pa.array([NOON.astimezone(timezone(timedelta(hours=5)))] * 2))], id="a zone"),
        pytest.param([rows("a", "b", at=pa.array([NOON] * 2, pa.timestamp("ns", "UTC")))], id="nanoseconds"),
        pytest.param([rows("a"), rows(), rows("b")], id="a batch without rows"),
    ],
)
def test_equal_rows_are_equal_bytes(batches):
    assert parquet(*batches) == parquet(rows("a", "b"))


def test_other_rows_are_other_bytes():
    assert len({parquet(rows("a")), parquet(rows("b")), parquet(rows("a", "a")), parquet(rows())}) == 4


def test_a_column_without_a_value_in_one_batch_may_have_values_in_the_next():
    found = decode(parquet(rows("a", n=pa.nulls(1)), rows("b")), SOURCE)
    assert found.rows["n"].to_pylist() == [None, 1.5]


def test_of_an_undeclared_column_only_the_name_is_kept():
    data = parquet(rows("a", added=pa.array(["canary"])))
    assert decode(data, SOURCE).extra == ("added",)
    assert b"canary" not in data


def test_a_million_equal_values_are_no_bomb():
    data = parquet(rows(*map(str, range(100_000)), n=pa.nulls(100_000, pa.float64())))
    assert decode(data, SOURCE).count == 100_000


@pytest.mark.parametrize(
    ("batches", "caps", "said"),
    [
        pytest.param([rows("a"), rows("b")], {"rows": 1}, "more than 1 rows.*raise `caps.rows`", id="rows"),
        pytest.param([rows("a")], {"bytes": 10}, "more than 10 bytes.*raise `caps.bytes`", id="bytes"),
        pytest.param([rows("a"), rows("b").drop_columns("n")], {}, "do not have the same columns", id="columns"),
        pytest.param([rows("a"), rows("b", n=pa.array(["x"]))], {}, "batches of here differ", id="types"),
    ],
)
def test_batches_that_do_not_fit_are_refused(batches, caps, said):
    with pytest.raises(DeliveryRefused, match=said):
        parquet(*batches, **caps)


def test_caps_hold_before_everything_is_read():
    def endless():
        while True:
            yield rows(*map(str, range(1_000)))

    with pytest.raises(DeliveryRefused, match=r"raise `caps\.rows`"):
        written.parquet(endless(), capped(rows=9_999), "here")


# ---- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("a/b.csv", "a/b.csv", True),
        ("a/b.csv", "a/*.csv", True),
        ("a/x/b.csv", "a/*.csv", False),
        ("a/x/y/b.csv", "a/**/b.csv", True),
        ("a/b.csv", "a/**/b.csv", True),
        ("a/b.csv", "A/b.csv", False),
        ("a/b", "a", False),
        ("a", "a/b", False),
        ("a/2024-01-02", "a/2024-01-0[1-3]", True),
    ],
)
def test_a_pattern_stays_within_its_parts(name, pattern, fits):
    assert names.fits(name, pattern) is fits


# ---- connections ------------------------------------------------------------------------------------------------

HOLDING = Connection("w", login="canary-login", password="canary-secret", extra={"token": "canary-token", "n": 5})


def test_a_connection_hides_what_is_secret_from_its_repr_and_from_messages():
    assert "canary" not in repr(HOLDING) + str(HOLDING)
    said = HOLDING.hidden("user canary-login with canary-secret\nand canary-token was refused" + "!" * 500)
    assert said.startswith("user *** with *** and *** was refused")
    assert len(said) == 200
    for error in (HOLDING.closed("not canary-secret"), HOLDING.silent("canary-token")):
        assert "canary" not in str(error)
        assert "'w'" in str(error)


@pytest.mark.parametrize("said", ["{not JSON canary-secret", "postgres://me:canary-secret@db:port/x", '{"port": "x"}'])
def test_a_variable_that_cannot_be_read_is_not_quoted(monkeypatch, said):
    monkeypatch.setenv("AIRFLOW_CONN_W", said)
    with pytest.raises(SourceClosed, match="AIRFLOW_CONN_W") as failure:
        from_environment("w")
    assert "canary" not in f"{failure.value} {failure.value.__cause__}"
