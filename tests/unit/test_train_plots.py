import struct
import sys

import numpy as np
import pandas as pd
import pytest
from tests import forged

from updraft.model import Model
from updraft.model.calibration import Calibration
from updraft.model.constant import Constant
from updraft.model.encoder import Encoder
from updraft.model.linear import Linear, Number, Scaling
from updraft.spec.model import Booster
from updraft.spec.model import Model as Settings
from updraft.train import boosted
from updraft.train.plots import plots

ENCODER = Encoder((("x", "number"),), {})
DRAFT = forged.DRAFT.model_copy(update={"features": ENCODER.features})


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(1)
    x = draw.normal(size=200)
    return pd.DataFrame({"x": x, "late": (x + draw.normal(size=200) > 0).astype(float)})


def learner(family, rows):
    if family == "lightgbm":
        few = Settings(threads=1, lightgbm=Booster(rounds=3, leaves=3, min_leaf_rows=10))
        return boosted.fit(ENCODER, ENCODER.matrix(rows), rows["late"].to_numpy(), few).learner
    return {"logistic": Linear(0.0, (Number(Scaling(0, 0, 1), 1.0, 0.0, 0.0),)), "trivial": Constant(-1.0)}[family]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lightgbm", "logistic", "trivial"])
def test_every_family_gets_four_pictures(family, rows):
    draft = DRAFT.model_copy(update={"family": family})
    model = Model.assemble(draft, ENCODER, learner(family, rows), Calibration(), rows)
    before = "matplotlib.pyplot" in sys.modules
    drawn = plots(model, rows, "late")
    assert set(drawn) == {"roc.png", "calibration.png", "scores.png", "importance.png"}
    for content in drawn.values():
        assert content.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", content[16:24])
        assert width >= 400
        assert height >= 300
    assert ("matplotlib.pyplot" in sys.modules) is before
