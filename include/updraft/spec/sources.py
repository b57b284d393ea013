"""Where raw rows come from and what they promise: the `sources:` part of a spec."""

from typing import Any, Literal

from pydantic import Field, model_validator

from updraft.spec import kinds, places
from updraft.spec.base import Part
from updraft.spec.contract import Among, Contract, Missing, Pattern, Range
from updraft.spec.durations import Duration
from updraft.spec.kinds import S3, Files, Http, Python, Sql
from updraft.spec.names import Name
from updraft.spec.zones import Zone

ColumnType = Literal["string", "integer", "number", "boolean", "timestamp"]
Fold = Literal["refuse", "earlier", "later"]
Treatment = Literal["hash", "mask", "drop"]


class Column(Part):
    """One column of a source: its type, and what every value of it must satisfy."""

    type: ColumnType = Field(description="How the value is read; never guessed.")
    nullable: bool = Field(default=False, description="Whether a value may be missing.")
    missing: Missing | None = Field(
        default=None, description="How often a value of a nullable column may be missing: `{max: 0.05}`."
    )
    range: Range | None = Field(default=None, description="Smallest and largest value allowed: `[0, null]`.")
    among: Among | None = Field(default=None, description="The only values allowed: `[EWR, JFK, LGA]`.")
    pattern: Pattern | None = Field(default=None, description='Regular expression a text must match: `"[A-Z]{3}"`.')
    timezone: Zone | None = Field(
        default=None, description="For timestamps written without a zone: the IANA zone they are in."
    )
    fold: Fold = Field(
        default="refuse",
        description="For such timestamps in an hour that the clock shows twice: a bad row, or which one it means.",
    )
    personal: Treatment | None = Field(
        default=None,
        description="For personal data: store a keyed hash of the value, its shape, or nothing; from landing on.",
    )

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> "Column":
        fits = {"range": ("integer", "number"), "pattern": ("string",), "timezone": ("timestamp",)}
        for rule, types in fits.items():
            if getattr(self, rule) is not None and self.type not in types:
                raise ValueError(f"`{rule}` is for {' and '.join(types)} columns, this one is {self.type}")
        if self.missing is not None and not self.nullable:
            raise ValueError("`missing` is for nullable columns; of this one no value may be missing")
        if self.fold != "refuse" and self.timezone is None:
            raise ValueError("`fold` is about the clock of a zone; say `timezone` as well")
        hidden = {"hash": ("string", "integer"), "mask": ("string",)}.get(self.personal or "")
        if hidden and self.type not in hidden:
            raise ValueError(f"`personal: {self.personal}` is for {' and '.join(hidden)} columns; `drop` fits any")
        if self.personal and (self.range or self.among or self.pattern):
            raise ValueError("a personal column has no `range`, `among` or `pattern`: its values are not kept to judge")
        return self


class KnownAt(Part):
    """When a row became known: exactly one of the three."""

    column: Name | None = Field(default=None, description="The column that says when the row became known.")
    delay: Duration | None = Field(default=None, description="This long after the end of the partition delivered.")
    landing: Literal[True] | None = Field(default=None, description="The moment the delivery landed.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "KnownAt":
        if sum(v is not None for v in (self.column, self.delay, self.landing)) != 1:
            raise ValueError("say exactly one of `column`, `delay` and `landing`")
        return self


class Deleted(Part):
    """How a row says that its fact is gone."""

    column: Name = Field(description="The boolean column that is true when the fact is gone as of the row's known-at.")


class Caps(Part):
    """Limits that hold before anything is decoded."""

    bytes: int = Field(default=2 * 1024**3, gt=0, description="Largest delivery as stored.")
    decoded_bytes: int = Field(default=4 * 1024**3, gt=0, description="Largest delivery once decompressed.")
    ratio: int = Field(default=200, gt=0, description="Largest ratio of decompressed to compressed bytes.")
    rows: int = Field(default=50_000_000, gt=0, description="Most rows.")
    bad_rows: int = Field(default=100_000, ge=0, description="Most rows that cannot be read as declared.")
    columns: int = Field(default=2_000, gt=0, description="Most columns.")
    line_bytes: int = Field(default=1024**2, gt=0, description="Longest line.")
    cell_bytes: int = Field(default=64 * 1024, gt=0, description="Longest value of a column, or name of one.")


class Source(Part):
    """One source of raw rows."""

    type: Name = Field(description="Which kind of source: a module of `updraft.sources`.")
    path: str | None = Field(
        default=None,
        description="For files and s3: where partition P is delivered, below the inbox or in the bucket; "
        "`{partition}` stands for its key, `*` for anything. For files also a URL: `s3://`, `gs://`, `az://`, "
        "`abfs://`, `abfss://` or `file:///`.",
    )
    format: kinds.Format = Field(
        default_factory=kinds.default_format,
        json_schema_extra={"default": "csv"},
        description="How the rows are written; `jsonl` unless said for http, always `parquet` for sql and python.",
    )
    files: Files | None = Field(default=None, description="For type `files`: when a file is whole, and how to get in.")
    s3: S3 | None = Field(default=None, description="For type `s3`: where the objects are.")
    sql: Sql | None = Field(default=None, description="For type `sql`: what is asked of which database.")
    http: Http | None = Field(default=None, description="For type `http`: what is asked of which API.")
    python: Python | None = Field(default=None, description="For type `python`: which function gives the rows.")
    key: tuple[Name, ...] = Field(min_length=1, description="Columns that tell one fact from another.")
    event_time: Name = Field(description="The timestamp column that says when the fact happened.")
    known_at: KnownAt = Field(description="When a row became known.")
    lookback: Duration | None = Field(
        default=None, description="How far back features read; older deliveries are not opened."
    )
    deleted: Deleted | None = Field(
        default=None, description="How a row says that its fact is gone; never, if left out."
    )
    snapshot: bool = Field(
        default=False,
        description="Whether a delivery holds the whole table; stored is what it changed.",
    )
    late: Literal["keep", "rebuild"] = Field(
        default="keep",
        description="What becomes of features and labels that late rows would have changed; scores always stay.",
    )
    deadline: Duration | None = Field(
        default=None, description="How long after the start of its ingest run a delivery may take until it is reported."
    )
    columns: dict[Name, Column] = Field(min_length=1, description="Every column that is read, by name.")
    contract: Contract = Field(default=Contract(), description="What a delivery as a whole must satisfy.")
    caps: Caps = Field(default=Caps(), description="Limits that hold before anything is decoded.")

    @model_validator(mode="after")
    def _columns_named_exist(self) -> "Source":
        for role, names in self._roles().items():
            for name in names:
                if name not in self.columns:
                    raise ValueError(f"`{role}` names {name!r}, which is not under `columns`")
        for role in ("event_time", "known_at"):
            for name in self._roles()[role]:
                if self.columns[name].type != "timestamp":
                    raise ValueError(f"`{role}` must name a timestamp column, {name!r} is {self.columns[name].type}")
        for name in (*self.key, self.event_time):
            if self.columns[name].nullable:
                raise ValueError(f"{name!r} is part of the key or the event time, so it cannot be nullable")
        if self.deleted and self.columns[self.deleted.column].type != "boolean":
            raise ValueError(f"`deleted` must name a boolean column, {self.deleted.column!r} is not")
        for role, names in self._roles().items():
            if lost := [name for name in names if self.columns[name].personal in ("mask", "drop")]:
                raise ValueError(f"`{role}` names {lost[0]!r}, which is not stored; a key may be hashed")
        return self

    @model_validator(mode="after")
    def _a_snapshot_says_all_by_itself(self) -> "Source":
        if self.snapshot and self.known_at.delay is None:
            raise ValueError("a `snapshot` is known as a whole, in the order of partitions: say `known_at.delay`")
        if self.snapshot and self.lookback is not None:
            raise ValueError("a `snapshot` takes no `lookback`: unchanged rows are stored in old partitions")
        if self.snapshot and self.deleted is not None:
            raise ValueError("say `snapshot` or `deleted`: a row that is gone is not in a snapshot")
        return self

    @model_validator(mode="after")
    def _settings_fit_the_kind(self) -> "Source":
        kinds.settings({name: getattr(self, name) for name in kinds.KINDS}, self.type, self.path, self.format)
        if self.path is not None:
            kinds.path_fits(self.type, self.path, self.files)
        fresh = self.contract.freshness
        if fresh is not None and fresh.by == "known_at" and self.known_at.column is None:
            raise ValueError("`contract.freshness.by` is `known_at`, which needs `known_at.column`: a row must say it")
        return self

    @property
    def deletes(self) -> bool:
        """Whether a fact of it can go again."""
        return self.snapshot or self.deleted is not None

    @property
    def tells(self) -> bool:
        """Whether it says when a delivery has arrived."""
        return bool((self.files and self.files.watch) or (self.s3 and self.s3.notifications))

    @property
    def looked_in(self) -> str:
        """What a person is told about where its deliveries are looked for; empty if that is the inbox."""
        if self.type != "files":
            return f"its {self.type} source"
        return self.path or "" if places.place(self.path or "").scheme else ""

    @property
    def refers_to(self) -> tuple[str, ...]:
        """Other sources whose published rows the contract asks about, sorted."""
        return tuple(sorted({reference.source for reference in self.contract.references.values()}))

    @property
    def personal(self) -> dict[str, Treatment]:
        """What becomes of the columns with personal data, by name."""
        return {name: column.personal for name, column in self.columns.items() if column.personal}

    def stored(self) -> "Source":
        """The source as the lake knows it: no dropped column, and text for what is hashed or masked."""
        kept = {name: column for name, column in self.columns.items() if column.personal != "drop"}
        text = {name: Column(type="string", nullable=kept[name].nullable) for name in self.personal if name in kept}
        return self.model_copy(update={"columns": {**kept, **text}}) if self.personal else self

    def _roles(self) -> dict[str, tuple[str, ...]]:
        known = (self.known_at.column,) if self.known_at.column else ()
        gone = (self.deleted.column,) if self.deleted else ()
        referring = {"contract.references": tuple(self.contract.references)}
        return {"key": self.key, "event_time": (self.event_time,), "known_at": known, "deleted": gone, **referring}


def reserved(columns: dict[str, Any]) -> set[str]:
    """Columns of the spec that would collide with those the lake adds to every raw row."""
    return {"event_time", "known_at", "delivery", "row", "partition", "gone"} & set(columns)
