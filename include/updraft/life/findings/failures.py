"""What a task that failed for good has to say; nothing, where the lake says it already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from updraft.alert.alert import Finding, facts
from updraft.errors import (
    DeliveryBlocked,
    DeliveryMissing,
    DeliveryRefused,
    LedgerBroken,
    TrainingRefused,
    UpdraftError,
    ValidationBroken,
)
from updraft.spec.alerts import AlertKind

_IN_THE_LAKE = (DeliveryBlocked, TrainingRefused, LedgerBroken)
_OF_A_DELIVERY: tuple[tuple[type[UpdraftError], AlertKind], ...] = (
    (DeliveryRefused, "delivery_blocked"),
    (ValidationBroken, "delivery_blocked"),
    (DeliveryMissing, "delivery_missing"),
)


@dataclass(frozen=True)
class Failure:
    """A task that failed for good.

    :param day: When it failed.
    :param source: The source it worked on, if on one.
    :param waited: Whether it gave up waiting.
    :param log: Where its log is read.
    """

    dag: str
    task: str
    run: str
    day: date
    partitions: Sequence[str]
    source: str | None
    error: BaseException | None
    waited: bool = False
    log: str = ""


def failure(failed: Failure) -> Finding | None:
    """Say what failed, once a day per task and kind of error: what fails for many partitions at once is one thing.

    The words of an error that is not ours are left out: they may hold what is secret, such as an address with its
    password.
    """
    cause = _own(failed.error)
    if isinstance(cause, _IN_THE_LAKE):
        return None
    key = failed.partitions[0] if failed.partitions else None
    ended = f"failed with {type(failed.error).__name__}" if failed.error else "was killed, or ended without a word"
    said = str(cause) if cause else f"{failed.dag}.{failed.task} {ended}. Its log says more."
    told = facts({"task": f"{failed.dag}.{failed.task}", "run": failed.run, "source": failed.source, "log": failed.log})
    kind = _kind(cause, failed)
    if kind and key:
        what = said if cause else f"{failed.source} of {key} did not come."
        return Finding(kind, f"{failed.source}/{key}", what, key, told)
    about = f"{failed.dag}.{failed.task} {type(cause or failed.error).__name__} {failed.day}"
    return Finding("task_failed", about, said, key, told)


def _kind(cause: UpdraftError | None, failed: Failure) -> AlertKind | None:
    """What it means for a delivery, if it was about one."""
    if failed.source is None:
        return None
    if failed.waited:
        return "delivery_missing"
    return next((kind for error, kind in _OF_A_DELIVERY if isinstance(cause, error)), None)


def _own(error: BaseException | None) -> UpdraftError | None:
    while error is not None and not isinstance(error, UpdraftError):
        error = error.__cause__
    return error
