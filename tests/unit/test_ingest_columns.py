"""Columns that the spec adds, drops or retypes between two deliveries."""

import pytest
from tests.deliveries import DAY, DAYS, GOOD, RAW, case, drop, raw, stage, state

from updraft import ingest
from updraft.errors import (
    SpecInvalid,
)
from updraft.spec.sources import Deleted


@pytest.mark.slow
def test_a_column_that_the_spec_adds_or_drops_leaves_old_rows_readable(lake, inbox):
    more = case(gate={"type": "string", "nullable": True})
    drop(inbox, *GOOD, name=f"{DAYS[0]}.csv")
    stage(lake, inbox, DAYS[:1])
    drop(inbox, f"{GOOD[0]},B7", day=DAYS[1], header="id,at,delay,gate")
    stage(lake, inbox, DAYS[1:2], of=more)
    assert {(row["partition"], row["gate"]) for row in raw(lake)} == {(DAYS[0], None), (DAYS[1], "B7")}
    stage(lake, inbox, DAYS[1:2])
    version = lake.version(RAW)
    stage(lake, inbox, DAYS[:2])
    assert lake.version(RAW) == version


@pytest.mark.slow
def test_a_column_of_another_type_is_refused_before_anything_is_written(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox)
    before = state(lake)
    drop(inbox, "1,2013-04-02T05:00:00Z,10", day=DAYS[1])
    other = case(id={"type": "string"})
    with pytest.raises(SpecInvalid, match=r"Column 'id' of raw/late/flights is string .* are integer") as no:
        stage(lake, inbox, DAYS[1:2], of=other)
    assert "declare it as integer again; for deliveries of the new type declare a source of another name" in str(
        no.value
    )
    assert state(lake) == before
    assert ingest.delivered(other, "flights", lake) == {DAY}
    stage(lake, inbox, DAYS[1:2])
    assert len(raw(lake)) == 3


@pytest.mark.slow
def test_a_source_that_begins_to_delete_leaves_what_was_there_before(lake, inbox):
    drop(inbox, *GOOD)
    stage(lake, inbox)
    more = case(is_gone={"type": "boolean", "nullable": True})
    source = more.sources["flights"].model_copy(update={"deleted": Deleted(column="is_gone")})
    more = more.model_copy(update={"sources": {"flights": source}})
    drop(inbox, f"{GOOD[0]},true", f"{GOOD[1]},", day=DAYS[1], header="id,at,delay,is_gone")
    stage(lake, inbox, DAYS[1:2], of=more)
    told = {(row["partition"], row["id"]): row["gone"] for row in raw(lake)}
    assert told == {(DAY, 1): None, (DAY, 2): None, (DAYS[1], 1): True, (DAYS[1], 2): False}
