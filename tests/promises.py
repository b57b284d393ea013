"""The six promises of Updraft, as functions over a lake, its ledger and a use case; each returns what breaks it.

Call `broken` in every test that injects a fault, with what was acknowledged before it and the attempts made since.
An empty list means that all six are kept. The first three are about rows (`promises_rows.py`), two about models
(`promises_models.py`). `tests/unit/test_promises*.py` show that each of them can be broken.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.promises_models import every_prediction_names_its_origins, there_is_one_champion
from tests.promises_rows import (
    Acknowledged,
    Violations,
    identities,
    no_acknowledged_row_is_lost,
    no_reader_sees_half_a_version,
    no_row_counts_twice,
    tables,
)

from updraft.errors import Permanent, Transient
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.registry import Registry
from updraft.spec.model import UseCase


@dataclass(frozen=True)
class Attempt:
    """One run of anything, and how it ended.

    :param error: What it raised; `None` after success.
    :param running: Whether it was still running at its deadline.
    """

    what: str
    deadline: float
    seconds: float
    error: BaseException | None
    running: bool


def acknowledged(lake: Lake, case: UseCase) -> Acknowledged:
    """Take down what must still be there after a fault."""
    return Acknowledged(
        {table: identities(lake, table, by) for table, by in tables(case).items()},
        tuple(Ledger(lake, case.name).records()),
    )


def attempt(what: str, deadline: float, call: Callable[[], object]) -> Attempt:
    """Run something and say how it ended, at the latest after `deadline` seconds."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - a promise looks at it
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    begun = time.monotonic()
    thread.start()
    thread.join(deadline)
    return Attempt(what, deadline, time.monotonic() - begun, errors[0] if errors else None, thread.is_alive())


def broken(
    lake: Lake,
    case: UseCase,
    *,
    before: Acknowledged | None = None,
    attempts: Sequence[Attempt] = (),
    registry: Registry | None = None,
) -> Violations:
    """Everything that breaks a promise, each with the promise's number; empty when all six are kept."""
    found = {
        "I1": no_acknowledged_row_is_lost(lake, case, before or Acknowledged()),
        "I2": no_row_counts_twice(lake, case),
        "I3": no_reader_sees_half_a_version(lake, case),
        "I4": there_is_one_champion(lake, case, registry),
        "I5": every_prediction_names_its_origins(lake, case),
        "I6": every_run_ends(attempts),
    }
    return [f"{promise}: {violation}" for promise, violations in found.items() for violation in violations]


# ---- I6 ----------------------------------------------------------------------------------------------------------


def every_run_ends(attempts: Sequence[Attempt]) -> Violations:
    """I6: every run ended by its deadline, in success or in a typed failure that says what to do."""
    endless = []
    for made in attempts:
        if made.running:
            endless.append(f"{made.what} was still running after {made.deadline:g} seconds")
        elif isinstance(made.error, Permanent | Transient):
            if not made.error.what.strip() or not made.error.next_step.strip():
                endless.append(f"{made.what} failed without saying why and what to do: {made.error!r}")
        elif made.error is not None:
            endless.append(f"{made.what} ended in an error that nobody sorted: {made.error!r:.200}")
    return endless
