"""Rules that look around: volume against earlier partitions, freshness, and references to another source."""

import pytest
from tests.inbox import put

from updraft import ingest
from updraft.errors import DeliveryBlocked
from updraft.ingest.feed import Feed
from updraft.ingest.surroundings import surroundings
from updraft.lake import Lake
from updraft.rows import digest
from updraft.spec.model import UseCase

pytestmark = pytest.mark.slow

DAYS = [f"2013-01-{day:02d}" for day in range(1, 8)]


def case(contract=None, fleet=None):
    source = {"type": "files", "key": ["id"], "event_time": "at", "known_at": {"delay": "6h"}}
    moment = {"at": {"type": "timestamp"}}
    return UseCase.model_validate(
        {
            "version": 1,
            "name": "late",
            "owner": {"name": "team", "email": "team@example.com"},
            "problem": {
                "goal": "Warn of late flights.",
                "lead_time": "6h",
                "decision": "Warn.",
                "value": {"true_positive": 3, "false_positive": -1, "false_negative": 0},
            },
            "partitions": {"every": "day", "first": DAYS[0]},
            "entity": ["id"],
            "sources": {
                "flights": {
                    **source,
                    "path": "flights/{partition}.csv",
                    "columns": {"id": {"type": "integer"}, **moment, "tail": {"type": "string", "nullable": True}},
                    "contract": {"rows": [0, 100], "tolerance": 0.5, **(contract or {})},
                },
                "fleet": {
                    **source,
                    "path": "fleet/{partition}.csv",
                    "columns": {"id": {"type": "string"}, **moment},
                    "contract": {"rows": [0, 100]},
                    **(fleet or {}),
                },
            },
            "label": {"column": "late", "maturity": "1d"},
            "features": {"delay": {"type": "number"}},
        }
    )


def drop(inbox, source, day, *lines, header):
    put(inbox / source / f"{day}.csv", "\n".join([header, *lines]) + "\n")


def flights(inbox, day, count, tail="", at=None):
    lines = [f"{n},{at or day + 'T05:00:00Z'},{tail}" for n in range(count)]
    drop(inbox, "flights", day, *lines, header="id,at,tail")


def fleet(inbox, day, *tails):
    drop(inbox, "fleet", day, *(f"{tail},{day}T00:00:00Z" for tail in tails), header="id,at")


def stage(of, lake, inbox, *days, source="flights"):
    try:
        ingest.stage(of, source, days, lake, inbox)
    except DeliveryBlocked as blocked:
        return str(blocked)
    return ""


def verdict(of, lake, day):
    return ingest.validate(of, "flights", [day], lake).verdicts[-1]


VOLUME = {"volume": {"recent": 3, "between": [0.5, 2]}}


class TestVolume:
    def test_it_is_told_and_blocks_nothing_until_enough_partitions_are_published(self, lake, inbox):
        of = case(VOLUME)
        for day, count in zip(DAYS, [10, 90, 10, 30], strict=False):
            flights(inbox, day, count)
            told = stage(of, lake, inbox, day)
            assert ("3.00 times the median of the 3 partitions before it" in told) == (day == DAYS[3])
        why = "only 1 of 3 partitions before it are published"
        assert verdict(of, lake, DAYS[1]).summary["undefined"] == {"volume": why}
        assert verdict(of, lake, DAYS[3]).outcome == "blocked"

    def test_many_partitions_at_once_are_judged_as_one_by_one(self, lake, inbox, tmp_path):
        of, apart = case(VOLUME), Lake(str(tmp_path / "apart"))
        for day, count in zip(DAYS, [10, 12, 8, 40, 0, 9, 11], strict=True):
            flights(inbox, day, count)
        bulk = stage(of, lake, inbox, *DAYS)
        assert "2 deliveries of flights are blocked" in bulk
        for day in DAYS:
            stage(of, apart, inbox, day)
        assert [verdict(of, lake, day).why for day in DAYS] == [verdict(of, apart, day).why for day in DAYS]
        assert digest(lake.read("raw/late/flights")) == digest(apart.read("raw/late/flights"))
        assert lake.keys("published") == apart.keys("published")

    def test_partitions_after_the_one_judged_do_not_count(self, lake, inbox):
        of = case(VOLUME)
        for day, count in zip([*DAYS[:3], *DAYS[4:]], [10, 10, 10, 90, 90, 90], strict=True):
            flights(inbox, day, count)
            stage(case(), lake, inbox, day)
        flights(inbox, DAYS[3], 12)
        assert stage(of, lake, inbox, DAYS[3]) == ""
        assert verdict(of, lake, DAYS[3]).summary["undefined"] == {}

    def test_a_correction_may_be_as_small_as_it_likes(self, lake, inbox):
        of = case(VOLUME)
        for day in DAYS[:4]:
            flights(inbox, day, 10)
            stage(of, lake, inbox, day)
        flights(inbox, DAYS[3], 1)
        assert stage(of, lake, inbox, DAYS[3]) == ""
        assert verdict(of, lake, DAYS[3]).summary["undefined"] == {"volume": "it corrects an earlier delivery"}

    def test_a_verdict_stands_when_the_partitions_before_change(self, lake, inbox):
        of = case(VOLUME)
        for day in DAYS[:4]:
            flights(inbox, day, 10)
            stage(of, lake, inbox, day)
        before = verdict(of, lake, DAYS[3])
        for day in DAYS[:3]:
            flights(inbox, day, 99)
            stage(case(), lake, inbox, day)
        assert stage(of, lake, inbox, DAYS[3]) == ""
        assert verdict(of, lake, DAYS[3]) == before


class TestFreshness:
    @pytest.mark.parametrize(
        ("at", "blocked"),
        [("2013-01-06T05:00:00Z", False), ("2013-01-05T18:00:00Z", False), ("2013-01-05T17:59:59Z", True)],
    )
    def test_the_newest_event_is_compared_to_the_moment_of_the_partition(self, lake, inbox, at, blocked):
        flights(inbox, DAYS[6], 2, at=at)
        told = stage(case({"freshness": "1d"}), lake, inbox, DAYS[6])
        assert ("its newest event_time is 24.0 hours before the partition's moment" in told) == blocked


REFERENCES = {"references": {"tail": "fleet.id"}}


class TestReferences:
    def test_rows_that_refer_to_nothing_published_go_to_quarantine(self, lake, inbox):
        of = case(REFERENCES)
        fleet(inbox, DAYS[0], "N1", "N2")
        stage(of, lake, inbox, DAYS[0], source="fleet")
        lines = [f"{n},{DAYS[1]}T05:00:00Z,{tail}" for n, tail in enumerate(["N1", "N9", "", "N2"])]
        drop(inbox, "flights", DAYS[1], *lines, header="id,at,tail")
        assert stage(of, lake, inbox, DAYS[1]) == ""
        rejected = lake.read("quarantine/late/flights").to_pylist()
        assert [(row["rule"], row["reason"]) for row in rejected] == [("references", "tail: 'N9' is not in fleet.id")]

    def test_only_rows_of_the_lookback_up_to_the_partition_are_referred_to(self, lake, inbox):
        of = case(REFERENCES, fleet={"lookback": "2d"})
        for day in DAYS:
            fleet(inbox, day, f"N{day[-1]}")
        stage(of, lake, inbox, *DAYS, source="fleet")
        flights(inbox, DAYS[4], 1)
        feed = Feed(of, "flights", lake)
        landed = ingest.land(of, "flights", [DAYS[4]], lake, inbox).deliveries
        (facts,) = surroundings(feed, landed).facts.values()
        assert sorted(facts.known["tail"].to_pylist()) == ["N3", "N4", "N5"]

    def test_a_delivery_blocked_for_what_was_not_there_is_judged_again_once_it_is(self, lake, inbox):
        of = case({"references": {"tail": {"to": "fleet.id", "severity": "block"}}})
        flights(inbox, DAYS[0], 3, tail="N1")
        assert "3 of 3 rows (100.00%) break references(tail)" in stage(of, lake, inbox, DAYS[0])
        fleet(inbox, DAYS[0], "N1")
        stage(of, lake, inbox, DAYS[0], source="fleet")
        assert stage(of, lake, inbox, DAYS[0]) == ""
        assert len(lake.read("raw/late/flights")) == 3

    def test_not_so_once_a_later_delivery_took_its_place(self, lake, inbox):
        of = case({"references": {"tail": {"to": "fleet.id", "severity": "block"}}})
        flights(inbox, DAYS[0], 3, tail="N1")
        stage(of, lake, inbox, DAYS[0])
        flights(inbox, DAYS[0], 2)
        stage(of, lake, inbox, DAYS[0])
        fleet(inbox, DAYS[0], "N1")
        stage(of, lake, inbox, DAYS[0], source="fleet")
        assert stage(of, lake, inbox, DAYS[0]) == ""
        assert len(lake.read("raw/late/flights")) == 2


def test_nothing_is_read_that_no_rule_asks_about(lake, inbox):
    flights(inbox, DAYS[0], 3)
    landed = ingest.land(case(), "flights", [DAYS[0]], lake, inbox).deliveries
    found = surroundings(Feed(case(), "flights", lake), landed)
    assert found.published == {}
    assert [facts.known for facts in found.facts.values()] == [{}]
    assert case(REFERENCES).sources_in_order == ("fleet", "flights")
