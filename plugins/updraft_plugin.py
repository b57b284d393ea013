"""What Airflow itself loads from this folder: a way from its menu to the experiments, and pages of the lake."""

import os
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from updraft_airflow.moments import AsOf


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Serve `updraft_airflow.pages`, which only the API server ever needs: every task loads this file."""
    from updraft_airflow.pages import app

    await app(scope, receive, send)


async def metrics(scope: Any, receive: Any, send: Any) -> None:
    """Serve `updraft_airflow.metrics`."""
    from updraft_airflow.metrics import app

    await app(scope, receive, send)


class UpdraftPlugin(AirflowPlugin):
    """Link MLflow in the menu, when this installation says where it is served; serve reports and model cards.

    Let the scheduler know from where deadlines are counted.
    """

    name = "updraft"
    fastapi_apps: ClassVar = [
        {"name": "Updraft metrics", "app": metrics, "url_prefix": "/updraft-metrics"},
        {"name": "Updraft", "app": pages, "url_prefix": "/updraft"},
    ]
    deadline_references: ClassVar = [AsOf]
    external_views: ClassVar = [
        {
            "name": "MLflow",
            "href": os.environ.get("UPDRAFT_MLFLOW_URL", "http://127.0.0.1:5000"),
            "destination": "nav",
            "url_route": "mlflow",
            "category": "browse",
        }
    ]
