import logging
from dataclasses import replace

import numpy as np
import pytest
from tests.forged import DRAFT, FEATURES, ROWS, forge

from updraft.errors import ModelRejected, NameInvalid
from updraft.model import Model, store
from updraft.model.boosted import Boosted
from updraft.model.calibration import Calibration
from updraft.model.constant import Constant
from updraft.model.encoder import Encoder
from updraft.model.linear import Category, Linear, Number, Scaling
from updraft.model.manifest import libraries


def trees():
    import lightgbm

    draw = np.random.default_rng(0)
    matrix = np.column_stack([draw.normal(size=300), draw.integers(0, 3, 300)])
    fixed = {"objective": "binary", "num_threads": 1, "verbosity": -1, "num_leaves": 4, "seed": 1}
    data = lightgbm.Dataset(matrix, (matrix[:, 0] > 0).astype(float), feature_name=["x", "c"], params=fixed)
    return Boosted.of(lightgbm.train(fixed, data, num_boost_round=3), 1)


def assemble(learner, **facts):
    draft = DRAFT.model_copy(update={"family": learner.family, **facts})
    return Model.assemble(draft, Encoder(FEATURES, {"c": ("a",)}), learner, Calibration(0.5, -0.1), ROWS)


@pytest.fixture(scope="module")
def models():
    linear = Linear(-1.0, (Number(Scaling(0.0, 0.0, 1.0), 1.0, 0.5, 0.0), Category((1.0, 0.0, -1.0), 0.0)))
    return {learner.family: assemble(learner) for learner in (trees(), linear, Constant(-1.5))}


FAMILIES = pytest.mark.parametrize("family", ["lightgbm", "logistic", "trivial"])


@FAMILIES
def test_a_saved_model_loads_equal_and_predicts_bit_for_bit(lake, models, family):
    model = models[family]
    digest = store.save(lake, "flights", model)
    loaded = store.load(lake, "flights", digest, threads=1)
    assert loaded == model
    assert loaded.digest == digest
    assert loaded.predict(ROWS).tolist() == model.predict(ROWS).tolist()
    assert loaded.reasons(ROWS) == model.reasons(ROWS)


def test_saving_twice_changes_nothing(lake, models):
    store.save(lake, "flights", models["logistic"])
    before = {key: lake.get(key) for key in lake.keys("models")}
    store.save(lake, "flights", models["logistic"])
    assert {key: lake.get(key) for key in lake.keys("models")} == before


@pytest.mark.parametrize("written", range(5))
def test_a_save_that_was_killed_is_not_a_model_until_it_is_saved_again(lake, models, written):
    model = models["logistic"]
    for file, content in list(model.files().items())[:written]:
        lake.create(f"models/flights/{model.digest}/{file}", content)
    with pytest.raises(ModelRejected, match=r"There is no .*manifest\.json"):
        store.load(lake, "flights", model.digest)
    store.load(lake, "flights", store.save(lake, "flights", model))


def test_saving_mends_a_file_that_was_changed_and_says_so(lake, models, caplog):
    model = models["logistic"]
    lake.put(f"models/flights/{model.digest}/linear.json", b"{}")
    with caplog.at_level(logging.WARNING):
        store.load(lake, "flights", store.save(lake, "flights", model))
    assert "linear.json was not what its digest says" in caplog.text


FILES = ["encoder.json", "lightgbm.txt", "calibration.json", "golden.json", "manifest.json"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut short"),
        pytest.param(lambda content: content[:20] + bytes([content[20] ^ 1]) + content[21:], id="one bit flipped"),
        pytest.param(lambda content: b"", id="emptied"),
        pytest.param(lambda content: content + b"\n", id="appended"),
    ],
)
def test_a_damaged_file_is_never_parsed(lake, models, file, damage):
    digest = store.save(lake, "flights", models["lightgbm"])
    key = f"models/flights/{digest}/{file}"
    lake.put(key, damage(lake.get(key)))
    with pytest.raises(ModelRejected, match="it was changed or cut short"):
        store.load(lake, "flights", digest)


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_gone_is_named(lake, models, file):
    model = models["lightgbm"]
    for name, content in {**model.files(), "manifest.json": model.manifest.dump()}.items():
        if name != file:
            lake.create(f"models/flights/{model.digest}/{name}", content)
    with pytest.raises(ModelRejected, match=f"There is no .*{file}"):
        store.load(lake, "flights", model.digest)


def test_a_whole_other_model_put_in_its_place_is_refused(lake, models):
    digest = store.save(lake, "flights", models["logistic"])
    other = models["trivial"]
    for file, content in {**other.files(), "manifest.json": other.manifest.dump()}.items():
        lake.put(f"models/flights/{digest}/{file}", content)
    with pytest.raises(ModelRejected, match="it was changed"):
        store.load(lake, "flights", digest)


def test_a_model_of_another_use_case_is_refused(lake, models):
    digest = store.save(lake, "trains", models["trivial"])
    with pytest.raises(ModelRejected, match="is of 'flights'"):
        store.load(lake, "trains", digest)


@pytest.mark.parametrize("digest", ["", "latest", "../../etc", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_digest_names_a_model(lake, digest):
    with pytest.raises(ModelRejected, match="is not a model's digest"):
        store.load(lake, "flights", digest)


def test_only_a_name_names_a_use_case(lake, models):
    with pytest.raises(NameInvalid):
        store.load(lake, "../flights", "a" * 64)


@pytest.mark.parametrize(
    ("family", "said"),
    [("pickle", "not a family of models"), ("lightgbm", "has the files"), ("logistic", "has the files")],
)
def test_the_set_of_families_is_closed(lake, models, family, said):
    model = models["trivial"]
    forged = replace(model, manifest=model.manifest.model_copy(update={"family": family}))
    with pytest.raises(ModelRejected, match=said):
        store.load(lake, "flights", store.save(lake, "flights", forged))


def test_another_format_is_refused(lake, models):
    model = models["trivial"]
    newer = replace(model, manifest=model.manifest.model_copy(update={"format": 2}))
    with pytest.raises(ModelRejected, match="format 2"):
        store.load(lake, "flights", store.save(lake, "flights", newer))


@FAMILIES
def test_a_model_that_misses_its_golden_predictions_is_refused(lake, models, family):
    golden = models[family].golden
    moved = replace(golden, expected=(*golden.expected[:-1], golden.expected[-1] + 1e-6))
    digest = store.save(lake, "flights", forge(models[family], golden=moved))
    with pytest.raises(ModelRejected, match="misses its golden predictions"):
        store.load(lake, "flights", digest)


def test_other_library_versions_are_named_with_the_miss_and_tolerated_without(lake, caplog):
    model = assemble(Constant(-1.5), libraries={**libraries(), "lightgbm": "3.0"})
    with caplog.at_level(logging.WARNING):
        store.load(lake, "flights", store.save(lake, "flights", model))
    assert "lightgbm 3.0 is now" in caplog.text
    broken = forge(model, golden=replace(model.golden, expected=(0.9,) * len(model.golden.expected)))
    with pytest.raises(ModelRejected, match=r"lightgbm 3\.0 is now"):
        store.load(lake, "flights", store.save(lake, "flights", broken))


@pytest.mark.parametrize(
    ("family", "parts", "said"),
    [
        pytest.param("logistic", {"encoder": Encoder((("x", "number"),), {})}, "other features", id="encoder"),
        pytest.param("lightgbm", {"learner": Boosted("tree\nnonsense\n")}, "golden rows", id="unreadable trees"),
        pytest.param(
            "logistic",
            {"learner": Linear(0.0, (Number(Scaling(0.0, 0.0, 1.0), 1.0, 0.5, 0.0), Category((0.0,), 0.0)))},
            "golden rows",
            id="too few weights",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(lake, models, family, parts, said):
    digest = store.save(lake, "flights", forge(models[family], **parts))
    with pytest.raises(ModelRejected, match=said):
        store.load(lake, "flights", digest)
