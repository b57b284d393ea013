"""Faults of stores and tables as errors of Updraft, and what to do when another writer was faster."""

from collections.abc import Iterator
from contextlib import contextmanager

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from updraft.errors import LakeUnavailable, WriteConflict


@contextmanager
def answering() -> Iterator[None]:
    """Turn the faults of the object store, but not its answers, into errors of Updraft."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as fault:
        raise unavailable(fault) from fault


retry_conflicts = retry(
    retry=retry_if_exception_type(WriteConflict),
    wait=wait_random_exponential(multiplier=0.02, max=2),
    stop=stop_after_attempt(12),
    reraise=True,
)


def beaten(table: str) -> WriteConflict:
    """Error for a commit that another writer was faster than."""
    return WriteConflict(
        f"Another writer changed {table} first.", next_step="run the task again; it starts from fresh rows."
    )


def unavailable(fault: Exception) -> LakeUnavailable:
    """Error for a store that does not answer."""
    return LakeUnavailable(
        f"The lake did not answer: {str(fault)[:300]}", next_step="check the store and its disk, then retry."
    )
