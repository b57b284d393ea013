"""What an Airflow connection says, in the words of an object store."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from updraft.errors import SourceClosed
from updraft.sources.reach.connection import Connection

_TYPES = {"s3": "aws", "gs": "google_cloud_platform", "az": "wasb", "abfs": "wasb", "abfss": "wasb"}
_UNREAD = {
    "aws": ("role_arn", "profile_name"),
    "google_cloud_platform": ("key_secret_name", "impersonation_chain", "credential_config_file"),
    "wasb": ("connection_string", "tenant_id", "managed_identity_client_id"),
}


class Keys(NamedTuple):
    """How to enter a store.

    :param options: As object_store names them; what is not there, it takes from the environment.
    :param address: Of a server that stands in for the cloud's own; empty if that is meant.
    """

    options: dict[str, Any]
    address: str = ""


def keys(scheme: str, connection: Connection | None) -> Keys:
    """Options and keys for a store; without a connection it reads the environment.

    :raises SourceClosed: If the connection is for something else, or says what only Airflow's own hooks can follow.
    """
    if connection is None:
        return Keys({})
    wanted = _TYPES[scheme]
    if connection.kind != wanted:
        raise SourceClosed(
            f"The connection {connection.id!r} is of type {connection.kind!r}, which does not open {scheme}:// URLs.",
            next_step=f"name one of type {wanted!r} in `files.connection`.",
        )
    if unread := [name for name in _UNREAD[wanted] if connection.extra.get(name)]:
        raise SourceClosed(
            f"The connection {connection.id!r} enters by `{unread[0]}`, which sources of type 'files' cannot follow.",
            next_step="give it keys, or leave `files.connection` out and let the environment say who this is.",
        )
    return {"aws": _aws, "google_cloud_platform": _google, "wasb": _azure}[wanted](connection)


def _aws(connection: Connection) -> Keys:
    extra = connection.extra
    address = str(extra.get("endpoint_url") or "")
    options = _said(region=extra.get("region_name"), endpoint=address)
    if not connection.login:
        return Keys(options, address)

    def provider() -> dict[str, Any]:
        # As options, they would be joined by a session token that the environment happens to hold.
        token = extra.get("aws_session_token") or None
        known = {"access_key_id": connection.login, "secret_access_key": connection.password}
        return {**known, "token": token, "expires_at": None}

    return Keys({**options, "credential_provider": provider}, address)


def _google(connection: Connection) -> Keys:
    key = connection.extra.get("keyfile_dict") or {}
    written = json.dumps(dict(key)) if isinstance(key, Mapping) else str(key)
    options = _said(service_account_key=written if key else "", service_account=connection.extra.get("key_path"))
    return Keys(options, _base(written))


def _base(key: str) -> str:
    """Where a service account's key says that Google is; nothing if it cannot be read, which the store tells."""
    try:
        return str(json.loads(key).get("gcs_base_url") or "")
    except (ValueError, AttributeError):
        return ""


def _azure(connection: Connection) -> Keys:
    host = connection.host
    address = host if "://" in host or not host else f"https://{host}"
    token = str(connection.extra.get("sas_token") or "").removeprefix("?")
    return Keys(
        _said(account_name=connection.login, account_key=connection.password, sas_key=token, endpoint=address), address
    )


def _said(**options: Any) -> dict[str, Any]:
    return {name: str(value) for name, value in options.items() if value}
