"""Run the corpus: `python -m tests.fuzz.run --cases 2000 --seed 1`.

Every case runs in a worker process that is killed and replaced when it dies, takes too long or grows too large, so
that this one never does.
"""

import argparse
import ctypes
import gc
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

import psutil
from tests.fuzz.case import Case
from tests.fuzz.corpus import corpus
from tests.fuzz.landing import put, violations

SECONDS, MIB = 10.0, 512  # of a processor: a busy machine must not decide
_HANGS = 90.0  # seconds on the clock
_MAKING = 120.0  # seconds for making a large delivery, which is not what is measured
_LOOK = 0.02


@dataclass(frozen=True)
class Ran:
    """One case, run.

    :param mib: Memory of the worker beyond its start.
    :param wrong: What must not be.
    """

    place: int
    kind: str
    outcome: str
    seconds: float
    mib: float
    wrong: tuple[str, ...]


def serve(pipe: Connection, count: int, seed: int) -> None:
    """Run the cases named through `pipe`, one after the other; this is the worker."""
    cases = corpus(count, seed)
    _once(Case("warm", lambda: b"id,at,x,ok,s\n", frozenset({"accepted"})), pipe)
    while (place := pipe.recv()) is not None:
        _once(cases[place], pipe)


def _once(case: Case, pipe: Connection) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        put(case, Path(name))
        _tidy()
        pipe.send(("ready",))
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        begun = time.process_time()
        outcome, wrong = violations(case, Path(name))
        pipe.send(("done", outcome, time.process_time() - begun, _peak(), wrong))
    _tidy()


def _tidy() -> None:
    import pyarrow as pa

    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


def _peak() -> int:
    """Most bytes this process has held since its peak was forgotten."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


class Worker:
    """A process that runs cases, and what it weighed when it had run none."""

    def __init__(self, count: int, seed: int) -> None:
        self._made = (count, seed)
        self._start()

    def run(self, place: int, kind: str) -> Ran:
        """Run a case; a worker that does not come back from it is replaced."""
        self._pipe.send(place)
        begun, outcome, wrong, peak = time.perf_counter(), "", "", 0
        try:
            self._await(_MAKING, None)
            begun = time.perf_counter()
            _, outcome, seconds, peak, found = self._await(_HANGS, MIB)
        except (EOFError, TimeoutError, MemoryError, ConnectionError, psutil.Error) as lost:
            wrong = str(lost) or f"the process died, with {self._process.exitcode}"
            self.stop()
            self._start()
            return Ran(place, kind, "lost", time.perf_counter() - begun, 0, (wrong,))
        grown = (peak - self._begun) / 2**20
        found += [f"took {grown:.0f} MiB"] * (grown > MIB) + [f"took {seconds:.0f} s"] * (seconds > SECONDS)
        return Ran(place, kind, outcome, seconds, grown, tuple(found))

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *self._made), daemon=True)
        self._process.start()
        theirs.close()
        self._watched = psutil.Process(self._process.pid)
        self._await(_MAKING, None)
        self._await(_MAKING, None)
        self._begun = self._watched.memory_info().rss

    def _await(self, seconds: float, mib: int | None) -> tuple:  # type: ignore[type-arg]
        until = time.perf_counter() + seconds
        while not self._pipe.poll(_LOOK):
            if time.perf_counter() > until:
                raise TimeoutError(f"took more than {seconds:.0f} s")
            if mib is not None and self._watched.memory_info().rss - self._begun > mib * 2**20:
                raise MemoryError(f"took more than {mib} MiB")
        return self._pipe.recv()


def run_all(cases: Sequence[Case], count: int, seed: int, workers: int) -> Iterator[Ran]:
    """Run every case, on some workers at once."""
    todo: SimpleQueue[int] = SimpleQueue()
    for place in range(len(cases)):
        todo.put(place)
    done: SimpleQueue[Ran] = SimpleQueue()

    def work() -> None:
        worker = Worker(count, seed)
        while not todo.empty():
            done.put(worker.run(place := todo.get(), cases[place].kind))
        worker.stop()

    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(work) for _ in range(workers)]
        for _ in cases:
            while done.empty() and not all(future.done() for future in running):
                time.sleep(_LOOK)
            if done.empty():
                running[0].result()
            yield done.get()


def report(ran: Sequence[Ran], seconds: float) -> str:
    """Counts per outcome, the slowest, the largest, and everything that must not be."""
    counts = Counter(one.outcome for one in ran)
    slow = sorted(ran, key=lambda one: -one.seconds)[:3]
    large = sorted(ran, key=lambda one: -one.mib)[:3]
    wrong = [one for one in ran if one.wrong]
    lines = [
        f"{len(ran)} deliveries in {seconds:.0f} s: " + ", ".join(f"{n} {what}" for what, n in counts.most_common()),
        "slowest: " + ", ".join(f"{one.seconds:.2f} s ({one.place}: {one.kind})" for one in slow),
        "largest: " + ", ".join(f"{one.mib:.0f} MiB ({one.place}: {one.kind})" for one in large),
        f"{len(wrong)} violations",
        *(f"  {one.place}: {one.kind}: {'; '.join(one.wrong)}" for one in wrong),
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the corpus and say what was found."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=2000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--workers", type=int, default=2)
    given = asked.parse_args()
    begun, ran = time.perf_counter(), []
    for one in run_all(corpus(given.cases, given.seed), given.cases, given.seed, given.workers):
        ran.append(one)
        if one.wrong or not len(ran) % 100:
            sys.stderr.write(f"{len(ran)}: {one}\n")
    sys.stdout.write(report(sorted(ran, key=lambda one: one.place), time.perf_counter() - begun) + "\n")
    return int(any(one.wrong for one in ran))


if __name__ == "__main__":
    sys.exit(main())
