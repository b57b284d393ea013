"""What follows from findings: the outcome of a delivery, with its reason in counts."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from updraft.contract.tally import Tally
from updraft.sources.decode import Decoded
from updraft.spec.sources import Source

Outcome = Literal["accepted", "quarantined", "blocked"]
_SHOWN = 10


def decide(source: Source, rows: int, bad: int, against: Sequence[str] = ()) -> tuple[Outcome, str]:
    """Say what follows from the counts; more bad rows never lead to a milder outcome.

    :param bad: Rows that broke a rule which does not only warn.
    :param against: What alone is reason enough to block.
    """
    if against:
        return "blocked", "; ".join(against)
    if bad == 0:
        return "accepted", f"all {rows} rows keep the contract"
    share = f"{bad} of {rows} rows ({bad / rows:.2%}) break the contract"
    if bad / rows > source.contract.tolerance:
        return "blocked", f"{share}, more than the tolerated {source.contract.tolerance:.2%}"
    return "quarantined", f"{share}, within the tolerated {source.contract.tolerance:.2%}"


def against(source: Source, decoded: Decoded, tallies: Sequence[Tally], bad: int) -> list[str]:
    """Reasons to block a delivery, whatever its share of bad rows: rules that block, and those beyond their limit.

    :param bad: Its bad rows.
    """
    found = [reason for tally in tallies for reason in _against(decoded, tally)]
    if bad > source.caps.bad_rows:
        most = f"the spec has at most {source.caps.bad_rows} set aside (`caps.bad_rows`)"
        found.append(f"{bad} of {decoded.count} rows break the contract, {most}")
    return found


def _against(decoded: Decoded, tally: Tally) -> Iterator[str]:
    found = tally.finding
    if not tally.broken or found.limit is None:
        return
    if found.of_delivery:
        yield from (reason for _, reason in tally.reasons)
    elif found.rule == "missing":
        most = f"the contract allows {1 - found.config.kwargs['mostly']:.2%}"
        yield f"{found.named[0]} is missing in {tally.broken} rows ({tally.broken / tally.rows:.2%}), {most}"
    elif (share := tally.broken / decoded.count) > found.limit:
        most = f"the contract allows {found.limit:.2%}"
        yield f"{tally.broken} of {decoded.count} rows ({share:.2%}) break {found.label}, {most}"


def told(source: Source, rule: str, row: Any) -> str:
    """What a rule about deliveries has against one, which is `row` of its frame."""
    contract = source.contract
    if rule == "volume" and contract.volume:
        low, high = contract.volume.between
        beside = f"{row['volume']:.2f} times the median of the {contract.volume.recent} partitions before it"
        return f"it has {row['rows']} rows, {beside}, the contract asks for {low:g} to {high:g}"
    if rule == "freshness" and contract.freshness:
        most = contract.freshness.within.total_seconds() / 3600
        newest = f"its newest {contract.freshness.by} is {row['hours_old']:.1f} hours before the partition's moment"
        return f"{newest}, the contract allows {most:g}"
    if rule == "coverage":
        return f"it has {row['rows']} rows for the {row['facts']} facts of {row['of']} that happen in it"
    fewest, most_rows = contract.rows.between
    return f"it has {row['rows']} rows, the contract asks for {fewest} to {most_rows}"


def warned(tallies: Sequence[Tally]) -> dict[str, int]:
    """How often each rule that only warns was broken, of the ten broken most often."""
    return most_often({tally.finding.label: tally.broken for tally in tallies if tally.only_warns})


def most_often(counts: dict[str, int]) -> dict[str, int]:
    """The ten largest counts, without those that are zero.

    >>> most_often({"a": 1, "b": 0, "c": 2})
    {'c': 2, 'a': 1}
    """
    often = sorted(((count, rule) for rule, count in counts.items() if count), key=lambda pair: (-pair[0], pair[1]))
    return {rule: count for count, rule in often[:_SHOWN]}
