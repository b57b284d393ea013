import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests import parcels

from updraft import features, prediction, score
from updraft.errors import FeaturesInvalid, ModelRejected, NoChampion
from updraft.ledger import Ledger
from updraft.model import store
from updraft.rows import digest
from updraft.spec.model import Rollout

pytestmark = pytest.mark.slow

DAY, NEXT = "2024-01-17", "2024-01-18"
SCORES, FEATURES = "scores/parcels", "features/parcels"


@pytest.fixture
def champion(world):
    return score.pin(world.case, world.lake)


@pytest.fixture
def other(world):
    """Digest of another model of the same training: a baseline, which knows the same features."""
    (trained,) = [r for r in Ledger(world.lake, "parcels").records() if r.kind == "trained"]
    return trained.facts["baselines"]["lightgbm"]


def rows(world, *keys):
    return world.lake.read(SCORES, keys or [DAY]).sort_by([("partition", "ascending"), ("parcel", "ascending")])


def change(world, column, values, key=DAY):
    """Write the first feature rows of a partition with other values."""
    stored = world.lake.read(FEATURES, [key])
    new = [*values, *stored[column].to_pylist()[len(values) :]]
    place = stored.schema.get_field_index(column)
    changed = stored.set_column(place, stored.schema.field(place), pa.array(new, stored.schema.field(place).type))
    world.lake.replace(FEATURES, changed, [key])


# ---- one score or refusal per row --------------------------------------------------------------------------------


def test_every_feature_row_gets_a_score_with_all_its_origins(world, champion):
    done = score.partitions(world.case, [DAY], world.lake, champion=champion)
    found, asked = rows(world), world.lake.read(FEATURES, [DAY])
    assert found.schema.equals(score.schema(world.case))
    assert (done.partitions, done.rows, done.scored, done.refused) == (1, parcels.PER_DAY, parcels.PER_DAY, 0)
    assert found["parcel"].to_pylist() == sorted(asked["parcel"].to_pylist())
    assert set(found["model"].to_pylist()) == set(done.models) == {champion}
    assert set(found["fingerprint"].to_pylist()) == {features.fingerprint(world.case)}
    assert set(found["data"].to_pylist()) == {digest(asked)}
    assert set(found["role"].to_pylist()) == {"champion"}
    assert found["refused"].null_count == len(found)
    assert not done.kept


def test_the_scores_are_what_the_model_says(world, champion):
    score.partitions(world.case, [DAY], world.lake, champion=champion)
    frame = world.lake.read(FEATURES, [DAY]).sort_by("parcel").to_pandas()
    said = store.load(world.lake, "parcels", champion).predict(frame)
    assert rows(world)["score"].to_pylist() == said.tolist()


def test_a_row_is_acted_on_from_the_threshold_on(world, champion):
    done = score.partitions(world.case, [DAY], world.lake, champion=champion)
    found = rows(world)
    assert found["acted"].to_pylist() == [value >= 0.25 for value in found["score"].to_pylist()]
    assert 0 < done.acted == pc.sum(found["acted"]).as_py() < parcels.PER_DAY


@pytest.mark.parametrize("whose", ["acted_on", "all"])
def test_reasons_are_given_for_the_rows_the_spec_asks_them_for(world, champion, whose):
    case = world.case.model_copy(update={"rollout": Rollout(reasons=whose)})
    score.partitions(case, [DAY], world.lake, champion=champion)
    for row in rows(world).to_pylist():
        assert (row["reasons"] is not None) == (row["acted"] or whose == "all")
        if row["reasons"]:
            told = json.loads(row["reasons"])
            assert 1 <= len(told) <= 3
            assert all(name in case.features and math.isfinite(weight) for name, weight in told)
            assert [abs(weight) for _, weight in told] == sorted((abs(weight) for _, weight in told), reverse=True)


def test_a_row_with_an_infinite_number_is_refused_and_counted(world, champion):
    change(world, "weight", [math.inf, -math.inf, 1e308, None])
    done = score.partitions(world.case, [DAY], world.lake, champion=champion)
    assert (done.rows, done.scored, done.refused) == (parcels.PER_DAY, parcels.PER_DAY - 2, 2)
    first, second, huge, missing = rows(world).to_pylist()[:4]
    for row in (first, second):
        assert row["refused"] == "weight is infinite"
        assert (row["score"], row["acted"], row["reasons"], row["model"]) == (None, False, None, champion)
    assert 0 <= huge["score"] <= 1
    assert 0 <= missing["score"] <= 1
    assert score.reconcile(world.case, [DAY], world.lake).refused == 2


def test_an_infinite_number_that_the_model_does_not_see_refuses_nothing(world, champion):
    model = store.load(world.lake, "parcels", champion)
    frame = world.lake.read(FEATURES, [DAY]).to_pandas().assign(weight=math.inf, ship_hour=math.inf)
    seen = model.manifest.model_copy(update={"features": tuple(f for f in model.manifest.features if f[0] != "weight")})
    assert set(prediction._refusals(frame, replace(model, manifest=seen))) == {"ship_hour is infinite"}


def test_a_partition_of_refused_rows_alone_is_scored_as_such(world, champion):
    change(world, "depot_late", [math.inf] * parcels.PER_DAY)
    done = score.partitions(world.case, [DAY], world.lake, champion=champion)
    assert (done.scored, done.refused, done.acted) == (0, parcels.PER_DAY, 0)


# ---- what is refused whole ---------------------------------------------------------------------------------------


def test_without_a_champion_nothing_is_pinned(parcels_case, delivered):
    with pytest.raises(NoChampion, match="No model of parcels has been promoted") as refused:
        score.pin(parcels_case, delivered)
    assert "parcels__train" in refused.value.next_step


def test_a_partition_without_features_is_named(world, champion):
    with pytest.raises(FeaturesInvalid, match="There are no features of parcels for 2024-01-19, 2024-01-20"):
        score.partitions(world.case, [DAY, "2024-01-19", "2024-01-20"], world.lake, champion=champion)
    assert world.lake.version(SCORES) is None


def test_a_model_of_another_definition_is_refused(world, champion, tmp_path):
    changed = parcels.write(tmp_path, parcels.FEATURES.replace("hour(ships_at)", "hour(ships_at) + 1"))
    features.build(changed, [DAY], world.lake)
    with pytest.raises(ModelRejected, match="trained on another definition"):
        score.partitions(changed, [DAY], world.lake, champion=champion)
    with pytest.raises(ModelRejected, match="these rows are of"):
        score.partitions(world.case, [DAY], world.lake, champion=champion)
    assert world.lake.version(SCORES) is None


def test_a_model_whose_file_was_changed_scores_nothing(world, champion):
    key = f"models/parcels/{champion}/calibration.json"
    world.lake.put(key, world.lake.get(key).replace(b"1", b"2", 1))
    with pytest.raises(ModelRejected, match="changed or cut short"):
        score.partitions(world.case, [DAY], world.lake, champion=champion)
    assert world.lake.version(SCORES) is None


# ---- a partition is scored once ----------------------------------------------------------------------------------


def test_scores_that_stand_are_kept_when_the_champion_changes(world, champion, other):
    first = score.partitions(world.case, [DAY], world.lake, champion=champion)
    before, version = rows(world), world.lake.version(SCORES)
    again = score.partitions(world.case, [DAY], world.lake, champion=other)
    assert (again.kept, again.models, again.rows) == (True, (champion,), first.rows)
    assert rows(world).equals(before)
    assert world.lake.version(SCORES) == version


def test_a_partition_is_kept_even_where_a_new_one_is_scored_beside_it(world, champion, other):
    score.partitions(world.case, [DAY], world.lake, champion=champion)
    before = rows(world)
    done = score.partitions(world.case, [DAY, NEXT], world.lake, champion=other)
    assert (done.kept, done.partitions, done.rows) == (False, 2, 2 * parcels.PER_DAY)
    assert done.models == tuple(sorted((champion, other)))
    assert rows(world).equals(before)
    assert set(rows(world, NEXT)["model"].to_pylist()) == {other}


def test_a_rescore_replaces_the_whole_partition(world, champion, other):
    score.partitions(world.case, [DAY, NEXT], world.lake, champion=champion)
    done = score.partitions(world.case, [DAY], world.lake, champion=other, rescore=True)
    assert (done.kept, done.models, done.rows) == (False, (other,), parcels.PER_DAY)
    assert set(rows(world, NEXT)["model"].to_pylist()) == {champion}
    assert len(rows(world)) == parcels.PER_DAY


def test_of_two_runs_at_once_one_counts(world, champion, other):
    """The champion changed between the two: whoever commits first, the rows are one model's."""
    score.partitions(world.case, [NEXT], world.lake, champion=champion)
    barrier = Barrier(2)

    def run(model):
        barrier.wait()
        return score.partitions(world.case, [DAY], world.lake, champion=model)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, [champion, other]))
    assert done[0].models == done[1].models
    assert done[0].models in ((champion,), (other,))
    assert len(rows(world)) == parcels.PER_DAY
    assert world.lake.version(SCORES) == 2


# ---- reconciling -------------------------------------------------------------------------------------------------


def test_reconciling_counts_what_was_committed(world, champion):
    done = score.partitions(world.case, [DAY, NEXT], world.lake, champion=champion)
    found = score.reconcile(world.case, [DAY, NEXT], world.lake)
    assert (found.rows, found.scored, found.acted, found.models) == (done.rows, done.scored, done.acted, (champion,))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda t: t.slice(1), id="a row is missing"),
        pytest.param(lambda t: pa.concat_tables([t, t.slice(0, 1)]), id="a row stands there twice"),
        pytest.param(lambda t: pa.concat_tables([t.slice(1), t.slice(1, 1)]), id="one twice in place of another"),
        pytest.param(lambda t: t.slice(0, 0), id="all are gone"),
    ],
)
def test_reconciling_finds_scores_that_are_not_those_of_the_features(world, champion, spoil):
    score.partitions(world.case, [DAY, NEXT], world.lake, champion=champion)
    world.lake.replace(SCORES, spoil(world.lake.read(SCORES, [DAY])), [DAY])
    with pytest.raises(FeaturesInvalid, match=r"do not match its feature rows one to one") as found:
        score.reconcile(world.case, [DAY, NEXT], world.lake)
    assert "rescore" in found.value.next_step


def test_reconciling_finds_features_that_were_never_scored(world, champion):
    with pytest.raises(FeaturesInvalid, match="do not match"):
        score.reconcile(world.case, [DAY], world.lake)
    score.partitions(world.case, [DAY], world.lake, champion=champion)
    with pytest.raises(FeaturesInvalid, match="do not match"):
        score.reconcile(world.case, [DAY, NEXT], world.lake)
