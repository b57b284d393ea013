"""Retrain: is there anything to do about the model, and is training the thing to do?"""

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
    :return: ``{"action", "because", "champion"}``.
    """

    def __init__(self, *, actions: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.actions = actions

    def execute(self, context: Context) -> dict[str, Any]:
        """Decide."""
        from updraft.life import retrain

        with airflow_outcomes():
            decision = retrain.consider(self.case, self.at, self.lake, who=context["run_id"])
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
