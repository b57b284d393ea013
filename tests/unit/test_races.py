"""A slice of tests/bench/race_study.py: sixteen promoters at once, on both stores."""

import pytest
from tests.bench import race_study
from tests.bench.race_study import PROMOTERS, judge, races, start_line, store, use_case

from updraft.lake import Lake
from updraft.ledger import Ledger

pytestmark = pytest.mark.slow  # starts processes, and moto's server


@pytest.mark.parametrize("kind", ["local", pytest.param("s3", marks=pytest.mark.deep)])
def test_of_sixteen_promoters_exactly_one_wins_and_nothing_is_lost(kind):
    with store(kind) as (uri, options):
        held = list(races(uri, options, 3))
    assert [race.wrong for race in held] == [()] * 3
    assert [race.ended for race in held] == [{"promoted": 1, "look again": PROMOTERS - 1}] * 3


@pytest.mark.parametrize(
    ("ended", "wrong"),
    [
        ([("promoted", 18)] * 2 + [("look again", 0)] * 14, "the promoters ended as"),
        ([("promoted", 18)] + [("look again", 0)] * 15, "records [] are promotions, the promoters were told of [18]"),
    ],
)
def test_the_study_would_notice_two_winners_and_a_lost_promotion(tmp_path, ended, wrong):
    lake, case = Lake(str(tmp_path / "lake")), use_case("race")
    start_line(lake, case)
    assert wrong in judge(Ledger(lake, case.name), ended).wrong[0]


def test_the_study_would_notice_a_damaged_record(tmp_path):
    lake, case = Lake(str(tmp_path / "lake")), use_case("race")
    start_line(lake, case)
    lake.put("ledger/race/00000003.json", b"{}")
    assert judge(Ledger(lake, case.name), []).wrong[0].startswith("Record 3 of the ledger was changed")
    assert race_study.__doc__
