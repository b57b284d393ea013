"""Train: what would be learnt from what is known now, and is it better?"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from updraft_airflow import assets, conventions, links
from updraft_airflow.hooks.registry import RegistryHook
from updraft_airflow.links import ModelCardLink
from updraft_airflow.operators.stage import StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes


class PrepareDatasetOperator(StageOperator):
    """
    Bring features and labels up to date; rebuild what an older definition computed.

    :return: Counts, and the span of mature partitions.
    """

    reads = ("raw",)
    writes = ("features", "labels")

    def execute(self, context: Context) -> dict[str, Any]:
        """Prepare."""
        from updraft.life import train

        with airflow_outcomes():
            return train.prepare(self.case, self.at, self.lake)


class FitOperator(StageOperator):
    """
    Train the candidate and its baselines.

    :return: Digests, family and counts.
    """

    reads = ("features", "labels")
    writes = ()

    def execute(self, context: Context) -> dict[str, Any]:
        """Train; a refusal is recorded and leaves the champion."""
        from updraft.life import confined

        with airflow_outcomes():
            version = os.environ.get("UPDRAFT_CODE_VERSION", "unversioned")
            return asdict(confined.fit(self.case, self.at, self.lake, code_version=version, who=context["run_id"]))


class GateOperator(StageOperator):
    """
    Put the candidate through the gates.

    :param trained: What the training task returned (templated).
    :return: Outcome, verdicts and metrics, bounded.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "trained")
    operator_extra_links = (ModelCardLink(),)

    def __init__(self, *, trained: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trained = trained

    def execute(self, context: Context) -> dict[str, Any]:
        """Examine; the whole of it is kept in the lake under the candidate's digest."""
        from updraft.life import promotion

        with airflow_outcomes():
            return promotion.examine(self.case, self.at, self.lake, self.trained, who=context["run_id"])


class PromoteOperator(StageOperator):
    """
    Log the training, then promote or reject the candidate as its gates say.

    :param trained: What the training task returned (templated).
    :param registry_conn_id: Airflow connection of the registry.
    :return: Outcome, champion and reason.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "trained")
    operator_extra_links = (ModelCardLink(),)

    def __init__(
        self,
        *,
        trained: dict[str, Any],
        registry_conn_id: str = conventions.REGISTRY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.trained = trained
        self.registry_conn_id = registry_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide by what the ledger says, never by what a task handed over."""
        from updraft.life import card, promotion

        with airflow_outcomes():
            registry = RegistryHook(self.registry_conn_id).get_conn()
            candidate, who = self.trained["candidate"], context["run_id"]
            done = promotion.conclude(self.case, self.at, self.lake, registry, candidate, who=who)
            if done.outcome == "promoted":
                registry.link(self.use_case, "monitoring", links.monitoring(self.use_case))
            return {**asdict(done), "report": card.key(self.case, candidate)}


class AnnounceChampionOperator(StageOperator):
    """
    Announce a new champion; skip when there is none.

    :param promoted: What the promoting task returned (templated).
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "promoted")

    def __init__(self, *, promoted: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.promoted = promoted

    def execute(self, context: Context) -> None:
        """Announce."""
        if self.promoted["outcome"] != "promoted":
            raise AirflowSkipException(f"The candidate is no champion: {self.promoted['outcome']}.")
        with airflow_outcomes():
            announce(context, assets.champion(self.case), [self.at.key])
