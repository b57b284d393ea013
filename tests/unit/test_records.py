"""Records as they are shown: a long reason is said once."""

import pytest

from updraft.records import Record, reasons

LONG = "INSUFFICIENT, champion: " + "no evidence of being better; " * 3


def records(*whys):
    return [Record(n, "", "decided", "", "2024-01-01", "somebody", why, None, {}, "") for n, why in enumerate(whys, 5)]


@pytest.mark.parametrize(
    ("whys", "said"),
    [
        pytest.param([LONG, LONG, LONG], [LONG, "as record 5", "as record 5"], id="said again"),
        pytest.param([LONG, "calm", f"{LONG}but"], [LONG, "calm", f"{LONG}but"], id="something else"),
        pytest.param(["cooldown", "cooldown"], ["cooldown", "cooldown"], id="short enough to say again"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_long_reason_is_said_once_and_then_named_by_its_record(whys, said):
    shown = records(*whys)
    assert [reasons(shown)[one.sequence] for one in shown] == said
