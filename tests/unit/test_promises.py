"""Each promise can be broken, and then says so; on a sound lake all of them are silent."""

import json
import threading
import time

import pyarrow as pa
import pytest
from tests import promises

from updraft.errors import DeliveryMissing, FeaturesInvalid
from updraft.ledger import Ledger
from updraft.life import train

pytestmark = pytest.mark.slow  # lives a short life first

DAY = "2024-01-18"
TABLES = {
    "raw": "raw/parcels/arrivals",
    "features": "features/parcels",
    "labels": "labels/parcels",
    "scores": "scores/parcels",
    "monitor": "monitor/parcels",
}


def spoil(lake, table, change, key=DAY):
    """Write a partition of a table as `change` makes it."""
    lake.replace(table, change(lake.read(table, [key])), [key])


def set_column(name, value):
    """Change the first row's value of a column."""

    def change(rows):
        place = rows.schema.get_field_index(name)
        new = pa.array([value, *rows[name].to_pylist()[1:]], rows.schema.field(name).type)
        return rows.set_column(place, rows.schema.field(name), new)

    return change


def without_first(rows):
    return rows.slice(1)


def first_doubled(rows):
    return pa.concat_tables([rows, rows.slice(0, 1)])


def append(world, kind, **more):
    return Ledger(world.lake, "parcels").append(kind, **{"why": "by hand", "who": "test", "partition": DAY, **more})


@pytest.fixture
def champion(observed):
    return Ledger(observed.lake, "parcels").state().champion


@pytest.fixture
def other(observed):
    (trained,) = [r for r in Ledger(observed.lake, "parcels").records() if r.kind == "trained"]
    return trained.facts["baselines"]["lightgbm"]


def test_a_sound_world_keeps_all_six(observed):
    attempts = [promises.attempt("nothing", 5, lambda: None)]
    before = promises.acknowledged(observed.lake, observed.case)
    assert sum(len(rows) for rows in before.rows.values()) > 2000
    assert len(before.decisions) == 3
    assert promises.broken(observed.lake, observed.case, before=before, attempts=attempts) == []


def test_a_champion_that_mlflow_shows_keeps_all_six(promoted):
    assert promises.broken(promoted.lake, promoted.case, registry=promoted.registry) == []


def test_a_lake_nobody_wrote_to_keeps_all_six(lake, case):
    assert promises.broken(lake, case) == []


def test_an_ingested_lake_keeps_all_six(ingested, parcels_case):
    before = promises.acknowledged(ingested, parcels_case)
    assert sum(before.rows["quarantine/parcels/parcels"].values()) > 0
    assert promises.broken(ingested, parcels_case, before=before) == []


# ---- I1: no acknowledged row is lost ------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["raw", "features", "labels", "scores", "monitor"])
def test_i1_names_the_table_an_acknowledged_row_is_gone_from(observed, table):
    key = "2024-01-12" if table == "labels" else DAY
    before = promises.acknowledged(observed.lake, observed.case)
    spoil(observed.lake, TABLES[table], without_first, key)
    (found,) = promises.no_acknowledged_row_is_lost(observed.lake, observed.case, before)
    assert found.startswith(f"1 acknowledged rows of {TABLES[table]} are gone, such as ('{key}'")


def test_i1_names_decisions_that_are_gone_or_were_rewritten(observed, tmp_path):
    before = promises.acknowledged(observed.lake, observed.case)
    for file in (tmp_path / "lake" / "ledger" / "parcels").iterdir():
        if file.name in ("head", "00000003.json"):
            file.unlink()
    append(observed, "rejected", model="a" * 64)
    (found,) = promises.no_acknowledged_row_is_lost(observed.lake, observed.case, before)
    assert found == "the ledger no longer begins with the 3 acknowledged decisions"


def test_i1_counts_the_rows_of_every_published_delivery(ingested, parcels_case):
    spoil(ingested, "raw/parcels/parcels", lambda rows: rows.slice(2), "2024-01-02")
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.startswith("of 60 rows of parcels for 2024-01-02/")
    assert found.endswith("58 are published and 0 in quarantine")


def test_i1_counts_the_rows_in_quarantine(ingested, parcels_case):
    spoil(ingested, "quarantine/parcels/parcels", lambda rows: rows.slice(0, 0), "2024-01-01")
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.endswith("and 0 in quarantine")


def test_i1_misses_the_bytes_of_a_delivery(ingested, parcels_case, tmp_path):
    next((tmp_path / "ingested" / "staging" / "parcels" / "arrivals" / "2024-01-03").iterdir()).unlink()
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.startswith("the bytes of arrivals for 2024-01-03/")


def test_i1_misses_the_verdict_on_a_published_delivery(ingested, parcels_case, tmp_path):
    next((tmp_path / "ingested" / "verdicts" / "parcels" / "arrivals" / "2024-01-03").iterdir()).unlink()
    (found,) = promises.no_acknowledged_row_is_lost(ingested, parcels_case, promises.Acknowledged())
    assert found.endswith("was published without a verdict")


# ---- I2: no row counts twice --------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["raw", "features", "labels", "scores", "monitor"])
def test_i2_names_the_table_a_row_stands_in_twice(observed, table):
    key = "2024-01-12" if table == "labels" else DAY
    spoil(observed.lake, TABLES[table], first_doubled, key)
    (found,) = promises.no_row_counts_twice(observed.lake, observed.case)
    assert found.startswith(f"1 rows of {TABLES[table]} stand there more than once, such as ('{key}'")


def test_i2_names_what_was_decided_twice(observed, champion):
    for kind in ("promoted", "promoted", "decided", "decided"):
        append(observed, kind, model=champion, partition="2024-01-17")
    assert promises.no_row_counts_twice(observed.lake, observed.case) == [
        f"model {champion[:12]} was promoted 2 times at 2024-01-17",
        "the same was decided 2 times at 2024-01-17",
    ]


# ---- I3: no reader sees a half-published version ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("features", set_column("fingerprint", "x"), "features/parcels of 2024-01-18 is of 2 moments or definitions"),
        ("features", without_first, "the 60 scores of 2024-01-18 are not those of its 59 feature rows"),
        ("scores", without_first, "the 59 scores of 2024-01-18 are not those of its 60 feature rows"),
        ("scores", set_column("model", "x"), "the scores of 2024-01-18 are of more than one model"),
        ("scores", set_column("data", "x"), "the scores of 2024-01-18 are of more than one data"),
        (
            "monitor",
            lambda rows: rows.slice(0, 1),
            "the measurements of 2024-01-18 lack important_drift, score_distance/decision_rate, scored",
        ),
    ],
)
def test_i3_names_a_partition_that_is_half_of_one_thing(observed, table, change, said):
    spoil(observed.lake, TABLES[table], change)
    assert said in promises.no_reader_sees_half_a_version(observed.lake, observed.case)


@pytest.mark.parametrize("table", ["features", "labels"])
def test_i3_names_a_partition_computed_at_another_moment(observed, table):
    def an_hour_later(rows):
        place = rows.schema.get_field_index("as_of")
        return rows.set_column(place, rows.schema.field("as_of"), pa.compute.add(rows["as_of"], hour))

    hour = pa.scalar(3600 * 10**6, pa.duration("us"))
    spoil(observed.lake, TABLES[table], an_hour_later, "2024-01-12")
    (found,) = promises.no_reader_sees_half_a_version(observed.lake, observed.case)
    assert found.startswith(f"{TABLES[table]} of 2024-01-12 was computed as of")


# ---- I4: exactly one champion, loadable, that passed its gates ----------------------------------------------------


def examined(world, model, outcome, against):
    return append(world, "gated", model=model, facts={"outcome": outcome, "champion": against})


def test_i4_is_silent_without_a_champion_and_after_a_fair_promotion(observed, champion, other):
    gated = examined(observed, other, "PASS", champion)
    append(observed, "promoted", model=other, facts={"gated": gated.sequence})
    for key in (train.evidence_key(observed.case, other), train.profile_key(observed.case, other)):
        observed.lake.put(key, b"{}")
    assert promises.there_is_one_champion(observed.lake, observed.case) == []
    append(observed, "rolled_back", model=champion)
    assert promises.there_is_one_champion(observed.lake, observed.case) == []
    append(observed, "retired", model=champion)
    assert promises.there_is_one_champion(observed.lake, observed.case) == []


@pytest.mark.parametrize(
    ("outcome", "against", "said"),
    [
        ("FAIL", "champion", "did not pass its gates: FAIL"),
        ("INSUFFICIENT", "champion", "did not pass its gates: INSUFFICIENT"),
        ("PASS", None, "was not compared with the champion it replaced"),
        (None, None, "was not examined"),
    ],
)
def test_i4_names_a_champion_that_did_not_earn_it(observed, champion, other, outcome, against, said):
    facts = {}
    if outcome:
        facts = {"gated": examined(observed, other, outcome, champion if against else None).sequence}
    record = append(observed, "promoted", model=other, facts=facts)
    found = promises.there_is_one_champion(observed.lake, observed.case)
    assert f"model {other[:12]}, promoted by record {record.sequence}, {said}" in found
    assert "the champion's examination is gone" in found
    assert "the champion's profile is gone" in found


def test_i4_names_a_rollback_to_what_never_was_champion(observed, other):
    append(observed, "rolled_back", model=other)
    assert any("was never champion" in why for why in promises.there_is_one_champion(observed.lake, observed.case))


def test_i4_names_a_champion_that_cannot_be_loaded(observed, champion):
    observed.lake.put(f"models/parcels/{champion}/encoder.json", b"{}")
    (found,) = promises.there_is_one_champion(observed.lake, observed.case)
    assert found.startswith("the champion cannot be loaded: ")


def test_i4_names_an_alias_that_stands_elsewhere(promoted):
    champion = Ledger(promoted.lake, "parcels").state().champion
    append(promoted, "retired", model=champion)
    (found,) = promises.there_is_one_champion(promoted.lake, promoted.case, promoted.registry)
    assert found == f"MLflow shows {champion[:12]} as champion, the ledger says None"


def test_i4_names_a_ledger_that_does_not_hold(observed):
    key = "ledger/parcels/00000002.json"
    record = json.loads(observed.lake.get(key)) | {"why": "because I say so"}
    observed.lake.put(key, json.dumps(record).encode())
    assert promises.there_is_one_champion(observed.lake, observed.case) == ["Record 2 of the ledger was changed."]


# ---- I5: every prediction names its origins -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_column("model", None), "1 of 60 rows name no model"),
        (set_column("fingerprint", None), "1 of 60 rows name no fingerprint"),
        (set_column("data", ""), "1 of 60 rows name no data"),
        (set_column("role", None), "1 of 60 rows name no role"),
        (set_column("score", None), "1 of 60 rows are neither scored nor refused, or both"),
        (set_column("refused", "no"), "1 of 60 rows are neither scored nor refused, or both"),
        (set_column("model", "f" * 64), "the model named cannot be loaded"),
        (set_column("fingerprint", "f" * 64), "knows another definition than ffffffffffff"),
        (set_column("data", "f" * 64), "the rows named are not those of the features"),
    ],
)
def test_i5_names_a_prediction_without_origins(observed, change, said):
    spoil(observed.lake, TABLES["scores"], change)
    found = promises.every_prediction_names_its_origins(observed.lake, observed.case)
    assert any(said in why and why.endswith(f"in the scores of {DAY}") for why in found), found


def test_i5_names_scores_whose_features_were_changed_under_them(observed):
    spoil(observed.lake, TABLES["features"], set_column("weight", 99.0))
    (found,) = promises.every_prediction_names_its_origins(observed.lake, observed.case)
    assert found == f"the rows named are not those of the features in the scores of {DAY}"


# ---- I6: every run ends -------------------------------------------------------------------------------------------


def fail(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize(
    ("call", "violations"),
    [
        pytest.param(lambda: 1, 0, id="success"),
        pytest.param(
            fail(FeaturesInvalid("no", next_step="mend it.")), 0, id="a permanent failure that says what to do"
        ),
        pytest.param(fail(DeliveryMissing("no", next_step="wait.")), 0, id="a failure that may pass"),
        pytest.param(fail(FeaturesInvalid("no", next_step=" ")), 1, id="no next step"),
        pytest.param(fail(KeyError("x")), 1, id="an error nobody sorted"),
        pytest.param(fail(SystemExit(1)), 1, id="a process that gave up"),
    ],
)
def test_i6_wants_success_or_a_failure_that_says_why(call, violations):
    assert len(promises.every_run_ends([promises.attempt("train", 5, call)])) == violations


def test_i6_names_a_run_that_does_not_end():
    gate = threading.Event()
    begun = time.monotonic()
    made = promises.attempt("train", 0.05, gate.wait)
    assert time.monotonic() - begun < 2
    gate.set()
    assert promises.every_run_ends([made]) == ["train was still running after 0.05 seconds"]


def test_every_violation_carries_the_number_of_its_promise(observed):
    before = promises.acknowledged(observed.lake, observed.case)
    spoil(observed.lake, TABLES["scores"], without_first)
    attempts = [promises.attempt("train", 5, fail(KeyError("x")))]
    found = promises.broken(observed.lake, observed.case, before=before, attempts=attempts)
    assert [why[:2] for why in found] == ["I1", "I3", "I6"]
