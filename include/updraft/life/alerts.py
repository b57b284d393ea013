"""Tell people what there is to tell: compare what is with what they were told, and make up the difference.

Level-triggered: whoever calls this, and however often, the same alerts come of it. What was lost by a run that died is
found by the next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from updraft.alert.alert import Alert, Finding
from updraft.alert.outbox import Outbox, Send
from updraft.errors import AlertUndelivered
from updraft.lake import Lake
from updraft.ledger import Ledger, State
from updraft.life.findings import data, models
from updraft.spec.model import UseCase


@dataclass(frozen=True)
class Told:
    """What came of it.

    :param opened: What was found that nobody knew.
    :param resolved: What was found to be over.
    :param sent: Messages that arrived.
    :param failed: Why others did not; they wait.
    """

    opened: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    sent: int
    failed: tuple[AlertUndelivered, ...]

    def summary(self) -> dict[str, object]:
        """What fits into an XCom."""
        ids = {"opened": [told.id for told in self.opened[:20]], "resolved": [told.id for told in self.resolved[:20]]}
        return {**ids, "sent": self.sent, "waiting": len(self.failed)}


def tell(
    case: UseCase,
    lake: Lake,
    send: Send,
    *,
    now: datetime,
    runbooks: str,
    also: Sequence[Finding] = (),
    partitions: Sequence[str] = (),
) -> Told:
    """Keep what is new, resolve what is over, and send what was not sent.

    :param send: Raises `AlertUndelivered`; the alert then waits for the next call.
    :param also: What the lake does not say: a task that failed, a delivery that is overdue. Kept before all else.
    :param partitions: Partitions whose deliveries are looked at besides the newest.
    """
    outbox = Outbox(case, lake, runbooks)
    opened = [outbox.open(found, now) for found in also]
    before = outbox.unresolved()
    known = [kept.alert for kept in before]
    state, found = _models(case, lake, now)
    found += data.late(case, lake, now, known)
    found += data.deliveries(case, lake, known, partitions)
    opened += [outbox.open(one, now) for one in found]
    lasting = {one.identity for one in (*found, *also)}
    over = [kept for kept in before if not _lasts(case, lake, kept.alert, lasting, state)]
    resolved = [outbox.resolve(kept, _why(kept.alert, state), now) for kept in over]
    sent, failed = outbox.deliver(send, now)
    return Told(tuple(_new(opened)), tuple(_new(resolved)), sent, tuple(failed))


def _models(case: UseCase, lake: Lake, now: datetime) -> tuple[State | None, list[Finding]]:
    """What the ledger says, `None` when it is broken; and what there is to tell of it and of the monitor's table."""
    measured = models.measurements(case, lake)
    found = [fault] if (fault := models.feed(case, measured)) else []
    if fault := models.broken(case, lake):
        return None, [*found, fault]
    state = Ledger(lake, case.name).state()
    return state, [*found, *models.incidents(state, measured), *models.decided(state, now)]


def _lasts(case: UseCase, lake: Lake, told: Alert, lasting: set[str], state: State | None) -> bool:
    if told.id.rpartition(".")[0] in lasting:
        return True
    if told.kind == "incident":
        return state is None  # nobody can say while the ledger is broken
    if told.kind in ("delivery_missing", "delivery_blocked") and told.about.count("/") == 1:
        return data.still_missing(case, lake, told)
    return False


def _why(told: Alert, state: State | None) -> str:
    if told.kind == "incident" and state is not None:
        return models.ended(state, told.about)
    was, _, _ = told.what.partition(" Next: ")  # what was to be done is done
    return f"it was: {was}"


def _new(alerts: Sequence[Alert | None]) -> Iterator[Alert]:
    yield from (one for one in alerts if one is not None)
