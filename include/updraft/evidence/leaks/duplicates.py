"""Held-out rows are copies of training rows: the same features and the same label.

Where features are few or coarse, rows come back in training too, by chance or because the same train leaves every day;
that is no leak. So what is looked for is the share of held-out rows that training holds, beyond twice the share of
training rows that come back in another partition.
"""

from updraft.evidence.look import Leak, Look, identities, of_kind


def find(look: Look) -> list[Leak]:
    """Find more copies among the held-out rows than `gates.leakage.shared` allows."""
    label = look.case.label.column
    facts, held = [*look.case.features, label], look.held.assign(**{label: look.evidence.y})
    share, usual = look.shared(identities(look.seen[facts]), identities(held[facts]))
    if share - 2 * usual <= look.limits.shared:
        return []
    says = f"{share:.1%} of the held-out rows stand in training as well; in training {usual:.1%} come back"
    return of_kind("duplicates", [("rows", says, share)])
