"""The frozen model of `spec.yaml`: one prediction problem, declared."""

from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from updraft.spec.alerts import Deadlines, Destination
from updraft.spec.base import Part
from updraft.spec.costs import Costs
from updraft.spec.crons import Cron
from updraft.spec.durations import Duration
from updraft.spec.features import Feature, FeatureContract
from updraft.spec.gates import Gates
from updraft.spec.monitor import Monitor
from updraft.spec.names import Name
from updraft.spec.prediction import Label, Problem
from updraft.spec.problem_kinds import LINEAR, check, with_defaults
from updraft.spec.retrain import Retrain
from updraft.spec.rollout import Canary, Probation, Shadow
from updraft.spec.sizes import Size
from updraft.spec.skew import Skew
from updraft.spec.sources import Source, reserved
from updraft.spec.training import Regression, Tuning
from updraft.spec.zones import Zone

Share = Annotated[float, Field(ge=0, le=1)]
Some = Annotated[float, Field(gt=0, le=1)]


class Owner(Part):
    """Who answers for the use case."""

    name: str = Field(description="Team or person; shown as the owner of the DAGs.")
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", description="Where to reach them.")


class Partitions(Part):
    """The calendar of the use case: its only unit of work."""

    every: Literal["hour", "day", "week"] = Field(default="day", description="Length of a partition.")
    timezone: Zone = Field(default="UTC", description="IANA zone in which days and weeks begin.")
    first: str = Field(description="Key of the first partition there is, such as `2013-01-01`.")
    last: str | None = Field(
        default=None,
        description="Key of the last partition, for a history that has an end; then nothing runs by the clock.",
    )
    cron: Cron | None = Field(
        default=None, description="When the ingest DAG ticks; each tick works on the partition that begins next."
    )


class Booster(Part):
    """LightGBM's settings."""

    rounds: int = Field(default=200, ge=1, le=5000, description="Number of trees.")
    learning_rate: float = Field(default=0.05, gt=0, le=1, description="Weight of each tree.")
    leaves: int = Field(default=31, ge=2, le=1024, description="Most leaves of a tree.")
    min_leaf_rows: int = Field(default=100, ge=1, description="Fewest rows in a leaf.")
    feature_share: Some = Field(default=1.0, description="Share of the features each tree sees.")
    row_share: Some = Field(default=1.0, description="Share of the rows each tree sees.")
    l2: float = Field(default=0.0, ge=0, description="L2 penalty on the leaves' values.")


class Model(Part):
    """How candidates come to be."""

    families: tuple[Literal["lightgbm", "logistic", "ridge"], ...] = Field(
        default=("lightgbm", "logistic"), min_length=1,
        description="Model families that compete on the validation window; the others stay baselines. "
        "Regression has `ridge` in place of `logistic`.",
    )  # fmt: skip
    seed: int = Field(default=1, ge=0, description="Start of every random choice in a training.")
    threads: int = Field(default=2, ge=1, le=64, description="Threads per training; the result does not depend on it.")
    history: Duration | None = Field(default=None, description="Train on at most this much history.")
    validation: int = Field(default=10, ge=1, description="Partitions per fold that choose, tune and calibrate.")
    folds: int = Field(
        default=3, ge=1, le=20, description="Validation windows, one before the other; as many as the history allows."
    )
    holdout: int = Field(default=14, ge=1, description="Newest mature partitions, which only the gates see.")
    gap: int | None = Field(
        default=None, ge=0,
        description="Partitions left out between the windows; as many as labels take to mature when empty.",
    )  # fmt: skip
    group: Name | None = Field(
        default=None, description="Entity or feature column; no value of it stands on two sides of a training."
    )
    features: Literal["all", "auto"] = Field(
        default="all", description="`auto` leaves out features that show no use on held-out folds, and says which."
    )
    tuning: Tuning = Field(default=Tuning())
    min_rows: int = Field(default=1000, ge=10, description="Fewest labelled training rows.")
    min_positives: int = Field(default=50, ge=2, description="Fewest rows of the rarest class, in every window.")
    class_weight: Literal["none", "balanced"] = Field(
        default="none",
        description="`balanced`: every class weighs the same in training; probabilities stay calibrated.",
    )
    weight: Name | None = Field(
        default=None,
        description="Number among the features, with `learn: false`: how much a row counts in training, calibration "
        "and every choice. Metrics count each row once.",
    )
    recency_half_life: Duration | None = Field(
        default=None, description="A training row this much older than the newest partition weighs half as much."
    )
    faulty: Literal["leave_out", "keep"] = Field(
        default="leave_out",
        description="Partitions in which the feed of a feature looks broken by the champion's reference; `keep` them "
        "where the data is as it will be from now on.",
    )
    deadline: Duration = Field(default=timedelta(minutes=30), description="Training is stopped after this long.")
    memory: Size = Field(default=4 * 1024**3, description="Training is stopped when it takes more than this.")
    logistic: Regression = Field(default=Regression())
    lightgbm: Booster = Field(default=Booster())


class Rollout(Part):
    """How a model that passed its gates starts to count."""

    approval: Literal["none", "required"] = Field(default="none", description="Whether a person must say yes.")
    approval_timeout: Duration = Field(default=timedelta(hours=24), description="After this long, silence means no.")
    reasons: Literal["acted_on", "all"] = Field(
        default="acted_on", description="Rows that get their top three reasons; `all` costs a hundred times the score."
    )
    fallback: tuple[Literal["last_good", "baseline"], ...] = Field(
        default=("last_good",),
        description="Who scores when the champion cannot, in this order; empty to refuse. `last_good` is the newest "
        "earlier champion that can; `baseline` the trivial model of the champion's training, which passed no gates.",
    )
    shadow: Shadow | None = Field(default=None, description="Score a candidate beside the champion before it counts.")
    canary: Canary | None = Field(default=None, description="Let a candidate decide a share of the rows first.")
    probation: Probation | None = Field(default=None, description="Watch a new champion, and roll it back if need be.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.shadow is not None and self.canary is not None:
            raise ValueError("`shadow` and `canary` are two ways to begin; say one of them")
        return self

    @property
    def staged(self) -> bool:
        """Whether models are compared on live rows before or after they rise."""
        return any(stage is not None for stage in (self.shadow, self.canary, self.probation))


class UseCase(Part):
    """One prediction problem: a folder with `spec.yaml`, `features.sql`, `label.sql` and `README.md`."""

    version: Literal[1] = Field(description="Version of the spec format.")
    name: Name = Field(description="The folder's name; prefix of the DAG ids and table names.")
    owner: Owner
    tags: tuple[Name, ...] = Field(default=(), description="Shown in the Airflow UI.")
    problem: Problem
    partitions: Partitions
    entity: tuple[Name, ...] = Field(min_length=1, description="Columns that identify one prediction in a partition.")
    sources: dict[Name, Source] = Field(min_length=1, description="Where the raw rows come from, by name.")
    label: Label
    features: dict[Name, Feature] = Field(min_length=1, description="Columns of `features.sql`.")
    contract: FeatureContract = Field(default=FeatureContract(), description="What they must satisfy as a whole.")
    model: Model = Field(default=Model())
    gates: Gates = Field(default=Gates())
    rollout: Rollout = Field(default=Rollout())
    skew: Skew = Field(default=Skew())
    monitor: Monitor = Field(default=Monitor())
    retrain: Retrain = Field(default=Retrain())
    costs: Costs | None = Field(default=None, description="What the machine costs, to tell the price of predictions.")
    alerts: dict[Name, Destination] = Field(default={}, description="Who is told when something happens, by name.")
    deadlines: Deadlines = Field(default=Deadlines())

    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names_do_not_collide(self) -> Self:
        for source, declared in self.sources.items():
            if clash := reserved(dict(declared.columns)):
                raise ValueError(
                    f"source {source!r} has columns the lake adds itself: {', '.join(sorted(clash))}; rename them"
                )
        own = {*self.entity, "event_time", "as_of", "partition", "fingerprint", self.label.column}
        if clash := own & set(self.features):
            raise ValueError(f"features must not be named {', '.join(sorted(clash))}: the table has such columns")
        if self.model.group and self.model.group not in {*self.entity, *self.features}:
            raise ValueError(f"`model.group` is {self.model.group!r}, which is neither an entity column nor a feature")
        return self

    @model_validator(mode="after")
    def _models_see_what_gates_part(self) -> Self:
        if not self.learned:
            raise ValueError("no feature is left to learn from: `learn` is false for every one")
        kinds = {name: feature.type for name, feature in self.features.items()}
        for part, declared in (("slices", self.gates.slices), ("fairness", self.gates.fairness)):
            if wrong := declared.misfit(kinds):
                raise ValueError(f"`gates.{part}`: {wrong}")
        return self

    @model_validator(mode="after")
    def _coverage_is_of_a_source(self) -> Self:
        if (coverage := self.contract.coverage) and coverage.of not in self.sources:
            raise ValueError(f"`contract.coverage` names {coverage.of!r}, which is no source")
        return self

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        whole: Self = with_defaults(self)  # type: ignore[assignment]
        check(whole)
        return whole

    @model_validator(mode="after")
    def _references_lead_somewhere(self) -> Self:
        for source, declared in self.sources.items():
            for column, reference in declared.contract.references.items():
                other = self.sources.get(reference.source)
                if other is None or reference.column not in other.columns or reference.source == source:
                    raise ValueError(f"source {source!r} refers to {reference.to!r}, which is no other source's column")
                kinds = declared.columns[column].type, other.columns[reference.column].type
                if kinds[0] != kinds[1]:
                    raise ValueError(f"source {source!r}: {column!r} is {kinds[0]}, {reference.to!r} is {kinds[1]}")
        _ = self.sources_in_order
        return self

    @property
    def baselines(self) -> tuple[str, ...]:
        """Families that are always trained, the simplest first."""
        return ("trivial", LINEAR[self.problem.kind])

    @property
    def learned(self) -> dict[str, Feature]:
        """The features that models see."""
        return {name: feature for name, feature in self.features.items() if feature.learn}

    @property
    def sources_in_order(self) -> tuple[str, ...]:
        """Names of the sources, those that others refer to first."""
        try:
            return tuple(TopologicalSorter({name: s.refers_to for name, s in self.sources.items()}).static_order())
        except CycleError as circle:
            raise ValueError(f"sources refer to each other in a circle: {' -> '.join(circle.args[1])}") from circle

    @property
    def folder(self) -> Path:
        """The folder the spec was loaded from."""
        if self._folder is None:
            raise ValueError("this use case was not loaded from a folder")
        return self._folder

    def sql(self, which: str) -> str:
        """Text of `features.sql`, `label.sql`, or another query in the folder."""
        return (self.folder / f"{which}.sql").read_text(encoding="utf-8")
