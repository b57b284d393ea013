"""Tell: does everybody know what there is to know?"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Context

from updraft.spec.model import UseCase
from updraft_airflow.operators.stage import StageOperator
from updraft_airflow.outcomes import airflow_outcomes
from updraft_airflow.tell import tell


class TellOperator(StageOperator):
    """
    Tell people what there is to tell about a use case, and that what they were told of is over.

    Fails, to be tried again, while somebody cannot be told; what is left then waits for the next such task.

    :return: ``{"opened", "resolved", "sent", "waiting"}``.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Its own failure is no news to those who cannot be told.
        own = {"partition": "", "through": "", "execution_timeout": timedelta(minutes=5), "on_failure_callback": None}
        super().__init__(**{**kwargs, **own})

    def execute(self, context: Context) -> dict[str, Any]:
        """Tell."""
        with airflow_outcomes():
            told = tell(self.use_case, lake_conn_id=self.lake_conn_id)
            if told.failed:
                raise told.failed[0]
        return told.summary()


def at_the_end(dag: DAG, case: UseCase) -> None:
    """Let the last task of a DAG tell, whatever became of the others, if the spec names anybody to be told."""
    if not case.alerts:
        return
    last = list(dag.leaves)
    # A teardown: an ordinary last task that always runs would make every run a success.
    last >> TellOperator(task_id="tell", use_case=case.name).as_teardown()
