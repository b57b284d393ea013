"""Ways to tell people: Airflow notifiers, one per kind of destination, and the callback of tasks that failed."""
