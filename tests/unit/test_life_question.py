"""What a person is shown before they say yes."""

import pytest

from updraft.errors import ModelRejected
from updraft.ledger import Ledger
from updraft.life.question import question

pytestmark = pytest.mark.slow


def test_the_question_shows_the_essentials_and_what_the_answer_counts_for(world):
    gated = Ledger(world.lake, "parcels").records()[1]
    asked = question(world.case, world.lake, gated.model, gated.sequence)
    for essential in (
        "**Tell the customer the day before that a parcel will be late.**", "Family **logistic**",
        "| train | 2024-01-01 |", "| holdout | 2024-01-12 | 2024-01-15 | 4 |", "| auc | 0.8", "| value | ",
        "| baselines | PASS | better than trivial", "Champion it was compared with: none yet",
        f"model `{gated.model}` and record 2 of the ledger alone",
    ):  # fmt: skip
        assert essential in asked, asked
    assert len(asked) < 6000


@pytest.mark.parametrize(("model", "sequence"), [("f" * 64, 2), (None, 1), (None, 9), (None, 0)])
def test_nobody_is_asked_about_what_was_not_examined(world, model, sequence):
    model = model or Ledger(world.lake, "parcels").records()[1].model
    with pytest.raises(ModelRejected, match="is no examination of model"):
        question(world.case, world.lake, model, sequence)
