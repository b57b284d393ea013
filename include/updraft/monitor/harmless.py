"""Whether what drifted does harm, once labels can say.

Drift of what a champion is given warns before labels come. It may move for good and mean what it always meant; then a
training has nothing to mend, and the warning stands for as long as the champion does.
"""

from collections.abc import Sequence

from updraft.monitor.incident import IncidentKind
from updraft.monitor.performance import JUDGED
from updraft.monitor.table import Measurement

_WARNINGS = ("prediction_drift", "multivariate_drift", "feature_drift")


def harmless(kind: IncidentKind, since: str, pooled: Sequence[str], measured: Sequence[Measurement]) -> str:
    """Say how well the champion does since an incident began; empty while labels do not show that it does well.

    :param kind: Kind of the incident; only drift of what the champion is given, or says, can be harmless.
    :param since: Partition whose alarm made it an incident.
    :param pooled: Mature partitions of the newest look, oldest first: all of them must be as young as the incident.
    :param measured: What that look measured.
    """
    if kind not in _WARNINGS or not pooled or pooled[0] < since:
        return ""
    well = [m for m in measured if m.metric in JUDGED and m.subject == "all" and m.status == "ok"]
    return f"{well[0].reason}, in {pooled[0]} to {pooled[-1]}" if well else ""
