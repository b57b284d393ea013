"""A queue in which a store says what was put into a bucket: Amazon's SQS, or what speaks like it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from updraft.arrivals.arrival import MOST, Heard, together
from updraft.arrivals.message import said
from updraft.errors import SourceClosed, SourceUnavailable
from updraft.spec.kinds import Notifications
from updraft.spec.model import UseCase

_BATCH = 10  # the most that SQS hands over, or takes back, at once
_BATCHES = 10


class Queue:
    """The notifications about one source.

    :param client: Client of SQS.
    """

    def __init__(self, case: UseCase, source: str, client: Any) -> None:
        self._case = case
        self._source = source
        self._client = client
        self._receipts: list[dict[str, str]] = []

    def hear(self) -> Heard:
        """Read what is there now, a hundred messages at most; they come again unless `done` is called.

        :raises SourceClosed: If the queue is not there, or does not let us in.
        :raises SourceUnavailable: If it does not answer.
        """
        heard: list[Heard] = []
        for _ in range(_BATCHES):
            messages = self._received()
            heard += [said(str(each.get("Body", "")), self._case, self._source) for each in messages]
            if not messages or len(together(heard).arrivals) >= MOST:
                break
        return together(heard)

    def done(self) -> None:
        """Take what was heard out of the queue, what was dropped included: it would be the same the next time."""
        with self._translated():
            for first in range(0, len(self._receipts), _BATCH):
                entries = self._receipts[first : first + _BATCH]
                self._client.delete_message_batch(QueueUrl=self._asked.queue, Entries=entries)
        self._receipts = []

    def _received(self) -> list[dict[str, Any]]:
        with self._translated():
            answer = self._client.receive_message(
                QueueUrl=self._asked.queue, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1
            )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        self._receipts += [
            {"Id": str(len(self._receipts) + number), "ReceiptHandle": each["ReceiptHandle"]}
            for number, each in enumerate(messages)
        ]
        return messages

    @property
    def _asked(self) -> Notifications:
        declared = self._case.sources[self._source].s3
        assert declared is not None, "only a source of type s3 has a queue"
        assert declared.notifications is not None, "and only one that declares it"
        return declared.notifications

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the faults of the queue into errors of Updraft."""
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        whose = f"The queue of notifications about {self._source} of {self._case.name}"
        try:
            yield
        except ClientError as fault:
            status = fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = str(fault.response.get("Error", {}).get("Code", ""))[:100]
            if 400 <= status < 500 and "Throttl" not in code:
                raise SourceClosed(
                    f"{whose} refuses: {code}.", next_step="check `s3.notifications` and the connection's rights."
                ) from fault
            raise SourceUnavailable(f"{whose} answered {code}.", next_step="wait; it is asked again.") from fault
        except BotoCoreError as fault:
            raise SourceUnavailable(
                f"{whose} did not answer: {type(fault).__name__}.", next_step="wait; it is asked again."
            ) from fault
