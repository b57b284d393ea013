"""Quarantine: publish what was held and passes by now, or record that it never will be."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from updraft_airflow import assets
from updraft_airflow.operators.stage import ForkOperator, StageOperator, announce
from updraft_airflow.outcomes import airflow_outcomes


class QuarantineOperator(ForkOperator):
    """
    Replay or discard the rows that are held of one source.

    Safe to run again: what is left to do is read from the lake. Skips the announcements behind it but that of the
    source, and this one too unless nothing blocks the partition any more and nothing was computed for it yet.

    :param action: ``replay`` or ``discard`` (templated).
    :param source: Name of a source in the use case's spec (templated).
    :param reason: Why, for the record; a discard needs one (templated).
    :param rebuild: ``"true"`` computes affected features and labels again (templated).
    :return: ``{"action", "source", "released" or "discarded", …}``.
    """

    template_fields: Sequence[str] = (*StageOperator.template_fields, "action", "source", "reason", "rebuild")

    def __init__(
        self,
        *,
        action: str = "{{ params.action }}",
        source: str = "{{ params.source }}",
        reason: str = "{{ params.reason or '' }}",
        rebuild: str = "{{ params.rebuild }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.action = action
        self.source = source
        self.reason = reason
        self.rebuild = rebuild

    def execute(self, context: Context) -> dict[str, Any]:
        """Act, and say what came of it."""
        from updraft.life import quarantine

        how: dict[str, Any] = {"why": self.reason, "rebuild": self.rebuild.lower() == "true"}
        with airflow_outcomes():
            case, keys = self.case, self.keys
            done = quarantine.act(case, self.action, self.source, keys, self.lake, who=context["run_id"], **how)
        return self.fork(context, done, f"{self.source}.announce" if done["complete"] == keys else None)


class AnnounceRawOperator(StageOperator):
    """
    Announce the raw rows of a source, as ingest would have.

    :param source: Name of a source in the use case's spec.
    """

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.source = source

    def execute(self, context: Context) -> None:
        """Announce a single partition."""
        with airflow_outcomes():
            announce(context, assets.raw(self.case, self.source), self.keys)
