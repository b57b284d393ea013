"""The model registry behind an Airflow connection."""

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from updraft.settings import Settings

if TYPE_CHECKING:
    from updraft.registry import Registry


class RegistryHook(BaseHook):
    """
    Open MLflow.

    The connection's extra holds `tracking_uri` and `artifacts`; without such a connection they come from this
    installation's settings.

    :param registry_conn_id: Airflow connection.
    """

    conn_name_attr = "registry_conn_id"
    default_conn_name = "updraft_mlflow"
    hook_name = "Updraft registry"

    def __init__(self, registry_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.registry_conn_id = registry_conn_id

    def get_conn(self) -> "Registry":
        """Registry of the connection."""
        from updraft.registry import Registry

        settings = Settings.from_env()
        try:
            extra = self.get_connection(self.registry_conn_id).extra_dejson
        except AirflowNotFoundException:
            extra = {}
        return Registry(extra.get("tracking_uri") or settings.tracking, extra.get("artifacts") or settings.artifacts)
