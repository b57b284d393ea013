"""Does the controller train when it should, and only then? Simulated years whose truth is known, over many seeds.

Every world is lived through by the controller (the monitor's own measures that carry an alarm, k of n, `decide`, a real
training, the gate that guards the champion) and by what people do without one. The worlds of a seed are alike until
something happens in them, so they are lived through together, and what is the same is worked out once. They are written
to lives.jsonl as soon as all have been lived through, and a world that stands there is not lived through again: a study
that was stopped goes on where it was. The table is printed from that file: per scenario and policy trainings, false
ones, how soon a change was acted upon, and the value lost against acting on the truth; then whether the demands are
met, and what the alarms of the stationary years were about.

    python tests/bench/controller_study.py                                   # 200 seeds
    python tests/bench/controller_study.py --table                           # what there is by now
    python tests/bench/controller_study.py --seeds 10 --scenario stationary abrupt_drift
    python tests/bench/controller_study.py --measures performance scores    # only what these alarm about
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from updraft.monitor.measures import discover
from updraft.simulation.chart import chart
from updraft.simulation.life import Life, Shared, live
from updraft.simulation.look import ALARMING
from updraft.simulation.policy import CONTROLLER, POLICIES, Controller
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.summary import markdown, summarise, watched

HOME = Path(os.environ.get("UPDRAFT_HOME", ".updraft")) / "study" / "controller"
Job = tuple[int, Sequence[str]]


def one(job: Job, *, policies: Sequence[str], kinds: Sequence[str], years: int) -> list[dict[str, Any]]:
    """Live through the worlds of a seed under every policy; also say how many seconds of one core each took."""
    from threadpoolctl import threadpool_limits

    (seed, scenarios), shared, worlds = job, Shared(), []
    known = {**POLICIES, CONTROLLER: replace(POLICIES[CONTROLLER], make=partial(Controller, kinds=tuple(kinds)))}
    for name in scenarios:
        begun = time.process_time()
        with threadpool_limits(1):
            lives = live(SCENARIOS[name], seed, [known[policy] for policy in policies], shared, years=years)
        seconds = time.process_time() - begun
        worlds.append({"world": (name, seed), "seconds": seconds, "lives": [life.to_json() for life in lives]})
    return worlds


def study(jobs: Sequence[Job], *, processes: int, **how: Any) -> Iterator[dict[str, Any]]:
    """Live through every world, some seeds at a time, in the order in which they come to their end."""
    with get_context("spawn").Pool(processes) as pool:
        for worlds in pool.imap_unordered(partial(one, **how), jobs):
            yield from worlds


def lived(kept: Path) -> list[dict[str, Any]]:
    """Worlds that were lived through; the last line of a study that was killed may be torn, and is left out."""
    lines = kept.read_text().splitlines(keepends=True) if kept.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def table(home: Path) -> str:
    """Sum up what the file holds, and keep table and chart beside it."""
    worlds = lived(home / "lives.jsonl")
    lives = [Life.from_json(life) for world in worlds for life in world["lives"]]
    told = f"{markdown(summarise(lives))}\n{watched(lives)}"
    (home / "chart.png").write_bytes(chart(summarise(lives)))
    (home / "table.md").write_text(told)
    seconds = sum(world["seconds"] for world in worlds) / len(worlds)
    return f"{told}\n{len(worlds)} worlds, {seconds:.1f} s of a core each"


def main() -> None:
    """Live through what is not in the file yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--policy", nargs="+", choices=list(POLICIES), default=list(POLICIES))
    parser.add_argument("--measures", nargs="+", choices=list(discover()), default=list(ALARMING), help="kinds watched")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--home", type=Path, default=HOME, help="where lives, table and chart are kept")
    parser.add_argument("--table", action="store_true", help="only print the table of what there is")
    asked = parser.parse_args()
    asked.home.mkdir(parents=True, exist_ok=True)
    file = asked.home / "lives.jsonl"
    before = lived(file)
    file.write_text("".join(json.dumps(world) + "\n" for world in before))  # without a torn line
    done = {tuple(world["world"]) for world in before}
    seeds = range(asked.first, asked.first + asked.seeds)
    ahead = [(seed, [name for name in asked.scenario if (name, seed) not in done]) for seed in seeds]
    jobs = [(seed, names) for seed, names in ahead if names]
    how = {"policies": asked.policy, "kinds": asked.measures, "years": asked.years}
    with file.open("a") as kept:
        for world in [] if asked.table else study(jobs, processes=asked.processes, **how):
            kept.write(json.dumps(world) + "\n")
            kept.flush()
    print(table(asked.home))


if __name__ == "__main__":
    main()
