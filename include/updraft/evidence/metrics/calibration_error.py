"""Expected calibration error: how far the share that came true is from the probability given, bin by bin.

Bins hold equal numbers of rows; rows of one probability are never split, so a constant prediction is one bin.
"""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted

_BINS = 10


def _bins(p: Array) -> Codes:
    edges = np.quantile(p, np.arange(1, _BINS) / _BINS, method="inverted_cdf")
    return np.searchsorted(np.unique(edges), p, side="left")


def _calibration_error(y: Array, p: Array) -> float:
    return float(np.abs(np.bincount(_bins(p), y - p)).sum() / len(y))


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    blocks = int(codes.max()) + 1
    cells = np.bincount(codes * _BINS + _bins(p), y - p, minlength=blocks * _BINS).reshape(blocks, _BINS)
    rows = np.bincount(codes)
    return lambda counts: np.asarray(np.abs(counts @ cells).sum(axis=1) / (counts @ rows))


METRIC = Metric("calibration_error", _calibration_error, higher_is_better=False, reweight=_reweight)
