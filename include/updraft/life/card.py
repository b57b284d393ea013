"""Write the card of a model from what the lake and the ledger have by now."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from updraft import card
from updraft.errors import UpdraftError
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import shown, train
from updraft.model import store
from updraft.model.manifest import Manifest
from updraft.partition import Partition
from updraft.spec.model import UseCase

if TYPE_CHECKING:
    from updraft.registry import Registry

_log = logging.getLogger(__name__)


def write(case: UseCase, at: Partition, lake: Lake, digest: str) -> dict[str, bytes]:
    """Write the card of an examined model, replacing an earlier one; return its files by name.

    :raises ModelRejected: If it does not load, or was never examined.
    """
    model = store.load(lake, case.name, digest)
    pictures = shown.pictures(case, at, lake, model)
    return {**_written(case, lake, digest, model.manifest, pictures), **pictures}


def renew(case: UseCase, lake: Lake, registry: "Registry", models: Iterable[str]) -> None:
    """Write cards again, in the lake and in the registry, of models that stand elsewhere now.

    What was decided holds without them, so a card that cannot be written is left as it is, with a warning.
    """
    for digest in models:
        found = {file.rpartition("/")[2]: file for file in lake.keys(card.folder(case.name, digest))}
        if "card.html" not in found:
            continue
        try:
            pictures = {name: lake.get(file) for name, file in found.items() if name.endswith(".png")}
            pages = _written(case, lake, digest, store.manifest(lake, case.name, digest), pictures)
            registry.attach(case.name, digest, {f"card/{name}": content for name, content in pages.items()})
        except UpdraftError as fault:
            _log.warning("the card of model %s does not say yet where it stands: %s", digest[:12], fault)


def _written(
    case: UseCase, lake: Lake, digest: str, manifest: Manifest, pictures: Mapping[str, bytes]
) -> dict[str, bytes]:
    examined, records = train.examined(case, lake, digest), Ledger(lake, case.name).records()
    said = card.facts(case, digest, manifest, examined, records, pictures)
    pages = {"card.html": card.html(said, pictures), "card.md": card.markdown(said)}
    for name, content in pages.items():
        lake.put(f"{card.folder(case.name, digest)}/{name}", content)
    _log.info("model card: %s", lake.location(key(case, digest)))
    return pages


def key(case: UseCase, digest: str) -> str:
    """Where the page lies in the lake."""
    return f"{card.folder(case.name, digest)}/card.html"
