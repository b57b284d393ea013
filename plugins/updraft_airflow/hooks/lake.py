"""The lake behind an Airflow connection."""

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from updraft.settings import Settings

if TYPE_CHECKING:
    from updraft.lake import Lake

# Airflow's AWS connections use boto3's words, the lake uses object_store's.
_OPTIONS = {"region_name": "region", "endpoint_url": "endpoint", "aws_session_token": "token"}


class LakeHook(BaseHook):
    """
    Open the lake.

    The connection's extra holds `uri`, a folder or `s3://bucket/prefix`; login and password are the access key.
    Without such a connection the lake is where this installation's settings say.

    :param lake_conn_id: Airflow connection.
    """

    conn_name_attr = "lake_conn_id"
    default_conn_name = "updraft_lake"
    hook_name = "Updraft lake"

    def __init__(self, lake_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.lake_conn_id = lake_conn_id

    def get_conn(self) -> "Lake":
        """Lake of the connection."""
        from updraft.lake import Lake

        try:
            connection = self.get_connection(self.lake_conn_id)
        except AirflowNotFoundException:
            return Lake(Settings.from_env().lake)
        extra = connection.extra_dejson
        keys = {"access_key_id": connection.login, "secret_access_key": connection.password}
        options = {f"aws_{name}": value for name, value in keys.items() if value}
        options |= {f"aws_{ours}": str(extra[theirs]) for theirs, ours in _OPTIONS.items() if extra.get(theirs)}
        if options.get("aws_endpoint", "").startswith("http://"):
            options["allow_http"] = "true"
        return Lake(extra.get("uri") or Settings.from_env().lake, options)
