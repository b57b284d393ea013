"""The connections that sources name, as Airflow keeps them: environment, secrets backends, metadata database."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from updraft.errors import SourceClosed

if TYPE_CHECKING:
    from updraft.sources.reach.connection import Connection


def connection(name: str) -> "Connection":
    """
    Look a connection up.

    One of type ``aws`` brings its client with it, made by the Amazon provider, so that roles, profiles and all else an
    AWS connection may say hold for sources too.

    :raises SourceClosed: If Airflow has none of that name.
    """
    from updraft.sources.reach.connection import made

    try:
        found = BaseHook.get_connection(name)
    except AirflowNotFoundException as unknown:
        raise SourceClosed(
            f"Airflow has no connection {name!r}.", next_step=f"add it, or set AIRFLOW_CONN_{name.upper()}."
        ) from unknown
    said = {part: getattr(found, part) for part in ("host", "port", "schema", "login", "password")}
    client = _s3(name) if found.conn_type == "aws" else None
    return made(name, found.conn_type, {**said, "extra": found.extra_dejson}, client)


def _s3(name: str) -> Callable[[], Any]:
    def client() -> Any:
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        return S3Hook(aws_conn_id=name).get_conn()

    return client
