"""Who is told of what, and until when things must be there, as a spec says it."""

from typing import Annotated, Literal, get_args

from pydantic import Field, StringConstraints

from updraft.spec.base import Part
from updraft.spec.durations import Duration

AlertKind = Literal[
    "incident", "data_incident", "delivery_missing", "delivery_blocked", "rows_held", "features_late", "scores_late",
    "training_refused", "candidate_rejected", "champion_promoted", "rolled_back", "ledger_broken",
    "registry_out_of_step", "task_failed",
]  # fmt: skip
Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
ConnectionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,120}$")]


class Destination(Part):
    """Somebody who is told. Addresses and secrets are the Airflow connection's, never the spec's."""

    to: Literal["email", "slack", "sns", "webhook"] = Field(description="How; `slack` is any compatible webhook.")
    connection: ConnectionId = Field(description="Airflow connection that leads there.")
    on: tuple[AlertKind, ...] = Field(
        default=tuple(
            k for k in get_args(AlertKind) if k not in ("rows_held", "candidate_rejected", "champion_promoted")
        ),
        min_length=1,
        description="Of what.",
    )
    severity: Severity = Field(default="info", description="From which severity on.")

    def wants(self, kind: AlertKind, severity: Severity) -> bool:
        """Whether it is told of such an alert."""
        return kind in self.on and SEVERITIES.index(severity) >= SEVERITIES.index(self.severity)


class Deadlines(Part):
    """Until when a partition must be there, counted from its moment (`as_of`); missed ones are told."""

    features: Duration | None = Field(default=None, description="For its features.")
    scores: Duration | None = Field(
        default=None,
        description="For its scores. When empty the lead time: a prediction that comes after the event is worthless.",
    )
