"""People who want to be told of everything, and a ledger and a lake that give them something to hear."""

from datetime import UTC, datetime

from updraft.errors import AlertUndelivered
from updraft.ledger import Ledger
from updraft.life import alerts, monitor
from updraft.life.findings.failures import Failure
from updraft.monitor.incident import Incident
from updraft.monitor.table import Measurement, to_arrow
from updraft.spec.alerts import AlertKind, Destination

EVERYTHING = {"all": Destination(to="slack", connection="all", on=AlertKind.__args__)}
NOW = datetime.now(UTC)  # records carry the clock's time, and old ones are no news
FOUND = Incident("prediction_drift", "f" * 64, "2024-01-20", True, "prediction_drift in 3 of the last 5 partitions")
SOME = Failure("tiny__ingest", "facts.publish", "run", NOW.date(), ["2024-01-05"], "facts", None, log="http://x/log")


class Receiver:
    """Takes messages as a test says; a name in `deaf` is not reached."""

    def __init__(self, *deaf):
        self.deaf, self.got = set(deaf), []

    def __call__(self, somebody, told, attempt):
        if somebody.connection in self.deaf:
            raise AlertUndelivered("nobody there", next_step="wait")
        self.got.append((somebody.connection, told.event, attempt))


def told(case, lake, receiver=None, **how):
    case = case.model_copy(update={"alerts": EVERYTHING})
    how = {"now": NOW, "runbooks": "docs/runbooks", **how}
    return alerts.tell(case, lake, receiver or Receiver(), **how)


def kinds(some):
    return [one.kind for one in some]


def record(lake, case, kind, **more):
    needs = {"model": "e" * 64, "partition": "2024-01-20", **more}
    return Ledger(lake, case.name).append(kind, why=needs.pop("why", "so"), who="test", **needs)


def opened(lake, case, found=FOUND, key="2024-01-20"):
    return monitor.open_incident(case, found, key, lake, who="test")


def measured(lake, case, rows):
    """Write rows of the monitor's table: (partition, metric, subject, value, status)."""
    for key in sorted({row[0] for row in rows}):
        own = [Measurement(p, m, s, v, 100, st, "because", limit=0.2) for p, m, s, v, st in rows if p == key]
        lake.replace(f"monitor/{case.name}", to_arrow(own), [key])
