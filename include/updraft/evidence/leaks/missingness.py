"""Whether a feature is missing tells the label: it was filled in, or left out, after the outcome was known."""

import numpy as np

from updraft.evidence.look import Leak, Look, few, of_kind, present

_PURE, _FEWEST = 0.99, 50
_CHANCE = 1e-9


def find(look: Look) -> list[Leak]:
    """Find features whose gaps are too good a guess, or stand (or not) almost only where the rarer outcome is."""
    found, questions = [], look.questions()
    for name in look.case.features:
        if told := [one for one in (_found(question, name) for question in questions) if one]:
            found.append(max(told, key=lambda one: one[2]))
    return of_kind("missingness", found)


def _found(look: Look, name: str) -> tuple[str, str, float] | None:
    seen, held = (present(values).astype(float) for values in look.column(name))
    if min(np.ptp(seen), np.ptp(held)) == 0 or few(look.y_held):
        return None
    auc = look.surely_above(seen, held, look.limits.missing)
    if auc > look.limits.missing:
        says = f"whether {name} is missing has AUC {auc:.3f}{look.about}, and may have {look.limits.missing:g}"
        return name, says, auc
    if share := _pure(look, held):
        return name, f"{name} is {share[0]} almost only where {look.answer(share[1])}", share[2]
    return None


def _pure(look: Look, there: np.ndarray) -> tuple[str, float, float] | None:
    """The side of a gap that holds nearly nothing but the rarer outcome, which chance would not have done.

    Of a number neither half is the rarer.
    """
    rarer = float(look.y_held.mean() < 0.5)
    for outcome in (0.0, 1.0) if look.evidence.kind == "regression" else (rarer,):
        rate = float((look.y_held == outcome).mean())
        for word, side in (("there", there == 1), ("missing", there == 0)):
            share = float((look.y_held[side] == outcome).mean()) if side.sum() >= _FEWEST else 0.0
            if share >= _PURE and rate ** float(side.sum()) < _CHANCE:
                return word, outcome, share
    return None
