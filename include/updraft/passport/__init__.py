"""The passport of a prediction: everything behind it, and its recomputation; what was tampered with is named by layer.

- `passport`: the passport, put together; `Desk` answers for one partition
- `asked`: which prediction is meant
- `scene`: the partition as it was scored, read and computed again once
- `behind`: the raw rows and deliveries within sight; `delivered` holds them against the bytes
- `recomputed`: the score from the feature row, the feature row from the raw rows
- `decided`: model, gates, approval, as the ledger has them
- `check`: what became of one claim

Every layer is held against another: the score against the model and the feature row, this against the raw rows, these
against the bytes, these against the digest they are named by; the model against the digest in the ledger.
"""

from updraft.lake import Lake
from updraft.passport.asked import entity
from updraft.passport.check import Check
from updraft.passport.passport import Desk, Passport
from updraft.spec.model import UseCase

__all__ = ["Check", "Desk", "Passport", "explain"]


def explain(case: UseCase, lake: Lake, who: str, key: str) -> Passport:
    """Explain one prediction, and recompute it.

    :param who: The entity, as `a,b` or `name=value,name=value`.
    :raises PredictionMissing: If there is no such prediction.
    """
    return Desk(case, lake, key).passport(entity(case, who))
