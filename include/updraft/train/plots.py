"""Pictures of a model on its holdout, as PNG bytes; drawn without pyplot, whose figures are global state."""

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from updraft.model.boosted import Boosted
from updraft.model.model import Model

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 10
SHOWN = 20


def plots(model: Model, frame: "pd.DataFrame", label: str) -> dict[str, bytes]:
    """Draw ROC curve, reliability, score distribution and feature importance.

    :param frame: Feature rows with their labels.
    :param label: Column that holds 0.0 or 1.0, both at least once.
    :return: PNG by file name.
    """
    labels = frame[label].to_numpy(dtype=np.float64)
    scores = model.predict(frame)
    return {
        "roc.png": _roc(labels, scores),
        "calibration.png": _calibration(labels, scores),
        "scores.png": _scores(labels, scores, model.threshold),
        "importance.png": _importance(model, frame),
    }


def value_curve(worth: Mapping[str, Any]) -> bytes:
    """Draw what acting from each threshold on was worth on later rows than a model was fitted to.

    :param worth: What `Worth.to_json` gives.
    """
    figure, axes = _canvas("Value of acting")
    axes.plot(worth["thresholds"], worth["values"], label="mean per row")
    low, high = (np.asarray(worth[side], dtype=np.float64) for side in ("low", "high"))
    axes.fill_between(worth["thresholds"], low, high, alpha=0.2, label="95 %")
    (counts, value, *_), (best, most) = worth["declared"], worth["best"]
    axes.axvline(counts, color="black", linestyle="--", label=f"threshold {counts:.2f}: {value:.3f}")
    axes.axvline(best, color="grey", linestyle=":", label=f"best in hindsight {best:.2f}: {most:.3f}")
    return _png(figure, axes, "acted upon from this probability", "value per row")


def _roc(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> bytes:
    from sklearn.metrics import roc_auc_score, roc_curve

    figure, axes = _canvas("ROC curve")
    false, true, _ = roc_curve(labels, scores)
    axes.plot(false, true, label=f"AUC {roc_auc_score(labels, scores):.3f}")
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="chance")
    return _png(figure, axes, "false positive rate", "true positive rate")


def _calibration(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> bytes:
    from sklearn.calibration import calibration_curve

    figure, axes = _canvas("Calibration")
    observed, predicted = calibration_curve(labels, scores, n_bins=BINS, strategy="quantile")
    axes.plot(predicted, observed, marker="o", label=f"up to {BINS} bins of equal size")
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="perfect")
    return _png(figure, axes, "mean predicted probability", "share that came true")


def _scores(labels: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> bytes:
    figure, axes = _canvas("Scores")
    edges = np.linspace(0, 1, 41).tolist()
    for value in (0, 1):
        axes.hist(scores[labels == value], bins=edges, density=True, alpha=0.5, label=f"label {value}")
    axes.axvline(threshold, color="black", linestyle="--", label=f"threshold {threshold:.2f}")
    return _png(figure, axes, "predicted probability", "density")


def _importance(model: Model, frame: "pd.DataFrame") -> bytes:
    figure, axes = _canvas("Feature importance")
    names = [name for name, _ in model.manifest.features]
    sizes, unit = _sizes(model, frame)
    largest = np.argsort(sizes, kind="stable")[-SHOWN:]
    axes.barh([names[i] for i in largest], sizes[largest], label=model.family)
    return _png(figure, axes, unit, "")


def _sizes(model: Model, frame: "pd.DataFrame") -> tuple[NDArray[np.float64], str]:
    """Trees by gain, since their contributions cost too much for a picture; others by mean contribution."""
    if isinstance(model.learner, Boosted):
        return model.learner.gain(), "total gain of its splits"
    return np.abs(model.contributions(frame)[:, :-1]).mean(axis=0), "mean |contribution| to the log-odds"


def _canvas(title: str) -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _png(figure: "Figure", axes: "Axes", across: str, up: str) -> bytes:
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.legend()
    sink = BytesIO()
    figure.savefig(sink, format="png", metadata={"Software": None})
    return sink.getvalue()
