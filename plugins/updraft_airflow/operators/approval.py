"""Approval: does a person let this candidate rise?"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator, HITLOperator
from airflow.sdk import Context

from updraft.partition import calendar
from updraft.spec import load
from updraft_airflow import conventions, partitions
from updraft_airflow.hooks.lake import LakeHook
from updraft_airflow.outcomes import airflow_outcomes

SHOWN = "shown"


class AskOperator(ApprovalOperator):
    """
    Ask a person; silence means no. Records the answer under their name, for the model and examination they were shown.

    Airflow would skip what follows a *Reject*. Here it runs: the promotion reads the answer off the ledger, rejects
    the candidate and shows it in the registry. A candidate that did not pass its gates is nothing to ask about.

    :param subject: The question in a line (templated).
    :param use_case: Folder under ``include/use_cases``.
    :param trained: What the training task returned (templated).
    :param gated: What the gates task returned (templated).
    :param partition: Partition key (templated).
    :param response_timeout: After this long the answer is no.
    :param lake_conn_id: Airflow connection of the lake.
    """

    template_fields: Sequence[str] = ("subject", "use_case", "trained", "gated", "partition")

    def __init__(
        self,
        *,
        subject: str,
        use_case: str,
        trained: Mapping[str, Any],
        gated: Mapping[str, Any],
        response_timeout: timedelta,
        partition: str = partitions.PARTITION,
        lake_conn_id: str = conventions.LAKE,
        **kwargs: Any,
    ) -> None:
        super().__init__(subject=subject, defaults=self.REJECT, response_timeout=response_timeout, **kwargs)
        self.use_case = use_case
        self.trained = trained
        self.gated = gated
        self.partition = partition
        self.lake_conn_id = lake_conn_id

    def execute(self, context: Context) -> Any:
        """Show the candidate and wait, without a worker."""
        from updraft.life import question

        if self.gated["outcome"] != "PASS" or not self.gated["gated"]:
            return None
        shown = {"candidate": self.trained["candidate"], "gated": self.gated["gated"]}
        with airflow_outcomes():
            lake = LakeHook(self.lake_conn_id).get_conn()
            self.body = question.question(load.load(self.use_case), lake, **shown)
        context["ti"].xcom_push(key=SHOWN, value=shown)
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Record the answer."""
        from updraft.life import promotion

        # Not ApprovalOperator's own, which would skip the promotion, and with it the record of a rejection.
        said = HITLOperator.execute_complete(self, context, event)
        shown = context["ti"].xcom_pull(task_ids=self.task_id, key=SHOWN)
        with airflow_outcomes():
            case, lake = load.load(self.use_case), LakeHook(self.lake_conn_id).get_conn()
            promotion.answer(case, calendar(case).at(self.partition), lake, said, **shown)
        return said
