"""Area under the ROC curve: how often a positive row scores above a negative one (ties count half)."""

import numpy as np

from updraft.evidence.metric import Array, Codes, Metric, Reweighted


def _auc(y: Array, p: Array) -> float:
    return float(placements(y, p)[y == 1].mean())


def placements(y: Array, p: Array) -> Array:
    """Return, per row, the share of the other class that the row is on the right side of (n,).

    Its mean over either class is the AUC. Sorting makes it O(n log n) (Sun & Xu, IEEE Signal Processing Letters 2014).
    """
    positive, beaten = y == 1, np.empty(len(y))
    beaten[positive] = _beaten(p[~positive], p[positive])
    beaten[~positive] = 1 - _beaten(p[positive], p[~positive])
    return beaten


def _beaten(rivals: Array, p: Array) -> Array:
    """Share of the rivals that each of `p` is above; ties count half."""
    rivals = np.sort(rivals)
    return (np.searchsorted(rivals, p, "left") + np.searchsorted(rivals, p, "right")) / 2 / max(len(rivals), 1)


def _many(outcomes: Array, p: Array) -> Array:
    """AUC of the same scores against outcomes (ways, n): they are ranked once (Mann & Whitney 1947)."""
    from scipy.stats import rankdata

    positives = outcomes.sum(axis=1)
    pairs = positives * (outcomes.shape[1] - positives)
    won = outcomes @ rankdata(p) - positives * (positives + 1) / 2
    return np.asarray(np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))


def delong(y: Array, p: Array, reference: Array | None = None) -> float:
    """Return the standard error of an AUC, or of the difference of two on the same rows.

    Undefined, and therefore nan, with fewer than two rows of either class.
    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988).
    """
    return independent(y, placements(y, p) if reference is None else placements(y, p) - placements(y, reference))


def independent(y: Array, off: Array) -> float:
    """Return DeLong's standard error of the AUC whose placements are `off` (n,), or of a difference of such."""
    positive = y == 1
    if min(positive.sum(), (~positive).sum()) < 2:
        return float("nan")
    return float(np.sqrt(sum(of.var(ddof=1) / len(of) for of in (off[positive], off[~positive]))))


def clustered(y: Array, off: Array, codes: Codes) -> float:
    """Return the standard error of an AUC when rows of one block share their luck, from sums of placements per block.

    Undefined, and therefore nan, where a class is in one block only. Source: Obuchowski, Biometrics 53 (1997).

    :param off: From `placements` (n,).
    """
    positive, blocks = y == 1, int(codes.max()) + 1
    parts = []
    for side in (positive, ~positive):
        parts.append(np.bincount(codes[side], (off[side] - off[side].mean()) / side.sum(), minlength=blocks))
    counts = [len(np.unique(codes[side])) for side in (positive, ~positive)]
    if min(counts) < 2:
        return float("nan")
    own = sum((part**2).sum() * count / (count - 1) for part, count in zip(parts, counts, strict=True))
    return float(np.sqrt(max(own + 2 * (parts[0] @ parts[1]) * blocks / (blocks - 1), 0.0)))


def _reweight(y: Array, p: Array, codes: Codes) -> Reweighted:
    positive = y == 1
    blocks = int(codes.max()) + 1
    wins = _wins(p[positive], codes[positive], p[~positive], codes[~positive], blocks)
    positives = np.bincount(codes[positive], minlength=blocks)
    negatives = np.bincount(codes[~positive], minlength=blocks)

    def auc(counts: Array) -> Array:
        pairs = (counts @ positives) * (counts @ negatives)
        won = ((counts @ wins) * counts).sum(axis=1)
        return np.asarray(np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))

    return auc


def _wins(above: Array, above_codes: Codes, below: Array, below_codes: Codes, blocks: int) -> Array:
    """Count the pairs won by positives of one block (row) over negatives of another (column)."""
    order = np.argsort(above)
    above, above_codes = above[order], above_codes[order]
    wins = np.zeros((blocks, blocks))
    for block in range(blocks):
        rivals = np.sort(below[below_codes == block])
        beaten = (np.searchsorted(rivals, above, "left") + np.searchsorted(rivals, above, "right")) / 2
        wins[:, block] = np.bincount(above_codes, beaten, minlength=blocks)
    return wins


METRIC = Metric("auc", _auc, higher_is_better=True, reweight=_reweight, row_error=delong, needs=(0.0, 1.0), many=_many)
