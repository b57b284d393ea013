"""What would retraining have been worth in the demo's year? `updraft replay` over the real flights of 2013.

Bulk-builds a lake with the year the first time, kept in UPDRAFT_HOME, and lives through the span under every policy.
Prints the table that `updraft replay` prints; a second run prints it again from what the first one kept.

    python tests/bench/replay_study.py
    python tests/bench/replay_study.py --from 2013-04-01 --to 2013-05-15 --policy never drift
"""

import argparse
import time
from pathlib import Path

from demo_study import HOME, year
from rich.console import Console

from updraft.cli.replay import show
from updraft.partition import calendar
from updraft.replay import POLICIES, arms, place, replay
from updraft.spec.load import load

USE_CASES = Path(__file__).parents[2] / "include" / "use_cases"


def main() -> None:
    """Run the study."""
    known = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known.add_argument("--from", dest="first", default="2013-04-01")
    known.add_argument("--to", dest="last", default="2013-12-31")
    known.add_argument("--policy", nargs="*", choices=list(POLICIES), default=list(POLICIES))
    known.add_argument("--spec", nargs="*", type=Path, default=[])
    asked = known.parse_args()
    case = load("flight_delays", USE_CASES)
    _, lake = year(case)
    keys = calendar(case).keys(asked.first, asked.last)
    folder, began = place(case, lake, HOME, keys), time.perf_counter()

    def told(name: str, key: str, stages: object) -> None:
        trained = [stage for stage in stages if stage["stage"] == "train"]
        if trained or key.endswith("-01"):
            print(f"{time.perf_counter() - began:7.0f} s  {name}, {key}", *(t["outcome"] for t in trained), flush=True)

    report = replay(case, lake, folder, keys, arms(case, asked.policy, asked.spec, folder), told)
    show(Console(width=160), report)
    print(f"{time.perf_counter() - began:.0f} s in all; {folder / 'report.html'}")
    print(f"files of the live lake that changed: {len(report.touched)}")


if __name__ == "__main__":
    main()
