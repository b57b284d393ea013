"""Numbers of every use case for Prometheus, for who knows the token of this installation."""

import hmac
import logging
import os
from collections.abc import Iterable, Iterator
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from updraft import gauges
from updraft.errors import UpdraftError
from updraft.gauges import Gauge
from updraft.spec import load
from updraft.spec.load import Broken
from updraft_airflow.hooks.lake import LakeHook

log = logging.getLogger(__name__)

TOKEN = "UPDRAFT_METRICS_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST = 16

app = FastAPI(title="Updraft metrics", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)


@app.get("/")
def metrics(authorization: Annotated[str, Header()] = "") -> Response:
    """Everything `updraft.gauges` tells; closed unless a token is set, and to who does not bring it."""
    expected = os.environ.get(TOKEN, "")
    if len(expected) < SHORTEST:
        raise HTTPException(404, f"Set {TOKEN} to a secret of {SHORTEST} characters or more to open this page.")
    if not hmac.compare_digest(authorization.encode(), f"Bearer {expected}".encode()):
        raise HTTPException(401, "Bring the token as a bearer.", headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(Collected(found()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class Collected(Collector):
    """Gauges, grouped by name as the format wants them."""

    def __init__(self, each: Iterable[Gauge]) -> None:
        self._families: dict[str, GaugeMetricFamily] = {}
        for one in each:
            labels = sorted(one.labels)
            name = gauges.PREFIX + one.name
            if name not in self._families:
                self._families[name] = GaugeMetricFamily(name, HELP.get(one.name, ""), labels=labels)
            self._families[name].add_metric([one.labels[label] for label in labels], one.value)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Each name with all its series."""
        return self._families.values()


HELP = {**gauges.HELP, "up": "Whether lake and ledger of a use case could be read."}


def found() -> Iterator[Gauge]:
    """Gauges of every use case; one that cannot be read is down, and hides nothing of the others."""
    for case in load.discover():
        if isinstance(case, Broken):
            yield Gauge("up", {"use_case": case.name}, 0)
            continue
        try:
            told = list(gauges.gauges(case, LakeHook().get_conn()))
        except UpdraftError as problem:
            log.error("%s cannot be told: %s", case.name, problem)
            yield Gauge("up", {"use_case": case.name}, 0)
        else:
            yield Gauge("up", {"use_case": case.name}, 1)
            yield from told
