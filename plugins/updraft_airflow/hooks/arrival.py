"""Where it is said that a delivery has arrived: the queue behind an Airflow connection, or the inbox."""

from typing import Any, Protocol

from airflow.sdk import BaseHook

from updraft.arrivals.arrival import Heard
from updraft.errors import SpecInvalid
from updraft.settings import Settings
from updraft.spec import load
from updraft_airflow import conventions
from updraft_airflow.hooks.lake import LakeHook


class Listener(Protocol):
    """What hears of arrivals."""

    def hear(self) -> Heard:
        """What is new."""

    def done(self) -> None:
        """What was heard need not be said again."""


class ArrivalHook(BaseHook):
    """
    Open what is listened to, as a source's spec says.

    :param lake_conn_id: Airflow connection of the lake.
    """

    def __init__(self, lake_conn_id: str = conventions.LAKE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lake_conn_id = lake_conn_id

    def listener(self, use_case: str, source: str) -> Listener:
        """
        Listener of a source.

        :raises SpecInvalid: If there is no such source, or nothing to listen to.
        """
        from updraft import ingest
        from updraft.arrivals.inbox import Inbox
        from updraft.arrivals.queue import Queue

        case = load.load(use_case)
        declared = case.sources.get(source)
        if declared is not None and declared.type == "files" and not declared.looked_in:
            lake = LakeHook(self.lake_conn_id).get_conn()
            return Inbox(case, source, Settings.from_env().inbox, lambda: ingest.delivered(case, source, lake))
        if declared is not None and declared.s3 is not None and (asked := declared.s3.notifications) is not None:
            from airflow.providers.amazon.aws.hooks.sqs import SqsHook

            # The provider's own trigger needs aiobotocore, and takes a message away before its event is kept.
            client = SqsHook(aws_conn_id=asked.connection or declared.s3.connection).get_conn()
            return Queue(case, source, client)
        raise SpecInvalid(
            f"{use_case} has no source {source!r} that says when a delivery has arrived.",
            next_step="name a source of type `files` with a path in the inbox, or declare `s3.notifications`.",
        )
