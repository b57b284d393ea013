"""What Airflow itself loads from this folder: a way from its menu to the experiments."""

import os
from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin


class UpdraftPlugin(AirflowPlugin):
    """Link MLflow in the menu, when this installation says where it is served."""

    name = "updraft"
    external_views: ClassVar = [
        {
            "name": "MLflow",
            "href": os.environ.get("UPDRAFT_MLFLOW_URL", "http://127.0.0.1:5000"),
            "destination": "nav",
            "url_route": "mlflow",
            "category": "browse",
        }
    ]
