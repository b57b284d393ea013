"""What examines, concludes and trains the parcels' models again, as tasks do it."""

from updraft import features
from updraft.life import promotion, train
from updraft.partition import calendar

AT, LATER = "2024-01-18", "2024-02-11"
WHO = {"who": "test"}


def examine(world, trained, key=AT, case=None):
    case = case or world.case
    return promotion.examine(case, calendar(case).at(key), world.lake, trained, **WHO)


def conclude(world, candidate, key=AT, case=None, **more):
    case = case or world.case
    registry = more.pop("registry", world.registry)
    return promotion.conclude(case, calendar(case).at(key), world.lake, registry, candidate, **WHO, **more)


def train_again(world, key, **model):
    """Build what is missing up to `key`, and train; `model` changes the spec's section."""
    case = world.case.model_copy(update={"model": world.case.model.model_copy(update=model)})
    keys = calendar(case).keys("2024-01-01", key)
    features.build(case, features.stale(case, keys, world.lake), world.lake)
    made = train.fit(case, calendar(case).at(key), world.lake, code_version="test", **WHO)
    return {"candidate": made.candidate, "baselines": dict(made.baselines)}
