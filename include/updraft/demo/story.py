"""The demo as a story: history, a first champion, then day after day through the real scheduler."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from updraft.demo.board import Board
from updraft.demo.plan import Plan
from updraft.demo.publisher import Publisher
from updraft.errors import Permanent
from updraft.local.airflow_api import ENDED, AirflowApi
from updraft.partition import Calendar, Partition

if TYPE_CHECKING:
    from pandas import DataFrame

CASE = "flight_delays"
AHEAD = 2  # days that are followed while another is ingested
PATIENCE = 300.0  # seconds a single run may take
WHY = 300  # characters of a reason that are told


class Audience(Protocol):
    """Who watches."""

    def chapter(self, title: str) -> None:
        """A new part of the story begins."""

    def stage(self, partition: str, stage: str, state: str) -> None:
        """A stage of a partition began or ended."""

    def event(self, partition: str, text: str) -> None:
        """Something happened that is worth a line."""


@dataclass
class Story:
    """Deliver, trigger, wait, tell.

    :param runs: Every DAG run so far, as (stage, run id).
    :param incidents: Partitions at which an incident lasted.
    """

    api: AirflowApi
    board: Board
    publisher: Publisher
    dates: Calendar
    audience: Audience
    runs: list[tuple[str, str]] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    _trainings: list["Future[None]"] = field(default_factory=list)

    def live(self, plan: Plan) -> None:
        """Tell the whole story.

        What may overlap does: a training sees only what was known at its moment, whatever is delivered meanwhile.
        """
        self.audience.chapter(f"History: {plan.history[0]} to {plan.history[1]}, delivered and built in bulk")
        self._bulk(plan.history)
        self.audience.chapter(
            f"First champion, as of {plan.first_training}; {plan.catch_up[1]} is caught up with in bulk"
        )
        with ThreadPoolExecutor(1) as beside:
            training = beside.submit(self._train, plan.first_training)
            self._bulk(plan.catch_up)
            training.result()
        self.audience.chapter(f"Day by day: {plan.daily[0]} to {plan.daily[1]}")
        self._replay(self._span(plan.daily), plan)

    def _bulk(self, span: tuple[str, str]) -> None:
        days = self._span(span)
        self.publisher.publish(days)
        self._timed("ingest", [days])
        half = (len(days) + 1) // 2
        self._timed("features", [chunk for chunk in (days[:half], days[half:]) if chunk])

    def _timed(self, stage: str, chunks: Sequence[Sequence[Partition]]) -> None:
        """Run a stage on chunks of partitions side by side."""
        began = time.monotonic()
        spans = [{"partition": chunk[0].key, "through": chunk[-1].key} for chunk in chunks]
        for run_id in [self._trigger(stage, conf=span) for span in spans]:
            self._finish(stage, run_id)
        count = sum(len(chunk) for chunk in chunks)
        self.audience.event(chunks[-1][-1].key, f"{stage} of {count} partitions in {time.monotonic() - began:.0f} s")

    def _train(self, key: str) -> None:
        run_id = self._trigger("train", conf={"partition": key})
        self._finish("train", run_id)
        self._tell_outcome(key, run_id)

    def _replay(self, days: Sequence[Partition], plan: Plan) -> None:
        """Live day after day, a run per stage and day; a day is ingested while those before it are followed."""
        with ThreadPoolExecutor(1) as training, ThreadPoolExecutor(AHEAD) as beside:
            watched: list[Future[None]] = []
            for day in days:
                self._mishaps(day, plan)
                self._ingest(day, mistaken=day.key == plan.corrected)
                watched.append(beside.submit(self._watch, day.key, training))
                if day.key == plan.corrected:
                    watched[-1].result()
                    self._correction(day)
                    watched.append(beside.submit(self._watch, day.key, training))
                for earlier in watched[:-AHEAD]:
                    earlier.result()
            for last in watched:
                last.result()
            for trained in self._trainings:
                trained.result()

    def _ingest(self, partition: Partition, *, mistaken: bool) -> None:
        self.publisher.publish([partition])
        if mistaken:
            outcomes = self.publisher.rows("outcomes", partition)
            self.publisher.deliver("outcomes", partition, self.publisher.mistaken(outcomes))
        self._follow(partition.key, "ingest", lambda: self._trigger("ingest", partition=partition.key))

    def _watch(self, key: str, training: Executor) -> None:
        """Follow what the ingested partition sets off; a training that it asks for goes on beside."""
        for stage in ("features", "score", "monitor"):
            run_id = self._follow(key, stage, lambda stage=stage: self._awaited(stage, key))  # type: ignore[misc]
        if self._task_state("monitor", run_id, "incident") == "success" and self._incident(key) == "retrain":
            self._trainings.append(training.submit(self._retrain, key))

    def _correction(self, day: Partition) -> None:
        """The airline sends outcomes again that it had got wrong, after they were built upon."""
        outcomes = self.publisher.corrected(self.publisher.rows("outcomes", day))
        self.publisher.deliver("outcomes", day, outcomes)
        run_id = self._trigger("ingest", partition=day.key)
        self._finish("ingest", run_id)
        late = self.api.xcom(f"{CASE}__ingest", run_id, "outcomes.publish")["late"]
        self.audience.event(
            day.key,
            "outcomes of one airline are corrected; from now on the new version counts. "
            f"Features of {late['features']} were computed without it, policy: {late['policy']}",
        )

    def _mishaps(self, day: Partition, plan: Plan) -> None:
        """What the airline sends wrong first."""
        if day.key == plan.renamed:
            schedule = self.publisher.renamed(self.publisher.rows("schedule", day))
            self._unfit(day, "schedule", schedule, "a schedule with a column renamed")
        if day.key == plan.corrupt:
            outcomes = self.publisher.spoilt(self.publisher.rows("outcomes", day))
            self._unfit(day, "outcomes", outcomes, "outcomes whose delays a spreadsheet has destroyed")

    def _unfit(self, day: Partition, source: str, rows: "DataFrame", what: str) -> None:
        """A delivery that must not be let in; its run fails and says why."""
        self.publisher.publish([day])
        self.publisher.deliver(source, day, rows)
        run_id = self._trigger("ingest", partition=day.key)
        if self._ended("ingest", run_id) != "failed":
            raise Permanent(f"{what.capitalize()} was let in.", next_step="read the validation report in the lake.")
        told = self._log_of_failure("ingest", run_id).splitlines()
        why = next((line for line in told if " Next: " in line), told[-1])
        self.audience.event(day.key, f"{what}: not let in, {why[:WHY]}")
        self.audience.event(day.key, "the airline sends it again, as it should be")

    def _incident(self, key: str) -> str:
        """Tell what is decided about an incident; return the action."""
        run_id = self._awaited("retrain", key)
        self._finish("retrain", run_id)
        decision = self.api.xcom(f"{CASE}__retrain", run_id, "decide")
        over = decision["kind"] == "calm"
        if key not in self.incidents and not over:
            self.incidents.append(key)
        what = "incident is over" if over else "incident lasts"
        self.audience.event(key, f"{what}; decision: {decision['action']}, because {decision['because']}")
        return str(decision["action"])

    def _retrain(self, key: str) -> None:
        trained = f"retrain__{key}"
        self.runs.append(("train", trained))
        self._finish("train", trained)
        self._tell_outcome(key, trained)

    def _tell_outcome(self, key: str, run_id: str) -> None:
        fitted = self.api.xcom(f"{CASE}__train", run_id, "fit")
        done = self.api.xcom(f"{CASE}__train", run_id, "promote")
        self.audience.event(
            key, f"{fitted['family']} candidate {fitted['candidate'][:8]}: {done['outcome']}, {done['why']}"
        )

    def _follow(self, key: str, stage: str, start: Callable[[], str]) -> str:
        self.audience.stage(key, stage, "running")
        run_id = start()
        self._finish(stage, run_id)
        self.audience.stage(key, stage, "success")
        return run_id

    def _trigger(self, stage: str, **how: Any) -> str:
        run_id = self.api.trigger(
            f"{CASE}__{stage}", run_id=f"demo__{stage}__{len(self.runs)}__{uuid4().hex[:8]}", **how
        )
        self.runs.append((stage, run_id))
        return run_id

    def _awaited(self, stage: str, key: str) -> str:
        """Id of the run that an asset started for a partition."""
        deadline, dag_id = time.monotonic() + PATIENCE, f"{CASE}__{stage}"
        while time.monotonic() < deadline:
            for (of, run_id), run in self.board.newest().items():
                if of == dag_id and run["partition_key"] == key and (stage, run_id) not in self.runs:
                    self.runs.append((stage, run_id))
                    return run_id
        raise Permanent(f"No run of {stage} was started for {key}.", next_step="read .updraft/logs/scheduler.log.")

    def _ended(self, stage: str, run_id: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while (state := self.board.state(f"{CASE}__{stage}", run_id)) not in ENDED:
            if time.monotonic() > deadline:
                raise Permanent(f"{stage} {run_id} took too long.", next_step="look at it in the Airflow UI.")
        return state

    def _finish(self, stage: str, run_id: str) -> None:
        if self._ended(stage, run_id) == "success":
            return
        told = self._log_of_failure(stage, run_id)
        raise Permanent(f"{stage} {run_id} failed:\n{told[-1500:]}", next_step="look at the run in the Airflow UI.")

    def _log_of_failure(self, stage: str, run_id: str) -> str:
        """Log of the first task of a run that failed."""
        failed = [t for t in self.api.tasks(f"{CASE}__{stage}", run_id) if t["state"] == "failed"]
        if not failed:
            return "no task of it failed"
        return self.api.log(f"{CASE}__{stage}", run_id, failed[0]["task_id"], failed[0]["try_number"])

    def _task_state(self, stage: str, run_id: str, task_id: str) -> str:
        states = {t["task_id"]: str(t["state"]) for t in self.api.tasks(f"{CASE}__{stage}", run_id)}
        return states[task_id]

    def _span(self, span: tuple[str, str]) -> Sequence[Partition]:
        return list(self.dates.between(self.dates.at(span[0]), self.dates.at(span[1])))
