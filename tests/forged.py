"""What a model is put together from, and models that are put together wrongly."""

from dataclasses import replace

import numpy as np
import pandas as pd

from updraft.model.manifest import Manifest, libraries

FEATURES = (("x", "number"), ("c", "category"))
ROWS = pd.DataFrame({"x": [0.0, 1.0, np.nan], "c": pd.Series(["a", "b", None], dtype=object)})
DRAFT = Manifest(
    use_case="flights",
    family="trivial",
    features=FEATURES,
    fingerprint="f1",
    label="late",
    threshold=0.25,
    as_of="2013-04-01",
    data="d1",
    windows={},
    parameters={},
    seed=1,
    code_version="abc",
    libraries=libraries(),
    validation={},
)


def forge(model, **parts):
    """A model whose digests all match, though its parts do not fit together."""
    forged = replace(model, **parts)
    return replace(forged, manifest=forged.manifest.with_files(forged.files()))
