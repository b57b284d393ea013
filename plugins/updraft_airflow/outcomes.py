"""Errors of `updraft`, translated for Airflow in this one place."""

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from updraft.errors import Permanent, Transient


@contextmanager
def airflow_outcomes() -> Iterator[None]:
    """Fail at once on `Permanent`, leave `Transient` to the task's retries.

    The message goes into the task's log either way, and says the next step.
    """
    try:
        yield
    except Permanent as final:
        raise AirflowFailException(f"{type(final).__name__}: {final}") from final
    except Transient as passing:
        raise AirflowException(f"{type(passing).__name__}: {passing}") from passing
