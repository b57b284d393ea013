"""Which partitions no training should learn from: those in which the feed of a feature looks broken.

They are judged as they are now, by the signs that open an incident `broken_feed`: a partition that was delivered again
and rebuilt is sound again. What the reference was made of is usual by definition, so a new champion settles what is
the fault and what the world.
"""

from typing import TYPE_CHECKING

from updraft.monitor.feed import Usual, by_partition, signs
from updraft.monitor.reference import Profile
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from pandas import DataFrame


def faulty(case: UseCase, profile: Profile, rows: "DataFrame") -> dict[str, str]:
    """Partitions after the first of the reference, and not of it, in which a feature looks broken, with the reason.

    :param profile: Reference of the champion; one that does not keep its partitions says nothing.
    :param rows: Feature rows with their `partition`.
    """
    first, own = min(profile.partitions, default=""), set(profile.partitions)
    # Partitions of the reference are looked at too: a jump is one from the partition before.
    keys, columns = by_partition(rows, _comparable(case, profile, rows))
    judged = {key for key in keys if first and key > first and key not in own}
    found: dict[str, list[str]] = {key: [] for key in keys}
    for name, parts in columns.items() if judged else ():
        for key, why in zip(keys, signs(Usual.of(profile, name), parts, was_broken=False), strict=True):
            found[key] += [f"{name}: {why}"] if why else []
    return {key: "; ".join(why) for key, why in found.items() if why and key in judged}


def _comparable(case: UseCase, profile: Profile, rows: "DataFrame") -> list[str]:
    kinds = {name: cells.kind for name, cells in profile.features.items()}
    return [name for name in case.learned if name in rows and kinds.get(name) == case.features[name].type]
