"""Feature rows that hold the future are found by computing them again, blind to it."""

import json
from dataclasses import asdict

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests import parcels

from updraft import features
from updraft.asof import History, raw_table
from updraft.evidence.hindsight import Hindsight
from updraft.features.shape import shaped
from updraft.ingest.late import Late
from updraft.ledger import Ledger
from updraft.life import train
from updraft.life.hindsight import Blindfold, look_back
from updraft.model import store
from updraft.partition import calendar

pytestmark = pytest.mark.slow  # works on a world in which a model was trained

AT = "2024-01-18"
LOOKED_AT = ("2024-01-01", "2024-01-03", "2024-01-05", "2024-01-12", "2024-01-15")


def champion(world):
    return store.load(world.lake, "parcels", Ledger(world.lake, "parcels").state().champion)


def looked(world, case=None):
    case = case or world.case
    return look_back(case, world.lake, champion(world))


def from_the_future(world, keys):
    """Write features of partitions as they would look a week later."""
    case = world.case
    for day in (calendar(case).at(key) for key in keys):
        moment = calendar(case).step(day, 7).as_of
        with History(world.lake, case, "features", first=day, latest=moment) as history:
            asked = history.ask(day, moment)
        rows = shaped(case, "features", asked, day, moment, features.fingerprint(case))
        world.lake.replace(features.table(case), rows, [day.key])


def spoil(world, key, column, value):
    """Change one value of a stored feature row by hand."""
    rows = world.lake.read(features.table(world.case), [key])
    values = [value, *rows[column].to_pylist()[1:]]
    place = rows.column_names.index(column)
    changed = rows.set_column(place, rows.schema.field(column), pa.array(values, rows.schema.field(column).type))
    world.lake.replace(features.table(world.case), changed, [key])


def test_rows_computed_as_of_their_moment_come_out_again_to_the_byte(world):
    found = looked(world)
    assert found == Hindsight(LOOKED_AT, found.rows)
    assert found.rows > 250


def test_rows_computed_a_week_later_are_found_by_column_and_partition(world):
    from_the_future(world, ["2024-01-12", "2024-01-13"])
    found = looked(world)
    assert found.where == ("2024-01-12",)
    assert found.changed["depot_late"] > 30
    assert found.changed["as_of"] == 60
    assert "weight" not in found.changed, "what was known in time is the same later"


def test_one_value_changed_by_hand_is_found(world):
    spoil(world, "2024-01-05", "weight", 99.0)
    found = looked(world)
    assert (dict(found.changed), found.where) == ({"weight": 1}, ("2024-01-05",))


def test_a_row_that_was_not_there_is_found(world):
    rows = world.lake.read(features.table(world.case), ["2024-01-12"])
    world.lake.replace(features.table(world.case), rows.slice(1), ["2024-01-12"])
    assert dict(looked(world).changed) == {"row": 1}


def test_the_gate_names_what_knew_the_future(world):
    from_the_future(world, list(LOOKED_AT[3:]))
    trained = next(r for r in Ledger(world.lake, "parcels").records() if r.kind == "trained").facts
    found = train.gate(world.case, calendar(world.case).at(AT), world.lake, trained, champion=None)
    (verdict,) = (v for v in found.verdicts if v.gate == "leakage")
    assert (found.outcome, verdict.outcome) == ("FAIL", "FAIL")
    assert "future: " in verdict.reason
    assert "2024-01-12, 2024-01-15 is not what was known at its moment" in verdict.reason


@pytest.mark.parametrize(("rebuilt", "found"), [(False, {}), (True, {"weight": 1})])
def test_partitions_that_late_rows_would_change_are_left_out_while_they_are_kept_as_computed(world, rebuilt, found):
    spoil(world, "2024-01-12", "weight", 99.0)
    noted = Late("arrivals", "2024-01-11", "d1", "2024-01-11T00:00:00", ("2024-01-12",), (), "keep", rebuilt)
    world.lake.put("late/parcels/arrivals/2024-01-11/d1.json", json.dumps(asdict(noted)).encode())
    seen = looked(world)
    assert dict(seen.changed) == found
    assert ("2024-01-12" in seen.partitions) is rebuilt


def test_queries_that_cannot_be_run_again_are_unknown(world, tmp_path):
    broken = parcels.write(tmp_path, parcels.FEATURES.replace("hour(ships_at)", "hour(ships_at) + error('no')"))
    found = looked(world, broken)
    assert found.unknown.startswith("2024-01-01: ")
    assert found.changed == {}


def test_a_blindfold_hides_what_became_known_later_and_nothing_else(world):
    day = calendar(world.case).at("2024-01-05")
    table = raw_table(world.case, "arrivals")
    plain = world.lake.read(table, ["2024-01-04", "2024-01-06"])
    blind = Blindfold(world.lake.uri, live=world.lake, moment=day.as_of).read(table, ["2024-01-04", "2024-01-06"])
    known = pc.less_equal(plain["known_at"], pa.scalar(day.as_of))
    assert 0 < pc.sum(known).as_py() < len(plain)
    assert blind.slice(0, pc.sum(known).as_py()).equals(plain.filter(known))
    after = blind.slice(pc.sum(known).as_py())
    assert len(after) == (len(plain) - pc.sum(known).as_py() + 1) // 2
    assert after["parcel"].to_pylist() != plain.filter(pc.invert(known))["parcel"].to_pylist()[::2]
