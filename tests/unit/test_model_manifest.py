import pytest

from updraft.model.manifest import Manifest, libraries, sha256

MANIFEST = Manifest(
    use_case="flights",
    family="trivial",
    features=(("delay", "number"), ("carrier", "category")),
    fingerprint="f1",
    label="late",
    threshold=0.25,
    as_of="2013-04-01",
    data="d1",
    windows={"train": ("2013-01-01",), "validation": ("2013-01-03",), "holdout": ("2013-01-05",)},
    parameters={"rounds": 10, "rate": 0.1, "fast": True, "objective": "binary"},
    seed=1,
    code_version="abc",
    libraries={"numpy": "2"},
    validation={"auc": 0.7, "rows": 100.0},
)


def test_what_is_written_reads_back_equal_with_the_same_digest():
    again = Manifest.parse(MANIFEST.dump())
    assert again == MANIFEST
    assert again.digest == MANIFEST.digest == sha256(MANIFEST.dump())
    assert [type(value) for value in again.parameters.values()] == [bool, str, float, int]


@pytest.mark.parametrize("change", [{"seed": 2}, {"fingerprint": "f2"}, {"data": "d2"}, {"threshold": 0.2500001}])
def test_any_change_changes_the_digest(change):
    assert MANIFEST.model_copy(update=change).digest != MANIFEST.digest


def test_naming_the_files_names_their_digests():
    named = MANIFEST.with_files({"a.json": b"{}"})
    assert named.files == {"a.json": sha256(b"{}")}
    assert named.digest != MANIFEST.digest


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="fields missing"),
        pytest.param(MANIFEST.dump()[:-2], id="cut short"),
        pytest.param(MANIFEST.dump().replace(b'"seed"', b'"sead"'), id="unknown field"),
        pytest.param(MANIFEST.dump().replace(b'"threshold":0.25', b'"threshold":NaN'), id="not a number"),
    ],
)
def test_anything_else_is_an_error(content):
    with pytest.raises(ValueError, match="Manifest"):
        Manifest.parse(content)


def test_an_undefined_metric_cannot_enter():
    with pytest.raises(ValueError, match="finite"):
        Manifest.model_validate(MANIFEST.model_dump() | {"validation": {"auc": float("nan")}})


def test_the_libraries_are_those_that_could_change_a_prediction():
    assert set(libraries()) == {"python", "lightgbm", "numpy", "pandas", "scikit-learn"}
