"""What each kind of source needs beyond the columns: the sections of a source that are named like its `type`."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from updraft.spec import places
from updraft.spec.base import Part
from updraft.spec.durations import Duration
from updraft.spec.names import Name

ConnectionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$")]
FieldPath = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
_BOUND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")  # as SQLAlchemy finds them
_FILLED = re.compile(r"\{(\w*)\}")
_CONNECTION = "The Airflow connection that says where it is and how to enter."


class Files(Part):
    """How a file in the inbox, or an object at a URL, is known to be whole, and how to get in there."""

    complete: Literal["settled", "marker", "atomic"] = Field(
        default="settled",
        description="`settled`: size and time stand still, or `_SUCCESS` lies beside it; `marker`: `_SUCCESS` lies "
        "beside it; `atomic`: whoever writes renames, so that what is there is whole. In an object store what is there "
        "always is.",
    )
    connection: ConnectionId | None = Field(
        default=None,
        description="For a URL of an object store: the Airflow connection that says how to enter; the environment when "
        "left out.",
    )
    watch: bool = Field(
        default=False,
        description="Whether Airflow's triggerer looks into the inbox, so that a file need not wait for its hour.",
    )


class Notifications(Part):
    """A queue in which the store says what was put into the bucket, so that ingestion need not wait for its hour."""

    queue: str = Field(
        pattern=r"^https?://[A-Za-z0-9.-]{1,200}(:[0-9]{1,5})?/[A-Za-z0-9_./-]{1,200}$",
        description="Address of the SQS queue that the bucket sends `s3:ObjectCreated:*` to; of this source alone.",
    )
    connection: ConnectionId | None = Field(
        default=None, description="The Airflow connection that reads the queue; the bucket's when left out."
    )


class S3(Part):
    """A bucket of an object store that speaks S3."""

    connection: ConnectionId = Field(description=_CONNECTION)
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="The bucket.")
    complete: Literal["atomic", "marker"] = Field(
        default="atomic", description="`atomic`: an object is whole; `marker`: wait for `_SUCCESS` beside it."
    )
    notifications: Notifications | None = Field(
        default=None, description="Where the store says that an object was created; the clock alone when left out."
    )


class Windowed(Part):
    """What is asked for a span of time, once that span is past."""

    window: Literal["interval", "known"] = Field(
        default="interval",
        description="What start and end mean: `interval` is the partition's own; `known` runs from the moment of the "
        "partition before to the partition's own moment, for rows that are chosen by when they became known.",
    )
    delay: Duration = Field(default=timedelta(0), description="How long after the end the rows are complete.")


class Sql(Windowed):
    """A query of a database."""

    connection: ConnectionId = Field(description=_CONNECTION)
    query: str = Field(description="One SELECT of the declared columns, with `:start` and `:end` (UTC).")

    @field_validator("query")
    @classmethod
    def _bounded(cls, query: str) -> str:
        if set(_BOUND.findall(query)) != {"start", "end"}:
            raise ValueError("the query must bind `:start` and `:end`, and nothing else")
        return query


class Pages(Part):
    """How the pages of an answer follow each other: exactly one of the three."""

    next: FieldPath | None = Field(default=None, description="Field of the body that holds the next page's address.")
    link: Literal[True] | None = Field(default=None, description="The `Link` header names the next page.")
    number: str | None = Field(
        default=None, min_length=1, description="Query parameter that counts pages from 1, to the first without rows."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> "Pages":
        if sum(v is not None for v in (self.next, self.link, self.number)) != 1:
            raise ValueError("say exactly one of `next`, `link` and `number`")
        return self


class Http(Windowed):
    """JSON or CSV from an API."""

    connection: ConnectionId = Field(description=_CONNECTION)
    path: str = Field(
        pattern=r"^/[^\s?#]*$",
        description="Path below the connection's host; `{partition}`, `{start}` and `{end}` are filled in.",
    )
    params: dict[str, str] = Field(default={}, description="Query parameters; the same three are filled in.")
    rows: FieldPath | None = Field(
        default=None, description="Field of a JSON body that holds the rows, such as `data.orders`; else it is a list."
    )
    pages: Pages | None = Field(default=None, description="How pages follow each other; one page when left out.")
    rate: str = Field(
        default="10/second",
        pattern=r"^[1-9]\d{0,5}/(second|minute|hour)$",
        description="Most requests in a second, minute or hour.",
    )

    @model_validator(mode="after")
    def _filled_in(self) -> "Http":
        for text in (self.path, *self.params.values()):
            if strangers := set(_FILLED.findall(text)) - {"partition", "start", "end"}:
                raise ValueError(f"only {{partition}}, {{start}} and {{end}} are filled in, not {sorted(strangers)}")
        return self


class Python(Windowed):
    """A function in the use case's folder."""

    call: str = Field(
        pattern=r"^[a-z_][a-z0-9_]*\.py:[a-z_][a-z0-9_]*$",
        description="File and function, such as `source.py:rows`; it takes start and end and yields Arrow batches.",
    )
    connection: ConnectionId | None = Field(default=None, description="A connection that is handed to the function.")

    @property
    def file(self) -> str:
        """Name of the file, beside `spec.yaml`."""
        return self.call.partition(":")[0]

    @property
    def function(self) -> str:
        """Name of the function in it."""
        return self.call.partition(":")[2]


KINDS: dict[str, type[Part]] = {"files": Files, "s3": S3, "sql": Sql, "http": Http, "python": Python}
OPTIONAL = {"files"}  # everything it says has a default
WITH_PATH = {"files", "s3"}
Format = Literal["csv", "parquet", "jsonl"]
FORMATS: dict[str, tuple[Format, ...]] = {"sql": ("parquet",), "python": ("parquet",), "http": ("jsonl", "csv")}


def default_format(declared: dict[str, Any]) -> Format:
    """Format of a source that names none.

    >>> default_format({"type": "sql"}), default_format({"type": "files"})
    ('parquet', 'csv')
    """
    known = FORMATS.get(str(declared.get("type")))
    return known[0] if known else "csv"


def path_fits(kind: Name, path: str, files: Files | None) -> None:
    """Hold a path against the kind of its source.

    :raises ValueError: If it could lead elsewhere, lacks `{partition}`, or is a URL where none can be.
    """
    place = places.place(path)
    if place.scheme and kind != "files":
        raise ValueError(f"a `path` that is a URL is for type 'files', this one is of type {kind!r}")
    if "{partition}" not in path or place.below.startswith("/") or ".." in path.split("/"):
        raise ValueError("`path` must be relative to the inbox, stay inside it and contain {partition}")
    if place.store and "" in place.below.split("/"):
        raise ValueError("`path` has an empty part, and no object can be asked for by such a name")
    if files and files.connection and not place.store:
        raise ValueError("`files.connection` is for a `path` in an object store, such as s3://BUCKET/NAME")
    if files and files.watch and place.scheme:
        raise ValueError("`files.watch` is for the inbox; at a URL deliveries are looked for by the clock")


def settings(given: dict[str, Part | None], kind: Name, path: str | None, written: str) -> None:
    """Hold what a source says about its kind against what that kind needs.

    :param given: Section by kind, `None` where there is none.
    :raises ValueError: If a section is missing or belongs to another kind, or path or format do not fit.
    """
    if strangers := [name for name, section in given.items() if section is not None and name != kind]:
        raise ValueError(f"`{strangers[0]}` is for sources of that type, this one is of type {kind!r}")
    if kind in given and given[kind] is None and kind not in OPTIONAL:
        raise ValueError(f"a source of type {kind!r} needs the section `{kind}`")
    if (path is not None) != (kind in WITH_PATH) and kind in KINDS:
        raise ValueError(f"a source of type {kind!r} {'needs a' if path is None else 'has no'} `path`")
    http = given.get("http")
    if isinstance(http, Http) and written == "csv" and (http.rows or (http.pages and http.pages.next)):
        raise ValueError("`http.rows` and `http.pages.next` name fields of JSON, and CSV has none")
    if kind in FORMATS and written not in FORMATS[kind]:
        raise ValueError(f"a source of type {kind!r} gives {' or '.join(FORMATS[kind])}, not {written}")
