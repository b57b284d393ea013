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
    """Draw ROC curve, reliability, score distribution and feature importance; other pictures for other kinds.

    :param frame: Feature rows with their labels.
    :param label: Column that holds 0.0 or 1.0, both at least once; or positions of classes; or numbers.
    :return: PNG by file name.
    """
    labels = frame[label].to_numpy(dtype=np.float64)
    scores = model.predict(frame)
    if model.manifest.kind == "multiclass":
        return {
            "confusion.png": _confusion(labels, scores, model.manifest.classes),
            "importance.png": _importance(model, frame),
        }
    if model.manifest.kind == "regression":
        return {
            "predicted.png": _predicted(labels, scores, model.threshold),
            "errors.png": _errors(labels, scores),
            "importance.png": _importance(model, frame),
        }
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


def _confusion(labels: NDArray[np.float64], scores: NDArray[np.float64], classes: tuple[str, ...]) -> bytes:
    figure, axes = _canvas("Confusion")
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    np.add.at(counts, (labels.astype(np.int64), scores.argmax(axis=1)), 1)
    # Twice the largest share, so that black figures stay legible.
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=2)
    for (true, told), rows in np.ndenumerate(counts[:SHOWN, :SHOWN]):
        axes.text(told, true, str(rows), ha="center", va="center")
    axes.set_xticks(range(len(classes)), [name[:20] for name in classes], rotation=45)
    axes.set_yticks(range(len(classes)), [name[:20] for name in classes])
    return _png(figure, axes, "likeliest class", "true class", legend=False)


def _predicted(labels: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> bytes:
    figure, axes = _canvas("Predicted and true")
    axes.scatter(scores, labels, s=4, alpha=0.4, label="rows")
    ends = [float(min(scores.min(), labels.min())), float(max(scores.max(), labels.max()))]
    axes.plot(ends, ends, color="grey", linestyle="--", label="perfect")
    axes.axvline(threshold, color="black", linestyle="--", label=f"acted on from {threshold:.4g}")
    return _png(figure, axes, "predicted", "true")


def _errors(labels: NDArray[np.float64], scores: NDArray[np.float64]) -> bytes:
    figure, axes = _canvas("Errors")
    axes.hist(scores - labels, bins=40, alpha=0.5, label=f"mean {(scores - labels).mean():.4g}")
    axes.axvline(0, color="black", linestyle="--", label="right")
    return _png(figure, axes, "predicted less true", "rows")


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
    unit = "mean |contribution|" + (" to the log-odds" if model.manifest.kind == "binary" else "")
    return np.abs(model.contributions(frame)[:, :-1]).mean(axis=0), unit


def _canvas(title: str) -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _png(figure: "Figure", axes: "Axes", across: str, up: str, *, legend: bool = True) -> bytes:
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if legend:
        axes.legend()
    sink = BytesIO()
    figure.savefig(sink, format="png", metadata={"Software": None})
    return sink.getvalue()
