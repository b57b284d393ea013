import math

import pytest

from updraft.model import canonical


def test_equal_values_have_equal_bytes_whatever_their_order():
    assert canonical.dump({"a": 1, "b": [2.5, None]}) == canonical.dump({"b": [2.5, None], "a": 1})


@pytest.mark.parametrize("value", [0.1, 1e-300, 5e-324, 1.7976931348623157e308, -0.0, 1 / 3])
def test_floats_come_back_as_they_were(value):
    found = canonical.parse(canonical.dump(value))
    assert found == value
    assert math.copysign(1, found) == math.copysign(1, value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_json_has_no_word_for_is_refused(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical.dump({"x": value})
