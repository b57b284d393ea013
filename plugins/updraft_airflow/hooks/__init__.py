"""Connections of Airflow, opened as what `updraft` works with."""
