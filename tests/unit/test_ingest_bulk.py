"""Deliveries larger than memory is to hold end in the same rows as small ones, by the same ways."""

import pytest

from updraft.contract import keys, rows, tally

pytestmark = pytest.mark.slow
assert keys, (rows, tally)
