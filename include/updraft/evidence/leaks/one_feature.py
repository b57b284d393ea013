"""One feature alone is too good: where it is present, it ranks the held-out rows better than `gates.leakage.alone`."""

from updraft.evidence.leaks.target_copy import COPY
from updraft.evidence.look import Leak, Look, of_kind


def find(look: Look) -> list[Leak]:
    """Find features whose AUC is surely above the limit; one that is as good as the label is a target copy instead."""
    limit = look.limits.alone
    found = []
    for name, auc in look.alone.items():
        if limit < auc < COPY and look.surely_above(*look.column(name), limit) > limit:
            found.append((name, f"{name} alone has AUC {auc:.3f}, and may have {limit:g}", auc))
    return of_kind("one_feature", found)
