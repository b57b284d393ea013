"""Feature rows hold what became known only after their moment: computed blind to it, they come out otherwise."""

from updraft.evidence.look import Leak, Look, of_kind


def find(look: Look) -> list[Leak]:
    """Find columns that change when everything known after the moment is scrambled."""
    seen = look.evidence.hindsight
    if seen is None:
        return []
    where = ", ".join(seen.where[:3]) + (f" and {len(seen.where) - 3} more" if len(seen.where) > 3 else "")
    return of_kind(
        "future",
        [(name, f"{name} of {where} is not what was known at its moment, in {rows} of {seen.rows} rows",
          rows / max(seen.rows, 1)) for name, rows in seen.changed.items()],
    )  # fmt: skip
