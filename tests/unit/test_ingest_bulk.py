"""Deliveries larger than memory is to hold end in the same rows as small ones, by the same ways."""

import pyarrow.compute as pc
import pytest
from tests.unit.test_ingest import DAY, case, drop, stage

from updraft import ingest
from updraft.contract import keys, rows, tally
from updraft.errors import DeliveryBlocked
from updraft.ingest import bulk
from updraft.ingest.account import account
from updraft.ingest.feed import Feed
from updraft.ingest.replay import replay

pytestmark = pytest.mark.slow
assert keys, (rows, tally)
