"""A replay or a discard that is killed, or overtaken, is finished by the next."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.deliveries import DAY, DAYS, GOOD, case, drop, quarantine, raw, stage
from tests.replaying import LOOSE, STRICT, accounts, again, blocked, drop_held

from updraft import ingest
from updraft.ingest.change import kept as changes_kept
from updraft.ingest.feed import Feed
from updraft.lake import Lake

pytestmark = pytest.mark.slow  # every test takes in deliveries several times


ROOT = Path(__file__).parents[2]
REPLAY = """
import sys
import deltalake, great_expectations, pandas
from tests.deliveries import DAYS, case
from updraft.ingest.replay import replay
from updraft.lake import Lake
print("ready", flush=True)
replay(case(), "flights", DAYS, Lake(sys.argv[1]), who="test")
"""


class TestInterrupted:
    KINDS = ("staging", "deliveries", "reports", "rejected", "verdicts", "published", "changes", "discarded")

    def copy(self, of, to, kinds, tables):
        """What a lake holds of some kinds and tables."""
        for kind in kinds:
            for key in of.keys(kind):
                to.put(key, of.get(key))
        for table in tables:
            rows = of.read(table)
            if rows is not None:
                to.replace(table, rows, [DAY])

    def test_a_replay_killed_between_any_two_steps_is_finished_by_the_next(self, lake, inbox, tmp_path):
        drop(inbox, *GOOD)
        stage(lake, inbox, of=STRICT)
        before = Lake(str(tmp_path / "before"))
        self.copy(lake, before, self.KINDS, ["raw/late/flights", "quarantine/late/flights"])
        again(lake)
        steps = ["reports", "rejected", "verdicts", "changes", "quarantine/late/flights", "raw/late/flights"]
        for number in range(len(steps) + 1):
            half = Lake(str(tmp_path / f"half{number}"))
            self.copy(before, half, self.KINDS, ["raw/late/flights", "quarantine/late/flights"])
            done = steps[:number]
            self.copy(lake, half, [s for s in done if "/" not in s], [s for s in done if "/" in s])
            again(half)
            assert raw(half) == raw(lake)
            assert quarantine(half) == quarantine(lake)
            assert accounts(half) == accounts(lake)
            moves = changes_kept(Feed(LOOSE, "flights", half), [DAY])
            assert {move.released for move in moves} == {((2, 2),)}

    def test_a_discard_killed_before_the_partition_is_marked_is_finished_by_the_next(self, lake, inbox):
        strict = case(top=5)
        drop(inbox, *GOOD)
        blocked(lake, inbox, strict)
        drop_held(lake, strict)
        (mark,) = lake.keys("published")
        os.unlink(f"{lake.uri}/{mark}")
        assert ingest.delivered(strict, "flights", lake) == set()
        drop_held(lake, strict)
        assert ingest.delivered(strict, "flights", lake) == {DAY}

    def test_rows_discarded_while_they_were_published_are_taken_back(self, lake, inbox):
        drop(inbox, *GOOD)
        stage(lake, inbox, of=STRICT)
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(again, lake), pool.submit(drop_held, lake), pool.submit(again, lake)]
            [job.result() for job in jobs]
        (one,) = accounts(lake)
        # The discard is by the strict contract: where it comes last, its judgement stands as well.
        assert one in [("published", 2, 0, 0, 0), ("published", 1, 0, 1, 0), ("quarantined", 1, 0, 1, 0)]

    def test_replays_at_once_publish_each_row_once(self, lake, inbox):
        for day in DAYS:
            drop(inbox, *GOOD, day=day)
        stage(lake, inbox, DAYS, of=STRICT)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda _: again(lake, days=DAYS), range(3)))
        assert accounts(lake, days=DAYS) == [("published", 2, 0, 0, 0)] * 3
        assert len(raw(lake)) == 6

    @pytest.mark.deep
    def test_a_replay_killed_at_any_moment_is_finished_by_the_next(self, lake, inbox):
        for day in DAYS:
            drop(inbox, *GOOD, day=day)
        stage(lake, inbox, DAYS, of=STRICT)
        ended = []
        for pause in (0.02, 0.1, 0.2, 0.4):
            child = subprocess.Popen([sys.executable, "-c", REPLAY, lake.uri], stdout=subprocess.PIPE, cwd=ROOT)
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            time.sleep(pause)
            child.kill()
            ended.append(child.wait(30))
            child.stdout.close()
        assert -9 in ended
        again(lake, days=DAYS)
        assert accounts(lake, days=DAYS) == [("published", 2, 0, 0, 0)] * 3
        assert len(raw(lake)) == 6
        assert quarantine(lake) == []
