"""What each kind of alert means: its words, its weight, its runbook, and what to type first."""

from collections.abc import Mapping
from dataclasses import dataclass

from updraft.spec.alerts import AlertKind, Severity

_STATUS = "updraft status {use_case}"


@dataclass(frozen=True)
class Meaning:
    """What is the same for every alert of a kind.

    :param title: What happened, in a few words.
    :param command: What to type first; `{use_case}` and `{partition}` are filled in.
    :param lasts: Whether it goes on until it is resolved; the others happen and are over.
    """

    title: str
    severity: Severity
    lasts: bool
    command: str = _STATUS


MEANINGS: Mapping[AlertKind, Meaning] = {
    "incident": Meaning("An incident lasts", "warning", lasts=True),
    "data_incident": Meaning("The data are at fault", "critical", lasts=True),
    "delivery_missing": Meaning(
        "A delivery is missing", "warning", True, "updraft run {use_case} ingest --partition {partition}"
    ),
    "delivery_blocked": Meaning("A delivery is blocked", "critical", True, "updraft quarantine list {use_case}"),
    "rows_held": Meaning("Rows are held in quarantine", "info", True, "updraft quarantine list {use_case}"),
    "features_late": Meaning("Features are late", "warning", lasts=True),
    "scores_late": Meaning("Scores are late", "critical", lasts=True),
    "training_refused": Meaning("A training is refused", "warning", lasts=False),
    "candidate_rejected": Meaning("A candidate is rejected", "info", lasts=False),
    "champion_promoted": Meaning("There is a new champion", "info", lasts=False),
    "rolled_back": Meaning("The champion was rolled back", "critical", lasts=False),
    "ledger_broken": Meaning("The ledger is broken", "critical", True, "updraft ledger verify {use_case}"),
    "registry_out_of_step": Meaning("MLflow was out of step", "warning", lasts=False),
    "task_failed": Meaning("A task failed for good", "warning", lasts=False),
}


# Titles of incidents, by what is alarming.
INCIDENTS: Mapping[str, str] = {
    "performance": "The champion does worse",
    "estimated_performance": "The champion is expected to do worse",
    "calibration": "The scores are out of calibration",
    "prediction_drift": "The scores moved",
    "multivariate_drift": "The features moved as a whole",
    "feature_drift": "Important features moved",
    "label_outage": "Labels stopped arriving",
    "broken_feed": "A feed looks broken",
    "fallback": "Another model stands in for the champion",
}


def page(kind: AlertKind) -> str:
    """File of the kind's runbook."""
    return f"{kind.replace('_', '-')}.md"
