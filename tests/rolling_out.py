"""A rollout that has begun: to score live rows under it, to let it advance, and to make a model fail."""

from datetime import timedelta

import pyarrow as pa

from updraft import features, score
from updraft.ledger import Ledger
from updraft.life import promotion, rollout, train
from updraft.partition import calendar
from updraft.spec.model import Rollout

AT, LAST = "2024-02-02", "2024-02-11"
LIVE = [f"2024-02-{day:02}" for day in range(2, 9)]
WHO = {"who": "test"}
SHADOW, CANARY, PROBATION = (
    {"shadow": {"partitions": 4}},
    {"canary": {"share": 0.5, "partitions": 4}},
    {"probation": {"partitions": 4}},
)


def examine(world):
    """Train a candidate on what the world has become, and examine it."""
    model = world.case.model.model_copy(update={"families": ("logistic",), "history": timedelta(days=11)})
    case, dates = world.case.model_copy(update={"model": model}), calendar(world.case)
    features.build(case, features.stale(case, dates.keys("2024-01-01", LAST), world.lake), world.lake)
    made = train.fit(case, dates.at(AT), world.lake, code_version="test", **WHO)
    trained = {"candidate": made.candidate, "baselines": dict(made.baselines)}
    found = promotion.examine(case, dates.at(AT), world.lake, trained, **WHO)
    assert found["outcome"] == "PASS", found["because"]


def begin(world, declared):
    """Conclude the examination under a spec with a rollout."""
    case = world.case.model_copy(update={"rollout": Rollout.model_validate(declared)})
    done = promotion.conclude(case, calendar(case).at(AT), world.lake, world.registry, newer(world), **WHO)
    return case, world, done


def state(world):
    return Ledger(world.lake, "parcels").state()


def older(world):
    return next(r.model for r in state(world).records if r.kind == "promoted")


def newer(world):
    return [r.model for r in state(world).records if r.kind == "gated"][-1]


def live(case, world, keys=LIVE):
    for key in keys:
        score.partitions(case, [key], world.lake, champion=score.pin(case, world.lake))
        score.reconcile(case, [key], world.lake)


def advance(case, world, at=LAST):
    return rollout.advance(case, calendar(case).at(at), world.lake, world.registry, **WHO)


def rows(world, key=LIVE[0]):
    return world.lake.read("scores/parcels", [key]).to_pandas()


def kinds(world, after=AT):
    return [r.kind for r in state(world).records if (r.partition or "") >= after and r.kind != "confirmed"]


def spoil(world, wrong, keys, role):
    """Make a model's stored scores wrong, as if it had failed on live rows it was never examined on."""
    for key in keys:
        stored = world.lake.read("scores/parcels", [key])
        found = stored.to_pandas()
        own = (found["model"] == wrong) & found["role"].isin(role)
        found.loc[own, "score"] = 1 - found.loc[own, "score"]
        world.lake.replace("scores/parcels", pa.Table.from_pandas(found, stored.schema, preserve_index=False), [key])
