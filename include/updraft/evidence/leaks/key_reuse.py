"""Keys of training rows turn up among the held-out rows, though keys do not come back in this use case.

A customer who is asked about every day comes back in training too; that is no leak. So what is looked for is the share
of held-out keys that training holds, beyond twice the share of training keys that come back in another partition.
"""

from updraft.evidence.look import Leak, Look, identities, of_kind


def find(look: Look) -> list[Leak]:
    """Find keys that are shared more than `gates.leakage.shared` allows."""
    by = list(look.case.entity)
    share, usual = look.shared(identities(look.seen[by]), identities(look.held[by]))
    if share - 2 * usual <= look.limits.shared:
        return []
    says = f"{share:.1%} of the held-out rows have the key of a training row; in training {usual:.1%} come back"
    return of_kind("key_reuse", [(", ".join(by), says, share)])
