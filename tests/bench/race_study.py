"""Of sixteen that promote at once, does exactly one win, and is nothing lost?

Each race has a ledger of its own: a champion, and sixteen candidates that passed their gates against it. Sixteen
threads of four processes then decide at the same moment, on a local folder and on S3 (moto's server, in a process of
its own). Each process has read the ledger before, as a task has that ran the gates. A race is sound when one promotion
stands, every other promoter was told to look again, the winner is the champion, and every acknowledged record is there
in an unbroken chain.

    python tests/bench/race_study.py --races 1000
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.bench import aa_study
from tests.served import moto

from updraft.errors import LedgerBroken, WriteConflict
from updraft.lake import Lake
from updraft.ledger import Ledger, State
from updraft.promote import decide
from updraft.spec.model import UseCase

PROMOTERS, PROCESSES, PARTITION = 16, 4, "2013-04-01"
BATCH = 100  # races in one store: moto looks through all keys of a bucket to list some of them
KEYS = {"aws_access_key_id": "study", "aws_secret_access_key": "study"}
CHAMPION = "f" * 64
CANDIDATES = [f"{n:064x}" for n in range(PROMOTERS)]


@dataclass(frozen=True)
class Race:
    """What came of one race: how the promoters ended, and what is wrong with it."""

    ended: Mapping[str, int]
    wrong: tuple[str, ...]


def use_case(name: str) -> UseCase:
    """Smallest use case there is."""
    return aa_study.use_case().model_copy(update={"name": name})


def start_line(lake: Lake, case: UseCase) -> None:
    """Write a ledger with a champion, and candidates that passed their gates against it, unless it is there."""
    ledger = Ledger(lake, case.name)
    if ledger.records():
        return
    ledger.append("promoted", why="before", who="study", model=CHAMPION)
    for candidate in CANDIDATES:
        facts = {"outcome": "PASS", "champion": CHAMPION}
        ledger.append("gated", why="PASS", who="study", partition=PARTITION, model=candidate, facts=facts)


def run(uri: str, options: dict[str, str], names: list[str], places: range, line: Any, told: Any) -> None:
    """Promote in every race for the candidates of some places; what one of the processes does."""
    import obstore  # noqa: F401 - threads that import it at the same moment see half of it

    lake = Lake(uri, options)

    def one(place: int) -> tuple[str, int]:
        line.wait(timeout=600)
        try:
            return "promoted", decide(lake, case, CANDIDATES[place], partition=PARTITION, who=f"p{place}").sequence
        except WriteConflict:
            return "look again", 0
        except LedgerBroken as broken:
            return broken.what, 0

    with ThreadPoolExecutor(len(places)) as pool:
        for name in names:
            case = use_case(name)
            Ledger(lake, name).state()
            told.put((name, list(pool.map(one, places))))


def races(uri: str, options: dict[str, str], count: int) -> Iterator[Race]:
    """Hold races in an empty lake."""
    lake, ways = Lake(uri, options), multiprocessing.get_context("spawn")
    names = [f"race_{n:05}" for n in range(count)]
    start_line(lake, use_case("pattern"))
    pattern = {key.rpartition("/")[2]: lake.get(key) for key in lake.keys("ledger/pattern")}
    for name, file in product(names, pattern):  # records do not say whose they are
        lake.put(f"ledger/{name}/{file}", pattern[file])
    line, told, share = ways.Barrier(PROMOTERS), ways.Queue(), PROMOTERS // PROCESSES
    runners = [
        ways.Process(target=run, args=(uri, options, names, range(n * share, (n + 1) * share), line, told), daemon=True)
        for n in range(PROCESSES)
    ]
    for runner in runners:
        runner.start()
    ended: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
    for _ in range(PROCESSES * len(names)):
        name, outcomes = told.get(timeout=600)
        ended[name] += outcomes
    for runner in runners:
        runner.join(timeout=60)
    for name in names:
        yield judge(Ledger(lake, name), ended[name])


def judge(ledger: Ledger, ended: list[tuple[str, int]]) -> Race:
    """Hold the record against what the promoters were told."""
    wrong = [fault.what for fault in ledger.faults()]
    counted = Counter(outcome for outcome, _ in ended)
    if counted != {"promoted": 1, "look again": PROMOTERS - 1}:
        wrong.append(f"the promoters ended as {dict(counted)}")
    state = State() if wrong else ledger.state()
    records = state.records
    risen = [r.sequence for r in records[1:] if r.kind == "promoted"]
    told = [sequence for outcome, sequence in ended if outcome == "promoted"]
    if not wrong and (risen != told or state.champion != records[-1].model):
        wrong.append(f"records {risen} are promotions, the promoters were told of {told}")
    if not wrong and len(records) != PROMOTERS + 2:
        wrong.append(f"{len(records)} records, {PROMOTERS + 2} were acknowledged")
    return Race(dict(counted), tuple(wrong))


@contextmanager
def store(kind: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Address and options of an empty lake."""
    if kind == "local":
        with tempfile.TemporaryDirectory() as folder:
            yield f"{folder}/lake", {}
        return
    import boto3

    with moto() as server:
        address = server.address
        boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS).create_bucket(Bucket="study")
        yield "s3://study/lake", {**KEYS, "region": "us-east-1", "endpoint": address, "allow_http": "true"}


def main() -> None:
    """Run the study and print one line per store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--races", type=int, default=1000)
    parser.add_argument("--stores", nargs="+", default=["local", "s3"], choices=["local", "s3"])
    asked, unsound = parser.parse_args(), 0
    for kind in asked.stores:
        begun = time.perf_counter()
        held: list[Race] = []
        while len(held) < asked.races:
            with store(kind) as (uri, options):
                held += races(uri, options, min(BATCH, asked.races - len(held)))
            print(f"  {len(held)} after {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
        wrong = [race for race in held if race.wrong]
        unsound += len(wrong)
        promoted = Counter(race.ended.get("promoted", 0) for race in held)
        print(f"{kind}: {len(held)} races of {PROMOTERS} promoters in {time.perf_counter() - begun:.0f} s")
        print(f"  winners per race: {dict(promoted)}; {len(wrong)} races are unsound", flush=True)
        for race in wrong[:10]:
            print("  ", "; ".join(race.wrong))
    sys.exit(bool(unsound))


if __name__ == "__main__":
    main()
