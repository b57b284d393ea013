"""Save and load models; a digest is checked before anything is parsed.

A model lies below `models/<use case>/<digest>/`. Its digest is that of `manifest.json`, which names the digest of every
other file, so whoever knows the digest (the ledger does) cannot be handed another model.
"""

import logging
import re
from collections.abc import Callable

import numpy as np

from updraft.errors import ModelRejected
from updraft.lake import Lake
from updraft.model.as_is import AsIs
from updraft.model.boosted import Boosted
from updraft.model.calibration import Calibration
from updraft.model.constant import Constant
from updraft.model.encoder import Encoder
from updraft.model.golden import Golden
from updraft.model.learner import Learner
from updraft.model.linear import Linear, Multinomial, Ridge
from updraft.model.manifest import FORMAT, Manifest, libraries, sha256
from updraft.model.model import Calibrated, Model
from updraft.model.softmax import Softmax
from updraft.spec.names import name

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_Parse = Callable[[bytes, int], Learner]
_ANY: dict[str, tuple[str, _Parse]] = {
    Boosted.family: (Boosted.file, Boosted.parse),
    Constant.family: (Constant.file, lambda content, _: Constant.parse(content)),
}
_LEARNERS: dict[str, dict[str, tuple[str, _Parse]]] = {
    "binary": {**_ANY, Linear.family: (Linear.file, lambda content, _: Linear.parse(content))},
    "multiclass": {**_ANY, Multinomial.family: (Multinomial.file, lambda content, _: Multinomial.parse(content))},
    "regression": {**_ANY, Ridge.family: (Ridge.file, lambda content, _: Ridge.parse(content))},
}
_CALIBRATIONS: dict[str, Callable[[bytes], Calibrated]] = {
    "binary": Calibration.parse,
    "multiclass": Softmax.parse,
    "regression": AsIs.parse,
}
_NEXT = "train again, or roll back to a model that loads; if nobody deployed anything, find out who wrote to the lake."


def save(lake: Lake, use_case: str, model: Model) -> str:
    """Store a model, its manifest last, and return its digest.

    Saving again changes nothing, and mends a file that is not what its digest says.
    """
    folder = _folder(use_case, model.digest)
    for file, content in {**model.files(), MANIFEST: model.manifest.dump()}.items():
        key = f"{folder}/{file}"
        if not lake.create(key, content) and lake.get(key) != content:
            log.warning("%s was not what its digest says; it is written again", key)
            lake.put(key, content)
    return model.digest


def load(lake: Lake, use_case: str, digest: str, *, threads: int = 1) -> Model:
    """Load a model by its digest.

    :param threads: Threads of its predictions.
    :raises ModelRejected: If there is none, a file is not what its digest says, the files do not fit together, or the
        golden predictions come out differently.
    """
    said = manifest(lake, use_case, digest)
    files = {file: _read(lake, use_case, digest, file, said.files[file]) for file in _expected(said)}
    model = _parse(said, files, threads)
    _check_golden(model)
    return model


def manifest(lake: Lake, use_case: str, digest: str) -> Manifest:
    """What a model says of itself, without its files.

    :raises ModelRejected: If there is none, or it is not what the digest says.
    """
    if not _DIGEST.match(digest):
        raise _rejected(f"{digest[:80]!r} is not a model's digest, which is 64 hexadecimal digits.")
    content = _read(lake, use_case, digest, MANIFEST, digest)
    try:
        said = Manifest.parse(content)
    except ValueError as fault:
        raise _rejected(f"The manifest of model {digest[:12]} cannot be read: {str(fault)[:300]}.") from fault
    if said.use_case != use_case or said.format != FORMAT:
        raise _rejected(f"Model {digest[:12]} is of {said.use_case!r} in format {said.format}.")
    return said


def _folder(use_case: str, digest: str) -> str:
    return f"models/{name(use_case)}/{digest}"


def _expected(manifest: Manifest) -> set[str]:
    if manifest.kind not in _LEARNERS:
        raise _rejected(f"{manifest.kind[:40]!r} is not a kind of problem; known: {', '.join(sorted(_LEARNERS))}.")
    families = _LEARNERS[manifest.kind]
    if manifest.family not in families:
        raise _rejected(f"{manifest.family[:40]!r} is not a family of models; known: {', '.join(sorted(families))}.")
    expected = {"encoder.json", "calibration.json", "golden.json", families[manifest.family][0]}
    if set(manifest.files) != expected:
        raise _rejected(f"A {manifest.family} model has the files {sorted(expected)}, not {sorted(manifest.files)}.")
    return expected


def _read(lake: Lake, use_case: str, digest: str, file: str, expected: str) -> bytes:
    key = f"{_folder(use_case, digest)}/{file}"
    try:
        content = lake.get(key)
    except FileNotFoundError as fault:
        raise _rejected(f"There is no {lake.location(key)}.") from fault
    if sha256(content) != expected:
        raise _rejected(f"{key} has digest {sha256(content)[:12]}, not {expected[:12]}: it was changed or cut short.")
    return content


def _parse(manifest: Manifest, files: dict[str, bytes], threads: int) -> Model:
    file, parse = _LEARNERS[manifest.kind][manifest.family]
    try:
        model = Model(
            manifest=manifest,
            encoder=Encoder.parse(files["encoder.json"]),
            learner=parse(files[file], threads),
            calibration=_CALIBRATIONS[manifest.kind](files["calibration.json"]),
            golden=Golden.parse(files["golden.json"]),
        )
    except (ValueError, TypeError, KeyError) as fault:
        raise _rejected(f"The files of model {manifest.digest[:12]} cannot be read: {fault!r:.300}.") from fault
    if model.encoder.features != manifest.features:
        raise _rejected(f"The encoder of model {manifest.digest[:12]} has other features than its manifest.")
    if np.shape(model.golden.expected)[1:] != ((len(manifest.classes),) if manifest.kind == "multiclass" else ()):
        raise _rejected(f"Model {manifest.digest[:12]} has golden predictions of other classes than its manifest.")
    return model


def _check_golden(model: Model) -> None:
    try:
        worst = model.golden.worst(model.encoder.features, model.predict)
    except (ValueError, IndexError, KeyError) as fault:
        raise _rejected(f"Model {model.digest[:12]} fails on its own golden rows: {fault!r:.300}.") from fault
    now = libraries()
    changed = [
        f"{lib} {was} is now {now.get(lib)}" for lib, was in model.manifest.libraries.items() if now.get(lib) != was
    ]
    if worst > 1:
        raise _rejected(
            f"Model {model.digest[:12]} misses its golden predictions by {worst:.3g} times the tolerance"
            f" ({'; '.join(changed) or 'with the library versions it was trained with'})."
        )
    if changed:
        log.warning("model %s gives its golden predictions, though %s", model.digest[:12], "; ".join(changed))


def _rejected(what: str) -> ModelRejected:
    return ModelRejected(what, next_step=_NEXT)
