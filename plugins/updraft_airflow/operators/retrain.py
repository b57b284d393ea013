"""Retrain: is there anything to do about the model, and is training the thing to do?"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from airflow.sdk import Context

from updraft_airflow import conventions
from updraft_airflow.hooks.registry import RegistryHook
from updraft_airflow.operators.stage import ForkOperator, StageOperator
from updraft_airflow.outcomes import airflow_outcomes


class DecideOperator(ForkOperator):
    """
    Read the state of lake and ledger, decide one thing, record it; skip the tasks for anything else.

    :param actions: Task id per action that has one.
    :param reason: What somebody outside said who woke it (templated).
    :return: ``{"action", "because", "kind", "numbers", "champion"}``.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "reason")

    def __init__(self, *, actions: Mapping[str, str], reason: str = "{{ params.reason or '' }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actions = actions
        self.reason = reason

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide."""
        from updraft.life import retrain

        version = os.environ.get("UPDRAFT_CODE_VERSION", "unversioned")
        by: dict[str, Any] = {"who": context["run_id"], "reason": self.reason, "code_version": version}
        with airflow_outcomes():
            decision = retrain.consider(self.case, self.at, self.lake, **by)
        return self.fork(context, decision, self.actions.get(decision["action"]))


class RollBackOperator(StageOperator):
    """
    Go back to the champion before.

    :param decision: What was decided, why, and about which champion (templated).
    :param registry_conn_id: Airflow connection of the registry.
    :return: The promotion that resulted.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "decision")

    def __init__(
        self, *, decision: dict[str, Any], registry_conn_id: str = conventions.REGISTRY, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.decision = decision
        self.registry_conn_id = registry_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Roll back; it counts from the next scoring run."""
        from updraft.life import promotion

        with airflow_outcomes():
            registry = RegistryHook(self.registry_conn_id).get_conn()
            how = {"why": self.decision["because"], "leave": self.decision["champion"], "partition": self.at.key}
            return asdict(promotion.roll_back(self.case, self.lake, registry, who=context["run_id"], **how))
