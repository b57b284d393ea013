"""Alias: does MLflow show the champion that the ledger says?"""

from typing import Any

from airflow.sdk import Context

from updraft_airflow import conventions
from updraft_airflow.hooks.registry import RegistryHook
from updraft_airflow.operators.stage import StageOperator
from updraft_airflow.outcomes import airflow_outcomes


class RepairAliasOperator(StageOperator):
    """
    Put MLflow's alias back where the ledger says, and record that it stood elsewhere.

    :param registry_conn_id: Airflow connection of the registry.
    :return: What was found and done; nothing when all was well.
    """

    def __init__(self, *, registry_conn_id: str = conventions.REGISTRY, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.registry_conn_id = registry_conn_id

    def execute(self, context: Context) -> str | None:
        """Look, mend, record."""
        from updraft.life import promotion

        with airflow_outcomes():
            registry = RegistryHook(self.registry_conn_id).get_conn()
            found = promotion.repair(self.case, self.lake, registry, who=context["run_id"])
        if found:
            self.log.warning("%s", found)
        return found
