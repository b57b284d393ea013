"""Pages for people who are logged in to Airflow: data reports, model cards, monitoring; nothing else of the lake."""

import html
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated

from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.responses import HTMLResponse

from updraft.errors import LedgerBroken, PartitionInvalid, Transient
from updraft.lake import Lake
from updraft.spec import load
from updraft.spec.names import PATTERN
from updraft_airflow.hooks.lake import LakeHook

_NAME, _PARTITION = PATTERN.strip("^$"), r"[0-9]{4}-[0-9TW-]{2,8}"
_OF_PARTITION = re.compile(rf"reports/({_NAME})/{_NAME}/{_PARTITION}")
_REPORT, _CARD = rf"{_OF_PARTITION.pattern}(?:/[0-9a-f]{{64}})?", rf"cards/({_NAME})/[0-9a-f]{{64}}/card"
_PAGE = re.compile(rf"(?:{_REPORT}|{_CARD})\.html")
# The pages show what strangers delivered: they may be styled, and do nothing else.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}

_HEALTH = re.compile(rf"health/({_NAME})(?:/({_PARTITION}|[0-9]{{4}}-[0-9]{{2}}))?")

app = FastAPI(title="Updraft", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)


@app.get("/{dag_id}/{key:path}", dependencies=[Depends(requires_access_dag("GET"))])
def page(dag_id: Annotated[str, Path()], key: Annotated[str, Path()]) -> HTMLResponse:
    """A report or card, or the list of a partition's reports, for who may read the DAG of its use case."""
    found = _PAGE.fullmatch(key) or _OF_PARTITION.fullmatch(key) or _HEALTH.fullmatch(key)
    if found is None or dag_id.rpartition("__")[0] not in found.groups():
        raise HTTPException(404, "There is no such page.")
    try:
        content = _content(LakeHook().get_conn(), key)
    except PartitionInvalid as nothing:
        raise HTTPException(404, str(nothing)) from nothing
    except FileNotFoundError as gone:
        raise HTTPException(404, "No report is kept of this; the log of the task says why.") from gone
    except LedgerBroken as broken:
        raise HTTPException(500, str(broken)) from broken
    except Transient as busy:
        raise HTTPException(503, "The lake does not answer; try again.") from busy
    return HTMLResponse(content, headers=HEADERS)


def _content(lake: Lake, key: str) -> bytes:
    if asked := _HEALTH.fullmatch(key):
        from updraft.life import health

        return health.report(load.load(asked[1]), asked[2] or "", lake)
    if key.endswith(".html"):
        return lake.get(key)
    of_features = f"{key}.html"
    with suppress(FileNotFoundError):
        return lake.get(of_features)
    found = [place for place in lake.keys(key) if _PAGE.fullmatch(place)]
    if not found:
        raise FileNotFoundError(key)
    return lake.get(found[0]) if len(found) == 1 else _list(key, found)


def _list(key: str, places: Sequence[str]) -> bytes:
    """Names of several deliveries' reports; their addresses lie below the one of the list."""
    last = html.escape(key.rpartition("/")[2])
    rows = (f'<li><a href="{last}/{name}">{name}</a></li>' for name in (place.rpartition("/")[2] for place in places))
    return f"<!doctype html><title>{last}</title><h1>Deliveries of {last}</h1><ul>{''.join(rows)}</ul>".encode()
