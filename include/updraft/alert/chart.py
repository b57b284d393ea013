"""The picture of an alert: a measurement over the last partitions, and its limit."""

import math
from io import BytesIO

from updraft.alert.alert import Series

_BARS = "▁▂▃▄▅▆▇█"


def png(series: Series) -> bytes:
    """Draw a series; without pyplot, whose figures are global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    # Names may come from data: a dollar sign would be read as a formula.
    axes.set_title(f"{series.metric} of {series.subject}", parse_math=False, fontsize=10)
    values = [math.nan if value is None else value for _, value in series.values]
    axes.plot(range(len(values)), values, marker="o", markersize=3, linewidth=1.2)
    if series.limit is not None:
        limits = [math.nan if limit is None else limit for limit in series.limits] or [series.limit] * len(values)
        said = f"limit, {series.limit:.3g} at the last" if series.limits else f"limit {series.limit:.3g}"
        axes.plot(range(len(limits)), limits, color="firebrick", linestyle="--", linewidth=1, label=said)
        axes.legend(fontsize=8)
    keys = [key for key, _ in series.values]
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(lambda at, _: keys[int(at)] if 0 <= at < len(keys) else "")
    axes.tick_params(labelsize=8)
    sink = BytesIO()
    figure.savefig(sink, format="png", dpi=100, metadata={"Software": None})
    return sink.getvalue()


def bars(series: Series) -> str:
    """Draw a series in one line of text, for where no picture can be sent.

    >>> bars(Series("auc", "all", (("a", 0.5), ("b", None), ("c", 0.7)), 0.6))
    '▁·█ 0.7 (limit 0.6)'
    """
    known = [value for _, value in series.values if value is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    drawn = "".join("·" if value is None else _BARS[round((value - low) / span * 7)] for _, value in series.values)
    return f"{drawn} {known[-1]:.3g}" + ("" if series.limit is None else f" (limit {series.limit:.3g})")
