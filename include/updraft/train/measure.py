"""How good are predictions on rows with every class?"""

import numpy as np
from numpy.typing import NDArray


def measure(labels: NDArray[np.float64], predicted: NDArray[np.float64], kind: str = "binary") -> dict[str, float]:
    """Area under the ROC curve, Brier score, log loss (nats), rows and positives; other metrics for other kinds.

    :param labels: 0.0 or 1.0, at least one of each: that is what makes every number defined. So with several classes.
    :param predicted: Probabilities (n,), or of each class (n, k), or numbers (n,).

    >>> found = measure(np.array([0.0, 1.0]), np.array([0.25, 0.75]))
    >>> found["auc"], found["brier"], round(found["log_loss"], 4)
    (1.0, 0.0625, 0.2877)
    """
    if kind == "multiclass":
        return {**_several(labels, predicted), "rows": float(len(labels))}
    if kind == "regression":
        return {**_number(labels, predicted), "rows": float(len(labels))}
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    return {
        "auc": float(roc_auc_score(labels, predicted)),
        "brier": float(brier_score_loss(labels, predicted)),
        "log_loss": float(log_loss(labels, predicted, labels=[0, 1])),
        "rows": float(len(labels)),
        "positives": float(labels.sum()),
    }


def row_losses(labels: NDArray[np.float64], predicted: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Loss of each row (n,) by which families are chosen: log loss (nats), or the squared error of a number."""
    if kind == "regression":
        return np.asarray((predicted - labels) ** 2)
    p = np.clip(predicted, 1e-15, 1 - 1e-15)
    if kind == "multiclass":
        return np.asarray(-np.log(p[np.arange(len(labels)), labels.astype(np.int64)]))
    return -np.where(labels == 1, np.log(p), np.log1p(-p))


def _several(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

    classes, likeliest = np.arange(predicted.shape[1]), predicted.argmax(axis=1)
    return {
        "macro_auc": float(roc_auc_score(labels, predicted, multi_class="ovr", labels=classes)),
        "accuracy": float(accuracy_score(labels, likeliest)),
        "macro_f1": float(f1_score(labels, likeliest, average="macro", labels=classes)),
        "log_loss": float(log_loss(labels, predicted, labels=classes)),
    }


def _number(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, float]:
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    return {
        "rmse": float(root_mean_squared_error(labels, predicted)),
        "mae": float(mean_absolute_error(labels, predicted)),
        "r2": float(r2_score(labels, predicted)),
    }
