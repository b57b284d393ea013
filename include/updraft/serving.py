"""A model as MLflow serves it: for `mlflow models serve` and the like; Updraft itself never loads through this.

What MLflow keeps is the model's own files below a name that says their digest, and a file that names this module as
their loader. No code and no pickle lies beside them: they are loaded as ever, digests and golden predictions first. So
it serves where Updraft is installed, and gives the very probabilities Updraft gives.
"""

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from updraft.errors import ModelRejected
from updraft.lake import Lake
from updraft.model import store
from updraft.model.golden import as_frame
from updraft.model.model import Model
from updraft.tracking import configure

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature
    from numpy.typing import NDArray

# Not Updraft itself: a package index may hold a stranger of that name.
_REQUIRED = ("lightgbm", "numpy", "obstore", "pandas", "pyarrow", "pydantic", "scikit-learn", "tenacity")
_TYPES = {"number": "double", "category": "string"}  # whole numbers too: MLflow refuses an integer that is missing


class Served:
    """What MLflow asks for predictions."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def predict(self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None) -> "NDArray[Any]":
        """Give the calibrated prediction of each row."""
        return self._model.predict(model_input)


def files(use_case: str, model: Model) -> dict[str, bytes]:
    """Everything MLflow needs, by file name: the model, its signature, an input example, and what to install."""
    configure()
    import mlflow.pyfunc

    with TemporaryDirectory() as folder:
        data, made = Path(folder) / "lake", Path(folder) / "made"
        store.save(Lake(str(data)), use_case, model)
        mlflow.pyfunc.save_model(
            made,
            loader_module=__name__,
            data_path=str(data),
            signature=_signature(model),
            input_example=example(model),
            pip_requirements=[f"{name}=={version(name)}" for name in _REQUIRED],
        )
        return {str(file.relative_to(made)): file.read_bytes() for file in sorted(made.rglob("*")) if file.is_file()}


def example(model: Model) -> "pd.DataFrame":
    """Rows whose predictions are known: the golden ones."""
    return as_frame(model.golden.rows, model.encoder.features)


def _signature(model: Model) -> "ModelSignature":
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import ColSpec, DataType, Schema

    columns: Any = [ColSpec(DataType[_TYPES[kind]], name) for name, kind in model.manifest.features]
    outputs = infer_signature(model_output=model.predict(example(model))).outputs
    return ModelSignature(inputs=Schema(columns), outputs=outputs)


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> Served:
    """Load as MLflow asks for it, by the digest the folder is named by.

    :raises ModelRejected: If there is not one model, or its files are not those of the digest.
    """
    lake = Lake(path)
    found = {tuple(key.split("/")[1:3]) for key in lake.keys("models")}
    if len(found) != 1:
        raise ModelRejected(f"{len(found)} models lie below {path}, not one.", next_step="log its training again.")
    ((use_case, digest),) = found
    return Served(store.load(lake, use_case, digest))
