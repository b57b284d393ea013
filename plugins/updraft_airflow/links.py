"""Links from a task to what a person reads about it: the data report, the model card."""

from collections.abc import Mapping
from typing import Any

import attrs
from airflow.sdk import BaseOperator, BaseOperatorLink, BaseXCom
from airflow.sdk.configuration import conf
from airflow.sdk.execution_time.xcom import XCom
from airflow.sdk.types import TaskInstanceKey

PREFIX = "/updraft"  # where `updraft_plugin` serves them


@attrs.define()
class DataReportLink(BaseOperatorLink):
    """What the contract said of the data a task worked on; a task that failed has no result to name it by."""

    name = "Data report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the first report that has something to tell, or of all that the task's partition has."""
        told = _result(ti_key)
        if told is not None:
            return _address(ti_key, next(iter(told.get("reports", ())), None))
        fields: Any = operator
        named = getattr(operator, "source", "features")
        return _address(ti_key, f"reports/{fields.use_case}/{named}/{fields.partition}")


@attrs.define()
class ModelCardLink(BaseOperatorLink):
    """The card of the model a task decided about."""

    name = "Model card"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the card that the task's result names."""
        return _address(ti_key, (_result(ti_key) or {}).get("report"))


@attrs.define()
class MonitoringLink(BaseOperatorLink):
    """How the use case has been doing up to the partition a task worked on."""

    name = "Monitoring report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Address of the report; of its month, the address ends with the month."""
        fields: Any = operator
        return _address(ti_key, f"health/{fields.use_case}/{fields.through or fields.partition}")


def _result(ti_key: TaskInstanceKey) -> Mapping[str, Any] | None:
    told = XCom.get_value(ti_key=ti_key, key=BaseXCom.XCOM_RETURN_KEY)
    return told if isinstance(told, Mapping) else None


def monitoring(use_case: str) -> str:
    """Address of how a use case is doing now."""
    return f"{_base()}/{use_case}__monitor/health/{use_case}"


def _address(ti_key: TaskInstanceKey, key: str | None) -> str:
    return f"{_base()}/{ti_key.dag_id}/{key}" if key else ""


def _base() -> str:
    return conf.get("api", "base_url", fallback="").rstrip("/") + PREFIX
