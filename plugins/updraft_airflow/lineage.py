"""What a task read and wrote, in the words of OpenLineage; Airflow's provider sends it where this installation says.

Tables are described while the task still works: the provider asks at its end, by default in a fork, where the lake must
not be touched any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from updraft.lake import Lake


@dataclass(frozen=True)
class Place:
    """A table of the lake, or a source of deliveries.

    :param version: Of the table, as it was when the task was done; `None` for a source.
    :param columns: Name and type of each column.
    """

    uri: str
    version: int | None = None
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Lineage:
    """What one task read and wrote.

    :param rows: Rows it spoke of, `None` where it spoke of none.
    """

    owner: str
    read: tuple[Place, ...]
    written: tuple[Place, ...]
    rows: int | None


def wanted() -> bool:
    """Whether this installation sends lineage anywhere."""
    from airflow.providers.openlineage.conf import is_disabled

    return not is_disabled()


def tables(case: UseCase, lake: "Lake", kinds: Sequence[str]) -> tuple[Place, ...]:
    """The tables of a use case, by kind, as they are now; one that is not there yet is left out."""
    return tuple(place for kind in kinds for place in _places(lake, _names(case, kind)))


def _names(case: UseCase, kind: str) -> list[str]:
    from updraft.asof import raw_table

    return [raw_table(case, source) for source in case.sources] if kind == "raw" else [f"{kind}/{case.name}"]


def _places(lake: "Lake", names: Sequence[str]) -> list[Place]:
    found = []
    for table in names:
        if (shape := lake.shape(table)) is not None:
            version, schema = shape
            columns = tuple((field.name, str(field.type)) for field in schema)
            found.append(Place(lake.location(table), version, columns))
    return found


def delivery(case: UseCase, lake: "Lake", source: str) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """Where the deliveries of a source come from, without what it takes to get in, and where their rows go."""
    from updraft.asof import raw_table

    return (Place(f"updraft://{case.name}/{source}"),), tuple(_places(lake, [raw_table(case, source)]))


def facets(told: Lineage) -> "OperatorLineage[Any, Any]":
    """Render as the provider wants it: datasets with their columns, versions, owners and rows."""
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet

    counted = {} if told.rows is None else {"outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=told.rows)}
    return OperatorLineage(
        inputs=[InputDataset(*_named(place.uri), facets=_described(place, told.owner)) for place in told.read],
        outputs=[
            OutputDataset(*_named(place.uri), facets=_described(place, told.owner), outputFacets=dict(counted))
            for place in told.written
        ],
    )


def _named(uri: str) -> tuple[str, str]:
    """Namespace and name (openlineage.io/docs/spec/naming).

    >>> _named("s3://bucket/lake/features/late"), _named("/lake/features/late")
    (('s3://bucket', 'lake/features/late'), ('file', '/lake/features/late'))
    """
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        return "file", parts.path
    return f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/")


def _described(place: Place, owner: str) -> dict[str, Any]:
    from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
    from openlineage.client.generated.ownership_dataset import Owner, OwnershipDatasetFacet
    from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields

    found: dict[str, Any] = {"ownership": OwnershipDatasetFacet(owners=[Owner(name=owner)])}
    if place.version is not None:
        columns = [SchemaDatasetFacetFields(name=name, type=kind) for name, kind in place.columns]
        found["schema"] = SchemaDatasetFacet(fields=columns)
        found["version"] = DatasetVersionDatasetFacet(datasetVersion=str(place.version))
    return found
