"""How good are probabilities on rows with both classes?"""

import numpy as np
from numpy.typing import NDArray


def measure(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> dict[str, float]:
    """Area under the ROC curve, Brier score, log loss (nats), rows and positives.

    :param labels: 0.0 or 1.0, at least one of each: that is what makes every number defined.

    >>> found = measure(np.array([0.0, 1.0]), np.array([0.25, 0.75]))
    >>> found["auc"], found["brier"], round(found["log_loss"], 4)
    (1.0, 0.0625, 0.2877)
    """
    from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

    return {
        "auc": float(roc_auc_score(labels, probabilities)),
        "brier": float(brier_score_loss(labels, probabilities)),
        "log_loss": float(log_loss(labels, probabilities, labels=[0, 1])),
        "rows": float(len(labels)),
        "positives": float(labels.sum()),
    }
