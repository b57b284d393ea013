"""Rollout: what does the live evidence say about a challenger, and about a champion on probation?"""

from typing import Any

from airflow.sdk import Context

from updraft_airflow import assets, conventions
from updraft_airflow.hooks.registry import RegistryHook
from updraft_airflow.operators.stage import StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes


class RolloutOperator(StageOperator):
    """
    Compare models on what came true; promote or withdraw a challenger, announce a new champion.

    :param registry_conn_id: Airflow connection of the registry.
    :return: ``{"outcome", "because", "champion"}``.
    """

    def __init__(self, *, registry_conn_id: str = conventions.REGISTRY, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.registry_conn_id = registry_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Take every comparison as far as mature labels allow."""
        from updraft.life import rollout

        with airflow_outcomes():
            registry = RegistryHook(self.registry_conn_id).get_conn()
            told = rollout.advance(self.case, self.at, self.lake, registry, who=context["run_id"])
        if told["outcome"] == "promoted":
            announce(context, assets.champion(self.case), [self.at.key])
        return told
