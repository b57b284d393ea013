"""The names under which stages announce what they wrote; hints that wake the next stage up."""

from airflow.sdk import Asset, AssetAll

from updraft.spec.model import UseCase


def raw(case: UseCase, source: str) -> Asset:
    """Raw rows of one source."""
    return _asset(case, f"raw.{source}")


def all_raw(case: UseCase) -> AssetAll:
    """Raw rows of every source of the use case."""
    return AssetAll(*(raw(case, source) for source in sorted(case.sources)))


def features(case: UseCase) -> Asset:
    """Feature rows."""
    return _asset(case, "features")


def scores(case: UseCase) -> Asset:
    """Scores, reconciled."""
    return _asset(case, "scores")


def incident(case: UseCase) -> Asset:
    """A measured movement that asks for an action."""
    return _asset(case, "incident")


def champion(case: UseCase) -> Asset:
    """A model promoted."""
    return _asset(case, "champion")


def _asset(case: UseCase, what: str) -> Asset:
    return Asset(name=f"{case.name}.{what}", uri=f"updraft://{case.name}/{what}", group="updraft")
