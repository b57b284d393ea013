"""How long does one `updraft explain` take, beside scoring the whole partition?

Printed are medians: the whole process as a person types it; the answer inside a process that has imported everything;
and the work of scoring: read the feature rows, load the model, score, write. The ratio is that of the last two. An
answer computes the features and the scores of the partition again and reads every delivery within sight again.

    python tests/bench/explain_bench.py --lake .updraft/lake --runs 5
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from tempfile import TemporaryDirectory

from updraft import features, passport, score
from updraft.lake import Lake
from updraft.model import store
from updraft.settings import Settings
from updraft.spec.load import load
from updraft.spec.model import UseCase

COMMAND = [sys.executable, "-c", "from updraft.cli.main import main; main()", "explain"]


Took = tuple[float, float]


def took(call: Callable[[], object]) -> Took:
    """Wall and CPU seconds of a call, with those of the processes it waits for."""
    begun, used = time.perf_counter(), os.times()
    call()
    now = os.times()
    return time.perf_counter() - begun, sum(now[:4]) - sum(used[:4])


def medians(call: Callable[[], object], runs: int) -> Took:
    """Medians of some calls, after one that is not counted."""
    call()
    found = [took(call) for _ in range(runs)]
    return median(wall for wall, _ in found), median(cpu for _, cpu in found)


def scored(case: UseCase, lake: Lake, key: str, model: str) -> None:
    """Do what scoring a partition does, into a lake of its own."""
    rows = lake.read(features.table(case), [key])
    assert rows is not None
    found = score.computed(case, rows, store.load(lake, case.name, model))
    with TemporaryDirectory() as folder:
        Lake(folder).replace(score.table(case), found, [key])


def main() -> None:
    """Measure and print."""
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--lake", default=Settings.from_env().lake)
    said.add_argument("--use-case", default="flight_delays")
    said.add_argument("--runs", type=int, default=5)
    asked = said.parse_args()
    case, lake = load(asked.use_case), Lake(asked.lake)
    key = lake.partitions(score.table(case))[-1]
    row = lake.read(score.table(case), [key]).to_pylist()[0]
    who = ",".join(f"{name}={row[name]}" for name in case.entity)
    environment = {**os.environ, "UPDRAFT_LAKE": asked.lake}
    calls: dict[str, Callable[[], object]] = {
        "updraft explain, whole process": lambda: subprocess.run(
            [*COMMAND, case.name, who, key], env=environment, capture_output=True, check=True
        ),
        "the answer alone": lambda: passport.explain(case, lake, who, key),
        "scoring the partition": lambda: scored(case, lake, key, row["model"]),
    }
    count = len(lake.read(score.table(case), [key], ["partition"]) or [])
    print(f"{case.name} {key}, {count} predictions; medians of {asked.runs} runs on {os.cpu_count()} cores")
    found = {what: medians(call, asked.runs) for what, call in calls.items()}
    for what, (wall, cpu) in found.items():
        print(f"{what:32} {wall:6.2f} s  {cpu:6.2f} s of CPU")
    _, answer, scoring = found.values()
    print(f"{'answer / scoring':32} {answer[0] / scoring[0]:6.1f}")


if __name__ == "__main__":
    main()
