"""Does the controller train when it should, and only then? Simulated years whose truth is known, over many seeds.

Every world is lived through by the controller (the monitor's own measures, k of n, `decide`, a real training, the gate
that guards the champion) and by what people do without one. Printed per scenario and policy: trainings, false ones,
how soon a change was acted upon, and the value lost against acting on the truth; then whether the demands are met.
The lives, the table and the chart are kept in UPDRAFT_HOME/study/controller.

    python tests/bench/controller_study.py                                   # 200 seeds: about an hour on two cores
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
from updraft.simulation.life import Life, live
from updraft.simulation.policy import CONTROLLER, POLICIES, Controller
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.summary import markdown, summarise

HOME = Path(os.environ.get("UPDRAFT_HOME", ".updraft")) / "study" / "controller"


def one(job: tuple[str, int], *, policies: Sequence[str], kinds: Sequence[str], years: int) -> tuple[list[Life], float]:
    """Live through one world under every policy; also say how many seconds of one core it took."""
    from threadpoolctl import threadpool_limits

    begun = time.process_time()
    known = {**POLICIES, CONTROLLER: replace(POLICIES[CONTROLLER], make=partial(Controller, tuple(kinds)))}
    with threadpool_limits(1):
        lives = live(SCENARIOS[job[0]], job[1], [known[name] for name in policies], years=years)
    return lives, time.process_time() - begun


def study(scenarios: Sequence[str], seeds: int, *, processes: int, **how: Any) -> Iterator[tuple[list[Life], float]]:
    """Live through every world, some at a time; the order is that of the worlds."""
    jobs = [(scenario, seed) for seed in range(seeds) for scenario in scenarios]
    with get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(partial(one, **how), jobs)


def main() -> None:
    """Run the study, print the table, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--scenario", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--policy", nargs="+", choices=list(POLICIES), default=list(POLICIES))
    parser.add_argument(
        "--measures", nargs="+", choices=list(discover()), default=[], help="kinds watched; all of them"
    )
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    lives, seconds, begun = [], 0.0, time.perf_counter()
    with (HOME / "lives.jsonl").open("w") as kept:
        how = {"policies": asked.policy, "kinds": asked.measures, "years": asked.years}
        for lived, took in study(asked.scenario, asked.seeds, processes=asked.processes, **how):
            kept.writelines(json.dumps(life.to_json()) + "\n" for life in lived)
            kept.flush()
            lives += lived
            seconds += took
    lines = summarise(lives)
    (HOME / "chart.png").write_bytes(chart(lines))
    (HOME / "table.md").write_text(markdown(lines))
    print(markdown(lines))
    worlds = asked.seeds * len(asked.scenario)
    print(f"{worlds} worlds, {seconds / worlds:.1f} s of a core each; {time.perf_counter() - begun:.0f} s in all")


if __name__ == "__main__":
    main()
