"""Write the card of a model from what the lake and the ledger have by now."""

import logging

from updraft import card
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import shown, train
from updraft.model import store
from updraft.partition import Partition
from updraft.spec.model import UseCase

_log = logging.getLogger(__name__)


def write(case: UseCase, at: Partition, lake: Lake, digest: str) -> dict[str, bytes]:
    """Write the card of an examined model, replacing an earlier one; return its files by name.

    :raises ModelRejected: If it does not load, or was never examined.
    """
    model = store.load(lake, case.name, digest)
    pictures = shown.pictures(case, at, lake, model)
    examined, records = train.examined(case, lake, digest), Ledger(lake, case.name).records()
    said = card.facts(case, digest, model.manifest, examined, records, pictures)
    pages = {"card.html": card.html(said, pictures), "card.md": card.markdown(said)}
    for name, content in pages.items():
        lake.put(f"{card.folder(case.name, digest)}/{name}", content)
    _log.info("model card: %s", lake.location(key(case, digest)))
    return {**pages, **pictures}


def key(case: UseCase, digest: str) -> str:
    """Where the page lies in the lake."""
    return f"{card.folder(case.name, digest)}/card.html"
