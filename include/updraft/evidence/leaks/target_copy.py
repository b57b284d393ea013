"""A feature is the label under another name: equal to it, or a step, a mirror or a code of it."""

from updraft.evidence.look import Leak, Look, of_kind

COPY = 0.995  # AUC or R squared from which a column and the label say the same; the rest is a few slips of the pen


def find(look: Look) -> list[Leak]:
    """Find features that separate the held-out outcomes almost without error where they are present."""
    return of_kind(
        "target_copy",
        [(name, f"{name} is the label in other words: {look.scale} {auc:.3f}", auc) for name, auc in look.alone.items()
         if auc >= COPY],
    )  # fmt: skip
