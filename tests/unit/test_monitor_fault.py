"""How long a fault of the feed counts."""

import pytest

from updraft.monitor.fault import standing
from updraft.monitor.table import Measurement
from updraft.simulation.study import use_case


def look(sign: str) -> list[Measurement]:
    """`x` is a look that found values missing, `.` one that did not."""
    return [Measurement("p", "missing_psi", "weight", 0.5, 700, "drifted" if sign == "x" else "ok", "1 % -> 70 %")]


@pytest.mark.parametrize(
    ("looks", "lag", "stands"),
    [
        pytest.param("..x", 4, True, id="found just now"),
        pytest.param("x........", 4, True, id="its rows are among those whose labels came last, or were a while ago"),
        pytest.param("x.........", 4, False, id="no alarm that counts has seen its rows"),
        pytest.param("x.....", 0, False, id="labels that come at once are soon over it"),
        pytest.param(".....", 4, False, id="nothing was found"),
        pytest.param("", 4, False, id="nothing was looked at"),
    ],
)
def test_a_fault_stands_until_its_rows_have_left_every_look_that_counts(looks: str, lag: int, stands: bool) -> None:
    assert use_case().monitor.of == 5
    assert (standing([look(sign) for sign in looks], use_case(), lag=lag) is not None) == stands
