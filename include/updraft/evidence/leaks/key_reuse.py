"""Keys of training rows turn up among the held-out rows, though keys do not come back in this use case.

A customer who is asked about every day comes back in training too; that is no leak. So what is looked for is the share
of held-out keys that training holds, beyond twice the share of training keys that come back in another partition.
"""

from updraft.evidence.look import Leak, Look, of_kind


def find(look: Look) -> list[Leak]:
    """Find keys that are shared more than `gates.leakage.shared` allows."""
    by = list(look.case.entity)
    days = look.seen[[*by, "partition"]].drop_duplicates().groupby(by, sort=False).size()
    usual = float(days[days > 1].sum() / days.sum()) if len(days) else 0.0
    known = look.held[by].merge(days.rename("days").reset_index(), on=by, how="left")["days"].notna()
    share = float(known.mean()) if len(known) else 0.0
    if share - 2 * usual <= look.limits.shared:
        return []
    says = (
        f"{share:.1%} of the held-out rows have the key of a training row ({', '.join(by)}); in training {usual:.1%} "
    )
    return of_kind("key_reuse", [(", ".join(by), f"{says}come back", share)])
