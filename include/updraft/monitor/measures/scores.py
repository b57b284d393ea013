"""How far the champion's scores moved, and how many rows it scored or refused."""

from updraft.monitor.drift import drift
from updraft.monitor.measures.features import alpha, psi
from updraft.monitor.table import Measurement
from updraft.monitor.window import Window


def measure(window: Window) -> list[Measurement]:
    """Drift of the scores, or of the predicted classes, and counts."""
    case, partition, scores, profile = window.case, window.partition, window.scores, window.profile
    given = scores["predicted" if profile.scores.kind == "category" else "score"].dropna().to_numpy()
    moved = drift(profile.scores, given, effect=case.monitor.psi, min_rows=case.monitor.min_rows, alpha=alpha(profile))
    refused = len(scores) - len(given)
    return [
        psi(partition, "score_psi", "scores", moved),
        Measurement(partition, "scored", window.champion, len(given), len(scores), "info"),
        Measurement(partition, "refused", window.champion, refused, len(scores), "info"),
    ]
