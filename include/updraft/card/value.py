"""What the decision is worth at every threshold, drawn; the threshold in use is marked."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from updraft.spec.model import Value

POINTS = 201


def curve(
    y: NDArray[np.float64], p: NDArray[np.float64], worth: Value
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thresholds from 0 to 1, and the mean value per row of acting from each of them on.

    >>> worth = Value(true_positive=3, false_positive=-1, false_negative=0)
    >>> at, value = curve(np.array([1.0, 0.0]), np.array([0.8, 0.2]), worth)
    >>> value[0].item(), value[100].item(), value[-1].item()
    (1.0, 1.5, 0.0)
    """
    at = np.linspace(0, 1, POINTS)
    acted = np.where(y == 1, worth.true_positive, worth.false_positive)
    left = np.where(y == 1, worth.false_negative, worth.true_negative)
    order = np.argsort(p, kind="stable")
    # Below a threshold rows are left alone, from it on they are acted on.
    below = np.concatenate([[0.0], np.cumsum(left[order])])
    above = np.concatenate([[0.0], np.cumsum(acted[order])])
    places = np.searchsorted(p[order], at, side="left")
    return at, (below[places] + above[-1] - above[places]) / len(y)


def picture(y: NDArray[np.float64], p: NDArray[np.float64], worth: Value, threshold: float) -> bytes:
    """Draw the curve as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    at, value = curve(y, p, worth)
    axes.plot(at, value, label="acting from here on")
    axes.axhline(value[-1], color="grey", linestyle=":", label=f"never acting, {value[-1]:.3f}")
    reached = float(np.interp(threshold, at, value))
    axes.axvline(threshold, color="black", linestyle="--", label=f"in use, {threshold:.2f}: {reached:.3f} per row")
    axes.set_title("Value of the decision")
    axes.set_xlabel("threshold")
    axes.set_ylabel("mean value per row")
    axes.set_ylim(bottom=max(float(value.min()), min(0.0, float(value[-1])) - 2 * abs(float(value.max())) - 0.05))
    axes.legend()
    sink = BytesIO()
    figure.savefig(sink, format="png", metadata={"Software": None})
    return sink.getvalue()
