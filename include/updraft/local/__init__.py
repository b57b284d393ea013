"""One machine: Airflow and MLflow as processes of this project, bound to loopback, all their files below one folder."""
