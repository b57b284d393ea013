"""Score: what does the champion say about the rows of this partition?"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from updraft_airflow import assets
from updraft_airflow.operators.stage import StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes

if TYPE_CHECKING:
    from updraft.score import Scored


class PinChampionOperator(StageOperator):
    """
    Say which model this run scores with, so that a promotion in between changes nothing.

    :return: Digest of the champion; empty where there is none and another model may stand in for it.
    """

    def execute(self, context: Context) -> str:
        """Read the champion off the ledger."""
        from updraft import score

        with airflow_outcomes():
            return score.pinned(self.case, self.lake)


class ScoreOperator(StageOperator):
    """
    Score partitions with the pinned model.

    :param champion: Digest of the pinned model, from the task before (templated).
    :param rescore: ``"true"`` replaces scores that stand there already (templated).
    :return: ``{"rows", "scored", "refused", "acted", "skew", …}``.
    """

    reads = ("features",)
    writes = ("scores",)

    template_fields: Sequence[str] = (*StageOperator.template_fields, "champion", "rescore")

    def __init__(self, *, champion: str, rescore: str = "{{ params.rescore }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.champion = champion
        self.rescore = rescore

    def execute(self, context: Context) -> dict[str, Any]:
        """Score; a partition scored before is kept."""
        from updraft.life import score

        how: dict[str, Any] = {"champion": self.champion, "rescore": self.rescore.lower() == "true"}
        by: dict[str, Any] = {
            "who": context["run_id"],
            "code_version": os.environ.get("UPDRAFT_CODE_VERSION", "unversioned"),
        }
        with airflow_outcomes():
            scored, skew = score.partitions(self.case, self.keys, self.lake, **how, **by)
        return {**_told(scored), "skew": skew}


class ReconcileOperator(StageOperator):
    """
    Hold the committed scores against the features, row by row, and announce them.

    :return: ``{"rows", "scored", "refused", "acted", …}``.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Reconcile; only whole partitions are announced."""
        from updraft import score

        with airflow_outcomes():
            case, keys = self.case, self.keys
            counted = score.reconcile(case, keys, self.lake)
        announce(context, assets.scores(case), keys)
        return _told(counted)


def _told(counted: "Scored") -> dict[str, Any]:
    # Airflow wraps a tuple into an object of its own, which no reader of the XCom expects.
    return {**asdict(counted), "models": list(counted.models)}
