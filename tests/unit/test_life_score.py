import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests import parcels

from updraft import features, score
from updraft.errors import FeaturesSkewed
from updraft.life import score as scoring
from updraft.life.train import profile_key

pytestmark = pytest.mark.slow

DAY, NEXT = "2024-01-17", "2024-01-18"


def shifted(world, key, depot=None, weight=1.0):
    """Overwrite a partition's features with rows the champion never saw the like of."""
    rows = world.lake.read("features/parcels", [key])
    columns = {"weight": pc.multiply(rows["weight"], weight)}
    if depot:
        columns["depot"] = pa.array([depot] * len(rows), pa.string())
    changed = pa.table({name: columns.get(name, rows[name]) for name in rows.column_names}, schema=rows.schema)
    world.lake.replace("features/parcels", changed, [key])


def run(world, keys, case=None, **how):
    case = case or world.case
    return scoring.partitions(case, keys, world.lake, champion=score.pin(case, world.lake), **how)


def kept(world, key):
    return json.loads(world.lake.get(f"skew/parcels/{key}.json"))


def strict(tmp_path):
    return parcels.write(tmp_path / "strict", skew={"severity": "block"})


def test_scores_come_with_what_was_held_against_the_training_rows(world):
    scored, told = run(world, [DAY, NEXT])
    assert scored.partitions == 2
    assert (told["skewed"], told["unknown"], told["largest"]) == (0, 0, [])
    looks = kept(world, DAY)["looks"]
    assert {(one["feature"], one["kind"]) for one in looks} == {
        *((name, "missing") for name in world.case.features),
        *((name, "outside") for name in ("weight", "ship_hour", "depot_late")),
        ("depot", "unseen"),
    }
    assert told["looks"] == 2 * len(looks)
    assert kept(world, DAY)["model"] == score.pin(world.case, world.lake)


def test_skew_is_told_and_the_scores_stand_when_it_only_warns(world):
    shifted(world, NEXT, depot="nowhere", weight=1000.0)
    scored, told = run(world, [DAY, NEXT])
    assert scored.rows == len(world.lake.read("features/parcels", [DAY, NEXT]))
    assert told["skewed"] == 2
    assert [line.split(",")[0] for line in told["largest"]] == [f"{NEXT}: depot", f"{NEXT}: weight"]
    assert len(json.dumps(told)) < 2000


def test_skew_that_blocks_leaves_no_scores(world, tmp_path):
    case = strict(tmp_path)
    shifted(world, NEXT, depot="nowhere")
    with pytest.raises(FeaturesSkewed, match=rf"{NEXT}: depot, 60 of 60 rows \(100.0%\) of a category never"):
        run(world, [NEXT], case)
    assert world.lake.partitions(score.table(case)) == []
    assert [one["kind"] for one in kept(world, NEXT)["looks"] if one["status"] == "skewed"] == ["unseen"]
    assert run(world, [DAY], case)[1]["skewed"] == 0


def test_partitions_scored_before_are_not_held_again_but_for_a_rescore(world):
    run(world, [DAY])
    shifted(world, DAY, depot="nowhere")
    assert run(world, [DAY])[1]["looks"] == 0
    assert kept(world, DAY)["looks"][0]["status"] == "ok"
    assert run(world, [DAY], rescore=True)[1]["skewed"] == 1


@pytest.mark.parametrize("content", [b"{}", None])
def test_without_a_reference_nothing_is_known_and_what_blocks_blocks(world, tmp_path, content):
    place = profile_key(world.case, score.pin(world.case, world.lake))
    if content is None:
        (Path(world.lake.uri) / place).unlink()
    else:
        world.lake.put(place, content)
    with pytest.raises(FeaturesSkewed, match="gone or not readable"):
        run(world, [DAY], strict(tmp_path))
    scored, told = run(world, [DAY])
    assert scored.scored > 0
    assert "gone or not readable" in told["unknown"]


def test_the_severity_makes_no_partition_stale(world, tmp_path):
    assert features.fingerprint(strict(tmp_path)) == features.fingerprint(world.case)
