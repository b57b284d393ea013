"""Do sampled predictions of a lived lake come out again exactly, from the raw rows to the last bit of the score?

Each sampled prediction is explained by the code of `updraft explain`: the score from the stored feature row by the
stored model, the feature row from the raw tables, and every layer held against its witness.

    python tests/bench/passport_study.py --lake .updraft/lake --sample 1000
"""

import argparse
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from updraft import score
from updraft.lake import Lake
from updraft.passport import Desk
from updraft.settings import Settings
from updraft.spec.load import load
from updraft.spec.model import UseCase

SHOWN = 5


@dataclass
class Found:
    """What came of a sample.

    :param exact: Predictions whose score and feature row came out again to the last bit.
    :param first: Seconds of the first answer of each partition, which pays for what the others share.
    :param unknown: Claims without a witness, by layer.
    :param wrong: What did not come out again, with the layers at fault.
    """

    sampled: int = 0
    exact: int = 0
    refused: int = 0
    first: list[float] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def study(case: UseCase, lake: Lake, sample: int, seed: int = 1) -> Found:
    """Explain a random sample of all predictions."""
    rows = lake.read(score.table(case), None, ["partition", *case.entity])
    assert rows is not None, "nothing is scored in this lake"
    places = random.Random(seed).sample(range(len(rows)), min(sample, len(rows)))
    by_partition: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows.take(sorted(places)).to_pylist():
        by_partition[row["partition"]].append({name: str(row[name]) for name in case.entity})
    found = Found()
    for key, entities in sorted(by_partition.items()):
        desk = Desk(case, lake, key)
        for number, values in enumerate(entities):
            begun = time.perf_counter()
            passport = desk.passport(values)
            if not number:
                found.first.append(time.perf_counter() - begun)
            found.sampled += 1
            found.refused += passport.prediction["refused"] is not None
            found.exact += passport.recomputes and not passport.at_fault
            found.unknown.update({check.layer for check in passport.checks if check.outcome == "unknown"})
            if passport.at_fault or not passport.recomputes:
                broken = [check.what for check in passport.checks if check.outcome == "broken"]
                found.wrong.append(f"{key} {values}: {passport.at_fault} {broken[:2]}")
    return found


def main() -> None:
    """Run the study and print what came of it."""
    settings = Settings.from_env()
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--lake", default=settings.lake)
    said.add_argument("--use-case", default="flight_delays")
    said.add_argument("--sample", type=int, default=1000)
    said.add_argument("--seed", type=int, default=1)
    asked = said.parse_args()
    begun = time.perf_counter()
    found = study(load(asked.use_case), Lake(asked.lake), asked.sample, asked.seed)
    seconds = time.perf_counter() - begun
    print(
        f"{found.exact} of {found.sampled} sampled predictions of {len(found.first)} partitions come out again exactly"
    )
    print(
        f"{found.refused} of them are refusals; {seconds:.0f} s, {seconds / max(found.sampled, 1) * 1000:.0f} ms each"
    )
    print(f"slowest first answer of a partition: {max(found.first, default=0):.2f} s")
    print(f"without a witness: {dict(found.unknown) or 'nothing'}")
    for line in found.wrong[:SHOWN]:
        print(f"WRONG {line}")


if __name__ == "__main__":
    main()
