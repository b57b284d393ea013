"""The report of a replay as one page that fetches nothing."""

import base64
import math
from typing import TYPE_CHECKING, Any

from updraft.replay.policy import POLICIES

if TYPE_CHECKING:
    from updraft.replay.report import Report, Told

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Replay of {{ report.use_case }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
img { max-width: 100% }
</style></head><body>
<h1>Replay of {{ report.use_case }}</h1>
<p>{{ report.first }} to {{ report.last }}. All numbers rest on the same {{ "{:,}".format(report.rows) }} rows of
{{ report.partitions }} partitions, which every policy scored and whose labels are known.</p>
<table><tr><th>policy</th>{% for head in heads %}<th>{{ head }}</th>{% endfor %}</tr>
{% for name, cells in lines.items() %}<tr><td>{{ name }}</td>{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
<ul>{% for name, about in policies.items() %}<li>{{ name }}: {{ about }}.</li>{% endfor %}</ul>
<img alt="Value gained, and metrics by month" src="data:image/png;base64,{{ png }}">
{% for metric, rows in months.items() %}<h2>{{ metric }} by month</h2>
<table><tr><th>policy</th>{% for month in rows.months %}<th>{{ month }}</th>{% endfor %}</tr>
{% for name, cells in rows.lines.items() %}<tr><td>{{ name }}</td>{% for cell in cells %}<td>{{ cell }}</td>
{% endfor %}</tr>{% endfor %}</table>
{% endfor %}
</body></html>
"""
_DEEDS = ("trainings", "promotions", "rejections", "rollbacks", "incidents", "held_back", "quarantined")


def heads(report: "Report") -> list[str]:
    """Columns of the table of policies, after their names."""
    first = next(iter(report.arms))
    told = next(iter(report.arms.values()))
    counts = [name.replace("_", " ") for name in _DEEDS]
    return ["value of 1,000 rows", f"more than {first}", *told.quality, *counts, "training s", "CPU s"]


def line(arm: "Told") -> list[str]:
    """One policy's row of that table."""
    more = f"{1000 * arm.gain:+.1f} [{1000 * arm.low:+.1f}, {1000 * arm.high:+.1f}]"
    counts = [str(getattr(arm.deeds, name)) for name in _DEEDS]
    ranked = [number(value) for value in arm.quality.values()]
    return [f"{1000 * arm.value:.1f}", more, *ranked, *counts, f"{arm.deeds.seconds:.0f}", f"{arm.deeds.cpu:.0f}"]


def months(report: "Report") -> dict[str, dict[str, Any]]:
    """Tables of the metrics by month."""
    names = sorted({month for arm in report.arms.values() for month in arm.months})
    metrics = [*next(iter(report.arms.values())).quality, "value"]
    return {
        metric: {
            "months": names,
            "lines": {
                name: [number(arm.months[month][metric]) if month in arm.months else "" for month in names]
                for name, arm in report.arms.items()
            },
        }
        for metric in metrics
    }


def number(value: float) -> str:
    """A metric as a person reads it."""
    return "undefined" if math.isnan(value) else f"{value:.4f}"


def html(report: "Report", png: bytes) -> str:
    """Write the page."""
    from jinja2 import Environment

    page = Environment(autoescape=True).from_string(_PAGE)
    return page.render(
        report=report,
        heads=heads(report),
        lines={name: line(arm) for name, arm in report.arms.items()},
        policies={arm.policy: POLICIES[arm.policy] for arm in report.arms.values()},
        png=base64.b64encode(png).decode(),
        months=months(report),
    )
