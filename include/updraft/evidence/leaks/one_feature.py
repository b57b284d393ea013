"""One feature alone is too good: where it is present, it tells more of the held-out rows than `gates.leakage.alone`."""

from updraft.evidence.leaks.target_copy import COPY
from updraft.evidence.look import Leak, Look, of_kind


def find(look: Look) -> list[Leak]:
    """Find features that surely tell more than the limit; one that is as good as the label is a target copy instead."""
    limit = look.limits.alone
    found = []
    for name, auc in look.alone.items():
        if limit < auc < COPY and look.surely_above(*look.column(name), limit) > limit:
            found.append((name, f"{name} alone has {look.scale} {auc:.3f}, and may have {limit:g}", auc))
    return of_kind("one_feature", found)
