"""A training in a process of its own: within a deadline and a memory limit, and gone when its caller is gone.

The process is started afresh, never forked: LightGBM and Delta Lake do not survive a fork. What counts is the memory it
really holds, looked at from outside. A limit on address space (`RLIMIT_AS`) would count what Arrow, DuckDB and every
OpenMP thread reserve and never touch, and LightGBM answers a refused allocation with an abort, without a reason.

It writes nothing that could be half there: a model's manifest comes last, its record after it, and settings that were
tried are kept one by one. So it may be killed at any moment; the next attempt goes on from what is in the lake.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from updraft import errors
from updraft.errors import SpecInvalid, TrainingRefused, TrainingStopped, UpdraftError
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import train
from updraft.life.train import Trained
from updraft.partition import Partition, calendar
from updraft.spec.durations import render as length
from updraft.spec.load import digest, load
from updraft.spec.model import UseCase
from updraft.spec.sizes import render as size

LOOK_EVERY = 0.1  # seconds; what a training allocates between two looks goes beyond its limit
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def fit(case: UseCase, at: Partition, lake: Lake, *, code_version: str, who: str) -> Trained:
    """Train as `train.fit` does, in another process.

    :raises TrainingRefused: If the data does not allow it, or it takes more memory than the spec allows; both are
        recorded, the champion stays.
    :raises TrainingStopped: If it takes longer than the spec allows, or something ended it.
    """
    told = {"folder": str(case.folder), "spec": digest(case), "at": at.key, "code_version": code_version, "who": who}
    job = {**told, "uri": lake.uri, "options": dict(lake.options)}
    child = _start(case.model.threads)
    try:
        _hand_over(child, job)
        _watch(child, case)
    except TrainingRefused as refused:
        Ledger(lake, case.name).append("refused", why=str(refused), who=who, partition=at.key)
        raise
    finally:
        child.kill()
        child.wait()
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it never read is of no use to anybody
            child.stdin.close()
    return Trained(**_answer(child))


def _start(threads: int) -> "subprocess.Popen[bytes]":
    # Threads that wait by spinning cost many times the work itself when other tasks want the same cores.
    own = {**os.environ, **dict.fromkeys(_THREADS, str(threads)), "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-m", __spec__.name]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, env=own, start_new_session=True)  # noqa: S603 - our own


def _hand_over(child: "subprocess.Popen[bytes]", job: Mapping[str, Any]) -> None:
    """Say what to do. It goes through a pipe, for arguments are seen by everybody; the pipe's end tells of ours."""
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended, and `_answer` says how
        child.stdin.write(json.dumps(job).encode() + b"\n")
        child.stdin.flush()


def _watch(child: "subprocess.Popen[bytes]", case: UseCase) -> None:
    ends = time.monotonic() + case.model.deadline.total_seconds()
    while child.poll() is None:
        if (taken := _memory(child.pid)) > case.model.memory:
            raise TrainingRefused(
                f"The training took {size(taken)} of memory, {size(case.model.memory)} are allowed.",
                next_step="shorten `model.history`, or raise `model.memory` if the machine has more.",
            )
        if time.monotonic() > ends:
            raise TrainingStopped(
                f"The training took longer than {length(case.model.deadline)}.",
                next_step="let it try again, settings already tried are kept; or raise `model.deadline`, "
                "or lower `model.tuning` or `model.history`.",
            )
        time.sleep(LOOK_EVERY)


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0


def _answer(child: "subprocess.Popen[bytes]") -> dict[str, Any]:
    assert child.stdout is not None
    with child.stdout as pipe:
        said = pipe.read()
    if child.returncode or not said:
        how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
        raise TrainingStopped(
            f"The training's process ended with {how}.", next_step="read the log above; try again if it was killed."
        )
    answer: dict[str, Any] = json.loads(said)
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["what"], next_step=answer["next_step"])
    return answer


def main() -> None:
    """Do the job that comes through standard input, and answer on standard output."""
    # Whatever prints goes to the log: standard output is for the answer alone.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_caller, daemon=True).start()
    try:
        said = asdict(_train(job))
    except UpdraftError as fault:
        said = {"error": type(fault).__name__, "what": fault.what, "next_step": fault.next_step}
    with answer:
        json.dump(said, answer)


def _end_with_caller() -> None:
    """Wait until the caller closes its end of the pipe or dies; then there is nobody to train for."""
    os.read(0, 1)
    os._exit(1)


def _train(job: Mapping[str, Any]) -> Trained:
    folder = Path(job["folder"])
    case = load(folder.name, folder.parent)
    if digest(case) != job["spec"]:
        raise SpecInvalid("spec.yaml was changed when the training began.", next_step="train again.")
    lake = Lake(job["uri"], job["options"])
    return train.fit(case, calendar(case).at(job["at"]), lake, code_version=job["code_version"], who=job["who"])


if __name__ == "__main__":
    main()
