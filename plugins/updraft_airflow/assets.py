"""The names under which stages announce what they wrote; hints that wake the next stage up."""

from collections.abc import Sequence

from airflow.sdk import Asset, AssetAll, AssetAny, AssetWatcher

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


def arrivals(case: UseCase) -> AssetAny:
    """Said to have arrived: deliveries of the sources that say so. The triggerer watches, and no task announces it."""
    return AssetAny(*(_arrival(case, source) for source in sorted(case.sources) if case.sources[source].tells))


def _arrival(case: UseCase, source: str) -> Asset:
    from updraft_airflow.triggers.arrival import ArrivalTrigger

    watched = AssetWatcher(name=f"{case.name}.{source}", trigger=ArrivalTrigger(use_case=case.name, source=source))
    return _asset(case, f"arrival.{source}", [watched])


def _asset(case: UseCase, what: str, watchers: Sequence[AssetWatcher] = ()) -> Asset:
    # For a scheme without `x-` Airflow imports what every provider knows of URIs, boto3 among it, at each parse.
    name, uri = f"{case.name}.{what}", f"x-updraft://{case.name}/{what}"
    return Asset(name=name, uri=uri, group="updraft", watchers=list(watchers))
