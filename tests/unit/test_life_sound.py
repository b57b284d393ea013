"""A training after a broken feed: what was broken is left out until it is repaired, and does not bend the model."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from updraft import dataset, features
from updraft.errors import TrainingRefused
from updraft.evidence.metrics import METRICS
from updraft.ledger import Ledger
from updraft.life import card, promotion, train
from updraft.model import store
from updraft.partition import calendar

pytestmark = pytest.mark.slow  # trains models

AT, LATER = "2024-02-06", ["2024-02-06", "2024-02-07", "2024-02-08"]
BROKEN = ["2024-01-22", "2024-01-23", "2024-01-24"]
WHO = {"who": "test"}


@pytest.fixture(scope="module")
def _lasting(_champion, tmp_path_factory):
    """Two weeks after a first champion, with all features built."""
    world = _champion.copy(tmp_path_factory.mktemp("lasting"))
    features.build(world.case, calendar(world.case).keys("2024-01-19", LATER[-1]), world.lake)
    return world


@pytest.fixture
def lasting(_lasting, tmp_path):
    return _lasting.copy(tmp_path)


def spec(world, **said):
    settings = {"families": ("logistic",), "history": timedelta(days=15), **said}
    return world.case.model_copy(update={"model": world.case.model.model_copy(update=settings)})


def fitted(world, **said):
    case = spec(world, **said)
    made = train.fit(case, calendar(case).at(AT), world.lake, code_version="test", **WHO)
    return made, store.load(world.lake, case.name, made.candidate)


def break_feed(world, keys=BROKEN):
    """Weights are gone one day, come in grams the next, and are stuck on the third."""
    for n, key in enumerate(keys):
        stored = world.lake.read("features/parcels", [key])
        weight = stored["weight"]
        wrong = [pa.nulls(len(stored), pa.float64()), pc.multiply(weight, 1000.0), pa.array([-40.0] * len(stored))]
        place = stored.schema.get_field_index("weight")
        world.lake.replace("features/parcels", stored.set_column(place, "weight", wrong[n % 3]), [key])


def auc(world, model):
    dataset.mature_labels(world.case, LATER, world.lake)
    rows = dataset.joined(world.case, world.lake, LATER).dropna(subset="late")
    return METRICS["auc"](rows["late"].to_numpy(float), model.predict(rows))


def learnt(model):
    return {key for keys in model.manifest.windows.values() for key in keys}


def test_a_training_leaves_out_what_is_broken_and_is_as_good_as_one_that_never_saw_it(lasting):
    sound, whole = fitted(lasting)
    break_feed(lasting)
    made, model = fitted(lasting)
    _, bent = fitted(lasting, faulty="keep")
    assert not learnt(model) & set(BROKEN)
    assert set(BROKEN) < learnt(whole)
    assert made.partitions == sound.partitions - 3
    assert auc(lasting, model) > auc(lasting, whole) - 0.02 > 0.7
    assert auc(lasting, bent) < auc(lasting, whole) - 0.1, "the fault matters, or nothing is shown"


def test_the_model_is_that_of_a_history_without_the_broken_partitions(lasting):
    break_feed(lasting)
    _, model = fitted(lasting)
    for key in BROKEN:
        lasting.lake.replace("features/parcels", lasting.lake.read("features/parcels", [key])[:0], [key])
    case = spec(lasting)
    data = dataset.mature(case, lasting.lake, calendar(case).at(AT))
    other = train.train(case, data, code_version="test").model
    assert not set(data.rows["partition"]) & set(BROKEN)
    assert (model.files(), model.manifest.data) == (other.files(), other.manifest.data)


def test_manifest_ledger_and_card_say_which_and_why(lasting):
    break_feed(lasting)
    made, model = fitted(lasting)
    (note,) = [said for said in model.manifest.notes if said.startswith("partitions left out")]
    for said in (
        "2024-01-22 (weight: 100% of the values are missing",
        "2024-01-23 (weight: a jump that fits a change of unit such as x 1000",
        "2024-01-24 (weight: all 58 values are '-40.0'",
    ):
        assert said in note
    record = next(r for r in reversed(Ledger(lasting.lake, "parcels").state().records) if r.kind == "trained")
    assert note in record.facts["notes"]
    case, at = spec(lasting), calendar(lasting.case).at(AT)
    promotion.examine(case, at, lasting.lake, {"candidate": made.candidate, "baselines": made.baselines}, **WHO)
    assert (
        "weight: 100% of the values are missing"
        in card.write(case, at, lasting.lake, made.candidate)["card.html"].decode()
    )
    told = train.prepare(case, at, lasting.lake)
    assert [said[:10] for said in told["faulty"]] == BROKEN
    assert told["partitions"] == made.partitions


def test_partitions_that_were_repaired_and_rebuilt_are_learnt_again(lasting):
    before, _ = fitted(lasting)
    break_feed(lasting)
    assert fitted(lasting)[0].candidate != before.candidate
    features.build(lasting.case, BROKEN, lasting.lake)
    assert fitted(lasting)[0].candidate == before.candidate


def test_after_another_definition_of_the_features_nothing_is_known_to_be_broken(lasting, tmp_path):
    break_feed(lasting)
    ledger = Ledger(lasting.lake, "parcels")
    other = next(r for r in ledger.records() if r.kind == "trained")
    facts = {**other.facts, "features": "another"}
    ledger.append("trained", why="by hand", **WHO, partition="2024-01-18", model=other.model, facts=facts)
    assert set(BROKEN) < learnt(fitted(lasting)[1])


def test_without_a_reference_nothing_is_known_to_be_broken(lasting, caplog):
    break_feed(lasting)
    champion = Ledger(lasting.lake, "parcels").state().champion
    lasting.lake.put(train.profile_key(lasting.case, champion), b"{}")
    assert set(BROKEN) < learnt(fitted(lasting)[1])
    assert "no partition is left out as broken" in caplog.text


def test_a_training_with_too_little_left_is_refused_and_says_what_was_left_out(lasting):
    break_feed(lasting, calendar(lasting.case).keys("2024-01-22", "2024-02-02"))
    with pytest.raises(TrainingRefused, match="mature partitions with labels"):
        fitted(lasting)
    record = list(Ledger(lasting.lake, "parcels").records())[-1]
    assert record.kind == "refused"
    assert record.facts["notes"][0].startswith("partitions left out because the feed looks broken in them: 2024-01-2")
