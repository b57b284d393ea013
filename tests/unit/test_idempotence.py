"""A stage run again, out of order, or several times at once ends in the same bytes."""

import random
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pytest
from tests import parcels, promises

from updraft import dataset, features, ingest, score
from updraft.lake import Lake
from updraft.life import monitor
from updraft.partition import calendar
from updraft.rows import digest

pytestmark = pytest.mark.slow  # runs stages in several processes


def days(first, last):
    return [f"2024-01-{day:02}" for day in range(first, last + 1)]


def build(world, keys):
    features.build(world.case, keys, world.lake)


def label(world, keys):
    dataset.mature_labels(world.case, keys, world.lake)


def score_all(world, keys):
    score.partitions(world.case, keys, world.lake, champion=score.pin(world.case, world.lake))


def watch(world, keys):
    for key in keys:
        monitor.mature(world.case, calendar(world.case).at(key), world.lake)
        monitor.watch_partitions(world.case, [key], world.lake)


STAGES = [
    pytest.param(build, days(19, 22), "features/parcels", id="features"),
    pytest.param(label, days(16, 19), "labels/parcels", id="labels"),
    pytest.param(score_all, days(12, 15), "scores/parcels", id="score"),
    pytest.param(watch, days(16, 18), "monitor/parcels", id="monitor"),
]


def at_once(pool: Executor, calls):
    """Run calls side by side; raise what any of them raised."""
    for future in [pool.submit(*call) for call in calls]:
        future.result()


@pytest.fixture
def twin(observed, tmp_path):
    """The same world once more, for the run that everything is compared with."""
    return observed.copy(tmp_path / "twin")


@pytest.mark.parametrize(("stage", "keys", "table"), STAGES)
def test_a_stage_run_again_commits_nothing(observed, stage, keys, table):
    stage(observed, keys)
    version, content = observed.lake.version(table), digest(observed.lake.read(table))
    stage(observed, keys)
    stage(observed, keys[:1])
    assert (observed.lake.version(table), digest(observed.lake.read(table))) == (version, content)


@pytest.mark.parametrize(("stage", "keys", "table"), STAGES)
def test_partitions_in_any_order_end_in_the_same_table(observed, twin, stage, keys, table):
    stage(twin, keys)
    for key in random.Random(table).sample(keys, len(keys)):
        stage(observed, [key])
    assert digest(observed.lake.read(table)) == digest(twin.lake.read(table))


@pytest.mark.parametrize(("stage", "keys", "table"), STAGES)
def test_runs_at_once_end_in_the_same_table(observed, twin, stage, keys, table):
    stage(twin, keys)
    before = promises.acknowledged(observed.lake, observed.case)
    with ThreadPoolExecutor(3) as pool:
        at_once(pool, [(stage, observed, keys), (stage, observed, keys[::-1]), (stage, observed, keys[1:3])])
    assert digest(observed.lake.read(table)) == digest(twin.lake.read(table))
    assert promises.broken(observed.lake, observed.case, before=before) == []


def test_processes_at_once_end_in_the_same_tables(observed, twin):
    case, lake, champion = observed.case, observed.lake, score.pin(observed.case, observed.lake)
    keys = days(19, 22)
    for world_lake in (twin.lake,):
        features.build(case, keys, world_lake)
        score.partitions(case, keys, world_lake, champion=champion)
    before = promises.acknowledged(lake, case)
    # Spawned, because neither Delta nor LightGBM survives a fork.
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        at_once(pool, [(features.build, case, part, lake) for part in (keys, keys[::-1], keys[:2], keys[2:])])
        scored = [pool.submit(score.partitions, case, part, lake, champion=champion) for part in (keys, keys[::-1])]
        assert [done.result().rows for done in scored] == [4 * parcels.PER_DAY] * 2
    for table in (features.table(case), score.table(case)):
        assert digest(lake.read(table)) == digest(twin.lake.read(table))
    assert promises.broken(lake, case, before=before) == []


def test_a_reader_never_sees_the_scores_of_two_models(observed):
    """While one writer rescores with one model and then the other, every read is whole."""
    (trained,) = [r for r in promises.acknowledged(observed.lake, observed.case).decisions if r.kind == "trained"]
    models = [trained.model, trained.facts["baselines"]["lightgbm"]]
    done, seen = threading.Event(), []

    def read():
        while not done.is_set():
            rows = observed.lake.read("scores/parcels", ["2024-01-16"])
            seen.append((len(rows), frozenset(rows["model"].to_pylist())))

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for turn in range(8):
            pinned = models[(turn + 1) % 2]
            score.partitions(observed.case, days(16, 18), observed.lake, champion=pinned, rescore=True)
        done.set()
        reading.result()
    assert set(seen) <= {(parcels.PER_DAY, frozenset({model})) for model in models}
    assert len(seen) > 3


def test_of_two_writers_that_create_a_table_at_once_one_counts(tmp_path):
    """Had both landed, every row would count twice."""
    rows = {n: pa.table({"partition": ["a"] * 3, "x": [n] * 3}) for n in (1, 2)}
    for attempt in range(15):
        lake, gate = Lake(str(tmp_path / f"lake{attempt}")), threading.Barrier(2)

        def create(n, lake=lake, gate=gate):
            gate.wait()
            lake.replace("t", rows[n], ["a"])

        with ThreadPoolExecutor(2) as pool:
            at_once(pool, [(create, 1), (create, 2)])
        assert lake.read("t")["x"].to_pylist() in ([1] * 3, [2] * 3)


# ---- ingestion ---------------------------------------------------------------------------------------------------


@pytest.fixture
def inbox(parcels_case, tmp_path):
    parcels.drop(parcels_case, tmp_path / "inbox", days(1, 3))
    return tmp_path / "inbox"


def take_in(case, keys, lake, inbox):
    for source in case.sources:
        ingest.land(case, source, keys, lake, inbox)
        ingest.validate(case, source, keys, lake)
        ingest.publish(case, source, keys, lake)


def raw(lake):
    return {table: digest(lake.read(f"raw/parcels/{table}")) for table in ("parcels", "arrivals")}


@pytest.fixture(scope="module")
def taken_in_once(parcels_case, tmp_path_factory):
    """What three days look like when they were ingested once, in order."""
    folder = tmp_path_factory.mktemp("once")
    parcels.drop(parcels_case, folder / "inbox", days(1, 3))
    take_in(parcels_case, days(1, 3), Lake(str(folder / "lake")), folder / "inbox")
    return raw(Lake(str(folder / "lake")))


def test_a_delivery_taken_in_again_adds_nothing(parcels_case, lake, inbox, taken_in_once):
    take_in(parcels_case, days(1, 3), lake, inbox)
    versions = [lake.version(f"raw/parcels/{source}") for source in parcels_case.sources]
    shutil.copy(inbox / "parcels/2024-01-02.csv", inbox / "parcels/2024-01-02.csv.part")
    take_in(parcels_case, days(1, 3), lake, inbox)
    assert raw(lake) == taken_in_once
    assert [lake.version(f"raw/parcels/{source}") for source in parcels_case.sources] == versions
    assert promises.broken(lake, parcels_case) == []


def test_deliveries_in_any_order_end_in_the_same_tables(parcels_case, lake, inbox, taken_in_once):
    for key in ("2024-01-03", "2024-01-01", "2024-01-02"):
        take_in(parcels_case, [key], lake, inbox)
    assert raw(lake) == taken_in_once


def test_deliveries_taken_in_twice_at_once_end_in_the_same_tables(parcels_case, lake, inbox, taken_in_once):
    take_in(parcels_case, ["2024-01-03"], lake, inbox)
    with ThreadPoolExecutor(2) as pool:
        at_once(pool, [(take_in, parcels_case, keys, lake, inbox) for keys in (days(1, 2), days(1, 2))])
    assert raw(lake) == taken_in_once
    assert promises.broken(lake, parcels_case) == []


def test_features_of_files_are_those_of_rows(parcels_case, lake, inbox, tmp_path):
    take_in(parcels_case, days(1, 3), lake, inbox)
    made = Lake(str(tmp_path / "made"))
    parcels.deliver(parcels_case, made, days(1, 3))
    for one in (lake, made):
        features.build(parcels_case, days(1, 3), one)
    assert digest(lake.read("features/parcels")) == digest(made.read("features/parcels"))


# ---- killed in the middle ----------------------------------------------------------------------------------------

LIVE = """
import sys
from pathlib import Path
from updraft import features, score
from updraft.lake import Lake
from updraft.spec.load import load
case, lake = load("parcels", Path(sys.argv[1])), Lake(sys.argv[2])
champion = score.pin(case, lake)
print("begun", flush=True)
for keys in (sys.argv[3:5], sys.argv[5:7]):
    features.build(case, keys, lake)
    print("built", flush=True)
    score.partitions(case, keys, lake, champion=champion)
    print("scored", flush=True)
"""


@pytest.mark.parametrize("last_words", ["begun", "built"])
def test_a_run_that_was_killed_is_mended_by_a_retry(observed, twin, last_words):
    keys = days(19, 22)
    build(twin, keys)
    score_all(twin, keys)
    before = promises.acknowledged(observed.lake, observed.case)
    command = [sys.executable, "-c", LIVE, str(Path(observed.case.folder).parent), observed.lake.uri, *keys]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        while running.stdout.readline().strip() != last_words:
            assert running.poll() is None
        running.send_signal(signal.SIGKILL)
    assert promises.broken(observed.lake, observed.case, before=before) == [], "what a reader sees after the kill"
    retries = [
        promises.attempt("features", 60, lambda: build(observed, keys)),
        promises.attempt("score", 60, lambda: score_all(observed, keys)),
    ]
    assert promises.broken(observed.lake, observed.case, before=before, attempts=retries) == []
    for table in ("features/parcels", "scores/parcels"):
        assert digest(observed.lake.read(table)) == digest(twin.lake.read(table))
