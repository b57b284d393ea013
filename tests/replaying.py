"""Deliveries that a strict contract holds and a loose one would publish, replayed or discarded."""

import pytest
from tests.deliveries import DAY, case, stage

from updraft.errors import DeliveryBlocked
from updraft.ingest.account import account
from updraft.ingest.replay import discard, replay

STRICT, LOOSE = case(top=15), case()
WHO = "test"


def accounts(lake, of=LOOSE, days=(DAY,)):
    found = account(of, "flights", list(days), lake)
    assert all(one.adds_up for one in found)
    return [(one.outcome, one.published, one.held, one.discarded, one.superseded) for one in found]


def again(lake, of=LOOSE, days=(DAY,)):
    return replay(of, "flights", list(days), lake, who=WHO)


def drop_held(lake, of=STRICT, days=(DAY,), **how):
    return discard(of, "flights", list(days), lake, who=WHO, why="sensor test", **how)


def blocked(lake, inbox, of, days=(DAY,)):
    with pytest.raises(DeliveryBlocked):
        stage(lake, inbox, days, of=of)
