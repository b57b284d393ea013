"""Rollback: back to the champion before, because a person says so."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.sdk import Context

from updraft_airflow import conventions
from updraft_airflow.hooks.registry import RegistryHook
from updraft_airflow.operators.stage import StageOperator
from updraft_airflow.outcomes import airflow_outcomes


class RollBackByHandOperator(StageOperator):
    """
    Go back to the newest earlier champion that loads; once per run, however often it is retried.

    :param reason: Why, for the ledger (templated).
    :param leave: Digest of the champion to leave; empty for whichever it is (templated).
    :param registry_conn_id: Airflow connection of the registry.
    :return: ``{"outcome", "champion", "why", …}``.
    """

    template_fields: Sequence[str] = ("use_case", "reason", "leave")

    def __init__(
        self,
        *,
        reason: str = "{{ params.reason }}",
        leave: str = "{{ params.leave or '' }}",
        registry_conn_id: str = conventions.REGISTRY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reason = reason
        self.leave = leave
        self.registry_conn_id = registry_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Roll back; it counts from the next scoring run."""
        from updraft.life import promotion

        who = f"{context['dag_run'].triggering_user_name or 'somebody'}, {context['run_id']}"
        how: dict[str, Any] = {"who": who, "why": self.reason, "leave": self.leave or None, "once": True}
        with airflow_outcomes():
            registry = RegistryHook(self.registry_conn_id).get_conn()
            return asdict(promotion.roll_back(self.case, self.lake, registry, **how))
