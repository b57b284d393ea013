"""How good can the demo's models be? Train on January to September, test on October to December of 2013.

The real flights, the use case's own features, and the training as it is in life: folds, calibration and threshold never
look at the test months. Three sets of features:

- `evening`: the use case's own, known at 18:00 of the day before;
- `hour before`: with the weather and the day's delays as they were known an hour before each scheduled departure, which
  is what the demo could use if its lead time were an hour and not an evening;
- `forecast`: the use case's own with the weather that came at the hour of departure, as a perfect forecast would say on
  the evening before. Nobody has it; it shows what better weather would be worth.

Printed for every family: AUC, average precision, Brier score, log loss, calibration error and value per flight, with
two-sided 95 % bounds that take days, not flights, as what varies. Features of the year are built once and kept in
UPDRAFT_HOME.

    python tests/bench/demo_study.py                     # evening and hour before: about ten minutes on two cores
    python tests/bench/demo_study.py --sets forecast
    python tests/bench/demo_study.py --auto              # let the training leave out features
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from asof_bench import FIRST, USE_CASES, raw

from updraft import dataset, features
from updraft.asof import raw_table
from updraft.dataset import Dataset
from updraft.demo.publisher import Publisher
from updraft.evidence.interval import interval
from updraft.evidence.metrics import METRICS, of_kind
from updraft.evidence.worth import expected_value
from updraft.ingest.feed import Feed
from updraft.lake import Lake
from updraft.partition import calendar
from updraft.spec.features import Feature
from updraft.spec.load import load
from updraft.spec.model import UseCase
from updraft.train.candidate import Candidate, train

HOME = Path(os.environ.get("UPDRAFT_HOME", ".updraft")) / "study"
TEST_FROM, LAST = "2013-10-01", "2013-12-31"
NUMBER = Feature(type="number")

HOUR_BEFORE = """
WITH flights AS (SELECT flight_id, origin, carrier, event_time, event_time - INTERVAL 1 HOUR AS asked FROM built),
observed AS (
    SELECT f.flight_id, w.temperature, w.dew_point, w.humidity, w.wind_speed, w.precipitation, w.pressure, w.visibility
    FROM flights f ASOF JOIN weather w ON f.origin = w.origin AND f.asked >= w.reported_at
),
today AS (  -- who should have left before, and what was known of it: a flight still waiting is late by the wait so far
    SELECT
        f.flight_id,
        avg(least(greatest(known, -30), 240)) AS wait_now,
        avg((known >= 15)::INT) AS late_now,
        avg((known >= 15)::INT) FILTER (o.carrier = f.carrier) AS carrier_late_now,
        count(*) AS due_now
    FROM (
        SELECT f.*, o.carrier AS other, o.scheduled_departure AS due, o.departure_delay AS delay
        FROM flights f JOIN outcomes o
        ON o.origin = f.origin AND o.scheduled_departure < f.asked
        AND o.scheduled_departure >= f.asked - INTERVAL 4 HOUR
    ) f, LATERAL (
        SELECT f.other AS carrier,
            CASE WHEN f.delay IS NOT NULL AND f.due + to_minutes(f.delay) <= f.asked THEN f.delay
                 ELSE date_diff('minute', f.due, f.asked) END AS known
    ) o
    GROUP BY f.flight_id
)
SELECT * FROM observed FULL JOIN today USING (flight_id)
"""
FORECAST = """
SELECT f.flight_id, w.temperature, w.dew_point, w.humidity, w.wind_speed, w.precipitation, w.pressure, w.visibility
FROM built f ASOF JOIN weather w ON f.origin = w.origin AND f.event_time + INTERVAL 30 MINUTE >= w.observed_at
"""
SETS = {"evening": "", "hour before": HOUR_BEFORE, "forecast": FORECAST}


def year(case: UseCase) -> tuple[Dataset, Lake]:
    """The year's mature rows; published and built the first time."""
    lake, dates = Lake(str(HOME / "lake")), calendar(case)
    days = list(dates.between(dates.at(FIRST), dates.at(LAST)))
    publisher = Publisher(Path(), dates)
    for source in case.sources:
        if lake.version(raw_table(case, source)) is None:
            rows = pa.concat_tables([raw(case, source, publisher.rows(source, day), day) for day in days])
            lake.replace(raw_table(case, source), rows, [day.key for day in days])
        Feed(case, source, lake).announce([day.key for day in days])
    if missing := features.stale(case, [day.key for day in days], lake):
        features.build(case, missing, lake)
    return dataset.mature(case, lake, days[-1]), lake


def widened(case: UseCase, data: Dataset, lake: Lake, query: str) -> tuple[UseCase, Dataset]:
    """The same rows with columns of a query, in place of those of the same name or beside them."""
    if not query:
        return case, data
    with duckdb.connect() as db:
        db.register("built", data.rows[["flight_id", "origin", "carrier", "event_time"]])
        for source in ("outcomes", "weather"):
            db.register(source, lake.read(raw_table(case, source)))
        found = db.execute(query).df()
    names = [name for name in found.columns if name != "flight_id"]
    rows = data.rows.drop(columns=[n for n in names if n in data.rows]).merge(
        found.astype(dict.fromkeys(names, "float64")), on="flight_id", how="left", validate="one_to_one"
    )
    wider = case.model_copy(update={"features": {**case.features, **dict.fromkeys(names, NUMBER)}})
    return wider, replace(data, rows=rows)


def study(case: UseCase, data: Dataset, **model: object) -> tuple[Candidate, float]:
    """Train with the test months held out; return the candidate and the seconds it took."""
    held = sorted(set(data.rows["partition"][data.rows["partition"] >= TEST_FROM]))
    settings = case.model.model_copy(update={"holdout": len(held), **model})
    begun = time.perf_counter()
    made = train(case.model_copy(update={"model": settings}), data, code_version="study")
    return made, time.perf_counter() - begun


def report(case: UseCase, data: Dataset, made: Candidate) -> None:
    """Print every family's metrics on the test months."""
    held = made.split.take(data.rows, "holdout")
    y, days = held[case.label.column].to_numpy(float), held["partition"].to_numpy(str)
    metrics = {**of_kind(case.problem.kind), "value": expected_value(case.problem.value)}
    print(f"  {'':10}" + "".join(f"{name:^25}" for name in metrics))
    for family, model in sorted({made.model.family: made.model, **made.baselines}.items()):
        p = model.predict(held)
        found = [interval(m, y, p, days, confidence=0.975, seed=1) for m in metrics.values()]
        print(f"  {family:10}" + "".join(f"{i.value:8.4f} [{i.low:6.4f}, {i.high:6.4f}]" for i in found))
    print(f"  candidate: {made.reason}")
    for family, model in sorted({made.model.family: made.model, **made.baselines}.items()):
        print(f"  {family}: {model.manifest.parameters}")
        print("".join(f"    - {note}\n" for note in model.manifest.notes), end="")


def by_month(case: UseCase, data: Dataset, made: Candidate) -> None:
    """Print how the candidate does month by month: what it says beside what came true."""
    held = made.split.take(data.rows, "holdout").assign(month=lambda rows: rows["partition"].str[:7])
    for month, rows in held.groupby("month"):
        y, p = rows[case.label.column].to_numpy(float), made.model.predict(rows)
        said = f"said {p.mean():.3f}, came true {y.mean():.3f}, AUC {METRICS['auc'](y, p):.4f}"
        print(f"  {month}: {len(y)} flights, {said}, Brier {np.square(p - y).mean():.4f}")


def main() -> None:
    """Run the study."""
    known = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known.add_argument("--sets", nargs="*", choices=list(SETS), default=["evening", "hour before"])
    known.add_argument("--auto", action="store_true", help="let the training leave out features")
    known.add_argument("--threads", type=int, default=2)
    asked = known.parse_args()
    case = load("flight_delays", USE_CASES)
    data, lake = year(case)
    for name in asked.sets:
        wider, rows = widened(case, data, lake, SETS[name])
        made, seconds = study(wider, rows, threads=asked.threads, features="auto" if asked.auto else "all")
        train_, test = (made.split.windows()[window] for window in ("train", "holdout"))
        print(f"{name}: {train_[0]}..{train_[-1]} to train, {test[0]}..{test[-1]} to test, {seconds:.0f} s")
        report(wider, rows, made)
        by_month(wider, rows, made)


if __name__ == "__main__":
    main()
