import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mlflow import MlflowClient
from tests.gating import AT, LATER, conclude, examine, train_again

from updraft import tracking
from updraft.errors import ModelRejected
from updraft.lake import Lake
from updraft.ledger import Ledger
from updraft.life import card, promotion, shown, train
from updraft.model import store
from updraft.partition import calendar
from updraft.registry import Registry

pytestmark = pytest.mark.slow  # trains models and talks to a real MLflow


def test_a_card_is_written_for_the_question_and_again_with_the_answer(trained):
    case, lake, at = trained.case, trained.lake, calendar(trained.case).at(AT)
    made = Ledger(lake, "parcels").records()[0].facts
    with pytest.raises(ModelRejected, match="has not been through the gates"):
        card.write(case, at, lake, made["candidate"])
    said = promotion.examine(case, at, lake, made, who="test")
    assert said["report"] == card.key(case, made["candidate"])
    assert b"not decided yet" in lake.get(said["report"])
    promotion.conclude(case, at, lake, trained.registry, made["candidate"], who="test")
    page = lake.get(said["report"])
    assert b"not decided yet" not in page
    assert b"champion" in page
    folder = said["report"].rpartition("/")[0]
    kept = {key.rpartition("/")[2] for key in lake.keys(folder)}
    assert {"card.html", "card.md", "calibration.png", "value.png"} <= kept
    client = MlflowClient(trained.registry.tracking_uri, trained.registry.tracking_uri)
    (run,) = client.search_runs([client.get_experiment_by_name("parcels").experiment_id])
    shown = {found.path for found in client.list_artifacts(run.info.run_id, "card")}
    assert shown == {f"card/{name}" for name in kept}


def test_labels_are_read_once_for_gates_pictures_and_card(trained):
    """Read again for the pictures, a long history would be held a second time."""
    case, at, lake = trained.case, calendar(trained.case).at(AT), Counting(trained.lake.uri)
    made = Ledger(lake, "parcels").records()[0].facts
    promotion.examine(case, at, lake, made, who="test")
    promotion.conclude(case, at, lake, trained.registry, made["candidate"], who="test")
    assert lake.tables.count("labels/parcels") == 1
    drawn = {key: lake.get(key) for key in lake.keys("cards/parcels") if key.endswith(".png")}
    model = store.load(lake, "parcels", made["candidate"])
    again = shown.draw(case, lake, model, train.held_out(case, at, lake, model))
    assert {key.rpartition("/")[2]: png for key, png in drawn.items()} == again


@dataclass(frozen=True)
class Counting(Lake):
    """A lake that remembers which tables whole rows were read from."""

    tables: list[str] = field(default_factory=list)

    def read(self, table, partitions=None, columns=None):
        if columns is None or "late" in columns:
            self.tables.append(table)
        return super().read(table, partitions, columns)


def standing(world, digest):
    """What the Markdown cards of a model say of it, in the lake and in MLflow."""
    client = MlflowClient(world.registry.tracking_uri, world.registry.tracking_uri)
    run = tracking.find(client, "parcels", digest)
    inside = Path(client.download_artifacts(run.info.run_id, "card/card.md")).read_text() if run else None
    pages = [world.lake.get(card.key(world.case, digest).replace(".html", ".md")).decode(), inside]
    return [page and re.findall(r"Standing: \*\*(.*?)\*\*", page)[0] for page in pages]


def test_the_cards_of_models_that_a_later_decision_moved_say_so(promoted):
    old = Ledger(promoted.lake, "parcels").state().champion
    new = train_again(promoted, LATER, families=("logistic",))
    examine(promoted, new, LATER)
    conclude(promoted, new["candidate"], LATER)
    assert [standing(promoted, each) for each in (old, new["candidate"])] == [
        ["earlier champion"] * 2,
        ["champion"] * 2,
    ]
    how = {"who": "test", "why": "it went wrong"}
    promotion.roll_back(promoted.case, promoted.lake, promoted.registry, **how)
    assert [standing(promoted, each) for each in (old, new["candidate"])] == [["champion"] * 2, ["rolled back"] * 2]
    assert b"it went wrong" in promoted.lake.get(card.key(promoted.case, new["candidate"]))
    promotion.retire(promoted.case, promoted.lake, promoted.registry, new["candidate"], **how)
    assert standing(promoted, new["candidate"]) == ["retired"] * 2


def test_a_card_that_cannot_be_written_again_stands_in_no_decision_s_way(promoted, caplog):
    old, lost = Ledger(promoted.lake, "parcels").state().champion, Registry("http://127.0.0.1:9", "/nowhere")
    card.renew(promoted.case, promoted.lake, lost, ["f" * 64])
    assert not caplog.records, "a model without a card gets none"
    promoted.lake.put(f"models/parcels/{old}/manifest.json", b"{}")
    card.renew(promoted.case, promoted.lake, lost, [old])
    assert "does not say yet where it stands" in caplog.text


def test_a_model_mlflow_does_not_know_gets_nothing_attached(trained):
    assert trained.registry.attach("parcels", "f" * 64, {"card/card.md": b""}) is False
