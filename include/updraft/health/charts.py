"""Pictures of a span, as PNG: how measurements went, with their intervals and limits."""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from updraft.monitor.table import Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Metrics that are read together; those that were not measured are left out, and so are pictures without any.
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "How well the champion did, as its labels came true": ("auc", "macro_auc", "rmse", "estimated_auc",
                                                           "estimated_macro_auc", "estimated_rmse"),
    "Brier score": ("brier", "estimated_brier"),
    "How the scores moved": ("score_psi", "score_distance", "multivariate_drift"),
    "Share of what the champion rests on that moved": ("important_drift", "drifted_share"),
    "How often it acts": ("decision_rate",),
    "Observed less predicted": ("calibration_gap",),
    "What acting was worth, per row": ("value_per_row",),
}  # fmt: skip
BARS = "Features, by how far they moved"
BAR_METRICS = ("feature_distance", "feature_psi")
MOST_BARS = 15
MOST_DATES = 6
# Of the bounds and limits of a picture, the outermost share that may leave it: those of hardly any data, which would
# press all others into a line.
LEAVES = 0.1


def charts(measured: Sequence[Measurement]) -> dict[str, bytes]:
    """Draw what there is to draw.

    :param measured: Measurements of a span, its partitions in order.
    :return: PNG by title.
    """
    found = {}
    for title, metrics in TOGETHER.items():
        lines = {metric: own for metric in metrics if (own := _line(measured, metric))}
        if lines:
            found[title] = _lines(title, lines)
    if bars := _bars(measured):
        found[BARS] = bars
    return found


def _line(measured: Sequence[Measurement], metric: str) -> list[Measurement]:
    """One metric over the partitions, where it is of the whole and known at least once."""
    own = [one for one in measured if one.metric == metric]
    if len({one.subject for one in own}) > 1:
        return []
    own = sorted(own, key=lambda one: one.partition)
    return own if any(not math.isnan(one.value) for one in own) else []


def _lines(title: str, lines: Mapping[str, Sequence[Measurement]]) -> bytes:
    axes = _canvas(title)
    keys = sorted({one.partition for own in lines.values() for one in own})
    place = {key: number for number, key in enumerate(keys)}
    for number, (metric, own) in enumerate(lines.items()):
        at, colour = [place[one.partition] for one in own], f"C{number}"
        axes.plot(at, [one.value for one in own], color=colour, marker="o", markersize=3, label=metric)
        axes.fill_between(at, [one.low for one in own], [one.high for one in own], color=colour, alpha=0.15)
        axes.plot(at, [one.limit for one in own], color=colour, linestyle=":", linewidth=1)
        moved = [one for one in own if one.status == "drifted"]
        axes.scatter([place[one.partition] for one in moved], [one.value for one in moved], color="#b3261e", zorder=3)
    axes.set_ylim(*_reach([one for own in lines.values() for one in own]))
    shown = range(0, len(keys), math.ceil(len(keys) / MOST_DATES))
    axes.set_xticks(list(shown), [keys[number] for number in shown], fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    return _png(axes)


def _reach(drawn: Sequence[Measurement]) -> tuple[float, float]:
    """From where to where a picture goes: every value is in it, and nearly all of their bounds and limits."""
    values = np.array([one.value for one in drawn])
    around = np.array([[one.low, one.high, one.limit] for one in drawn])
    inside = values[np.isfinite(values)]
    if len(around := around[np.isfinite(around)]):
        # Of few numbers none is left out: a limit must not vanish because a picture holds a single partition.
        ends = (np.quantile(around, LEAVES / 2, method="lower"), np.quantile(around, 1 - LEAVES / 2, method="higher"))
        inside = np.append(inside, ends)
    low, high = (inside.min(), inside.max()) if len(inside) else (0.0, 1.0)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return float(low - margin), float(high + margin)


def _bars(measured: Sequence[Measurement]) -> bytes:
    """How far each feature moved in the newest partition; empty where nobody measured it."""
    newest = max((one.partition for one in measured), default="")
    metric = next((name for name in BAR_METRICS if any(one.metric == name for one in measured)), "")
    own = [one for one in measured if (one.metric, one.partition) == (metric, newest) and not math.isnan(one.value)]
    if not own:
        return b""
    own = sorted(own, key=lambda one: one.value)[-MOST_BARS:]
    axes = _canvas(f"{BARS} ({metric}, {newest})")
    colours = ["#b3261e" if one.status == "drifted" else "#5b6675" for one in own]
    axes.barh([one.subject[:40] for one in own], [one.value for one in own], color=colours)
    axes.tick_params(axis="y", labelsize=8)
    return _png(axes)


def _canvas(title: str) -> "Axes":
    from matplotlib.figure import Figure

    axes = Figure(figsize=(6.4, 3.2), layout="constrained").add_subplot()
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _png(axes: "Axes") -> bytes:
    written = BytesIO()
    assert axes.figure is not None
    axes.figure.savefig(written, format="png", dpi=110, metadata={"Software": None})  # type: ignore[union-attr]
    return written.getvalue()
