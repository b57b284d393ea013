"""The policies of a replay as one picture: what each gained over the first, and how well its models did by month."""

from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from updraft.replay.report import Report, Told


def draw(report: "Report") -> bytes:
    """Draw the report, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(next(iter(report.arms.values())).quality)
    figure = Figure(figsize=(10, 3.2 * (1 + len(names))), layout="constrained")
    FigureCanvasAgg(figure)
    gained, *others = figure.subplots(1 + len(names), 1)
    figure.suptitle(f"{report.use_case}, {report.first} to {report.last}: {report.rows:,} rows that came true")
    _gained(gained, report)
    for axes, name in zip(others, names, strict=True):
        _by_month(axes, report, name)
    out = BytesIO()
    figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
    return out.getvalue()


def _gained(axes: "Axes", report: "Report") -> None:
    first = next(iter(report.arms))
    days = sorted({key for arm in report.arms.values() for key in arm.gained})
    for number, (name, arm) in enumerate(report.arms.items()):
        sums = [*accumulate(arm.gained.get(day, 0.0) for day in days)]
        axes.plot(range(len(days)), sums, color=f"C{number}", linewidth=_width(number), label=_named(name, arm))
        risen = [place for place, day in enumerate(days) if day in arm.champions]
        axes.plot(risen, [sums[place] for place in risen], "^", color=f"C{number}", markersize=6)
    step = max(1, len(days) // 10)
    axes.set_xticks(range(0, len(days), step), days[::step], rotation=20, fontsize=8)
    axes.set_ylabel("value, summed up")
    axes.set_title(f"Value beyond that of `{first}`; a triangle is a new champion", fontsize=10)
    axes.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    axes.legend(fontsize=8)


def _by_month(axes: "Axes", report: "Report", metric: str) -> None:
    months = sorted({month for arm in report.arms.values() for month in arm.months})
    for number, (name, arm) in enumerate(report.arms.items()):
        there = [month for month in months if month in arm.months]
        where = [months.index(month) for month in there]
        values = [arm.months[month][metric] for month in there]
        axes.plot(where, values, "o-", markersize=3, color=f"C{number}", linewidth=_width(number), label=name)
    axes.set_xticks(range(len(months)), months, rotation=20, fontsize=8)
    axes.set_ylabel(metric)
    axes.set_title(f"{metric} by month, on labels that came true", fontsize=10)


def _width(number: int) -> float:
    """Later lines are thinner, so that equal policies are all seen."""
    return max(1.0, 4.0 - number)


def _named(name: str, arm: "Told") -> str:
    return f"{name} (trained: {arm.deeds.trainings}, promoted: {arm.deeds.promotions})"
