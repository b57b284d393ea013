"""An event of Airflow, which anybody with its API may have sent, says names and nothing else."""

import pytest
from tests.arriving import CASE, DAY, NEXT, keys

from updraft.arrivals.named import named


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(None, "model_type", id="nothing"),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "facts"}]}, "0.partition': missing", id="no partition"
        ),
        pytest.param({"arrivals": [], "run": "rm"}, "'run': extra_forbidden", id="more than names"),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "../facts", "partition": DAY}]},
            "source': string_pattern_mismatch",
            id="a path",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "facts", "partition": DAY * 9}]},
            "string_too_long",
            id="a long partition",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "facts", "partition": "2024-1-2"}]},
            "'2024-1-2' is no partition of tiny",
            id="no partition of the calendar",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "other", "source": "facts", "partition": DAY}]},
            "facts of other is no source of tiny",
            id="another use case",
        ),
        pytest.param(
            {"arrivals": [{"use_case": "tiny", "source": "loot", "partition": DAY}]},
            "loot of tiny is no source of tiny",
            id="an unknown source",
        ),
        pytest.param({"\n" * 99: 1, "arrivals": []}, r"'\n\n", id="writes into the log"),
    ],
)
def test_an_event_that_says_anything_else_is_dropped(payload, why):
    heard = named([payload], CASE)
    assert heard.arrivals == ()
    assert [why in reason for reason in heard.dropped] == [True]
    assert heard.dropped[0].isprintable()


def test_what_several_events_name_counts_once():
    told = [{"arrivals": [{"use_case": "tiny", "source": "facts", "partition": day}]} for day in (NEXT, DAY, NEXT)]
    assert keys(named(told, CASE)) == [DAY, NEXT]
