"""Schedules, checked when a spec is read by the library that Airflow evaluates them with."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

_RANDOM = re.compile(r"\b[HR]\b", re.I)  # the library draws such fields anew for every process
_PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")  # Airflow's own words


def cron(text: str) -> str:
    """Return `text` if it is a schedule that ticks at least once more.

    >>> cron("30 5 * * *")
    '30 5 * * *'
    """
    from croniter import CroniterError, croniter  # type: ignore[import-untyped]

    if text in _PRESETS:
        return text
    if len(text.split()) != 5 or _RANDOM.search(text):
        raise ValueError(f"should be five fields of cron, such as '30 5 * * *', or {', '.join(_PRESETS)}")
    try:
        croniter(text, datetime(2000, 1, 1, tzinfo=UTC)).get_next()
    except CroniterError as wrong:
        raise ValueError(f"is not a schedule: {str(wrong)[:200]}") from wrong
    return text


Cron = Annotated[str, AfterValidator(cron)]
