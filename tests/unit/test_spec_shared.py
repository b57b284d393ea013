import shutil
from datetime import timedelta

import pyarrow as pa
import pytest
from tests import parcels
from typer.testing import CliRunner

from updraft import features
from updraft.asof import raw_table
from updraft.cli.main import app
from updraft.errors import DeliveryMissing, FeaturesBlocked, FeaturesInvalid, SpecInvalid
from updraft.ingest import late
from updraft.ingest.computed import affected as seen
from updraft.ingest.computed import computed, of_shared
from updraft.life import features as stage
from updraft.partition import calendar
from updraft.spec import load, shared

DAY = "2024-01-10"
NAME = "depot_load"
DECLARED = """\
owner: {name: Logistics, email: logistics@example.com}
about: How many parcels each depot had booked lately.
use_case: parcels
key: [depot]
columns:
  booked: {type: number, nullable: false, about: parcels}
"""
QUERY = "SELECT depot, count(*) AS booked FROM parcels GROUP BY depot"


@pytest.fixture
def root(tmp_path, parcels_case):
    """A folder with the use case `parcels`, and a shared feature set of it."""
    folder = tmp_path / "use_cases"
    shutil.copytree(parcels_case.folder, folder / "parcels")
    (folder / "_shared").mkdir()
    say(folder, f"_shared/{NAME}.yaml", DECLARED)
    say(folder, f"_shared/{NAME}.sql", QUERY)
    return folder


def say(root, file, text):
    (root / file).write_text(text, encoding="utf-8")


def change(root, file, before, after):
    text = (root / file).read_text(encoding="utf-8")
    assert before in text
    say(root, file, text.replace(before, after))


@pytest.fixture
def reader(root):
    """Another use case, which reads the shared set beside its own sources."""
    shutil.copytree(root / "parcels", root / "couriers")
    change(root, "couriers/spec.yaml", "name: parcels", "name: couriers")
    change(root, "couriers/spec.yaml", "\n  weight:\n", "\n  booked:\n    type: number\n  weight:\n")
    change(root, "couriers/features.sql", "depot_late\nFROM parcels", "depot_late, booked\nFROM parcels")
    change(root, "couriers/features.sql", "USING (depot)", f"USING (depot) LEFT JOIN {NAME} USING (depot)")
    return load.load("couriers", root)


@pytest.fixture
def both(lake, root, reader):
    """A lake in which both use cases have deliveries."""
    for case in (load.load("parcels", root), reader):
        parcels.deliver(case, lake, calendar(case).keys("2024-01-01", "2024-01-12"))
    return lake


def commits(lake):
    return lake.version(f"shared/{NAME}")


@pytest.mark.slow
def test_what_breaks_the_contract_of_a_shared_set_reaches_no_reader(both, root, reader):
    change(root, f"_shared/{NAME}.yaml", "nullable: false,", "nullable: false, range: [0, 1],")
    with pytest.raises(FeaturesBlocked, match=rf"shared/{NAME} for {DAY} is not published: .* break range\(booked\)"):
        features.build(reader, [DAY], both)
    assert both.partitions(f"shared/{NAME}") == both.partitions("features/couriers") == []
    assert both.keys("reports/parcels") == [f"reports/parcels/{NAME}/{DAY}.html"]


@pytest.mark.slow
def test_the_contract_of_a_shared_set_is_its_own(both, root, reader):
    change(root, "parcels/spec.yaml", "\nfeatures:", "\ncontract: {rows: [1000, 2000]}\nfeatures:")
    say(root, f"_shared/{NAME}.yaml", DECLARED + "contract: {rows: [2, 9]}\n")
    features.build(reader, [DAY], both)
    assert len(both.read(f"shared/{NAME}")) == 3


def test_a_shared_set_covers_a_source_that_is_there(root):
    say(root, f"_shared/{NAME}.yaml", DECLARED + "contract: {coverage: nobody}\n")
    with pytest.raises(SpecInvalid, match="'nobody', which is no source of parcels"):
        shared.as_case(NAME, root)


def test_the_folder_of_shared_sets_is_no_use_case(root):
    assert [case.name for case in load.discover(root)] == ["parcels"]
    assert shared.names(root) == [NAME]


def test_a_query_reads_a_shared_set_as_a_table_of_its_name(both, reader):
    features.build(reader, [DAY, "2024-01-11"], both)
    rows = both.read("features/couriers", [DAY])
    booked = {r["depot"]: r["booked"] for r in both.read(f"shared/{NAME}", [DAY]).to_pylist()}
    assert {r["depot"]: r["booked"] for r in rows.to_pylist()} == booked
    assert sum(booked.values()) > 0
    assert set(both.read(f"shared/{NAME}")["as_of"].to_pylist()) == {
        calendar(reader).at(d).as_of for d in (DAY, "2024-01-11")
    }


@pytest.mark.slow
def test_it_is_computed_once_per_partition_and_anew_when_its_query_changed(both, root, reader):
    features.build(reader, [DAY], both)
    first = commits(both)
    features.build(reader, [DAY], both)
    assert commits(both) == first
    before = features.fingerprint(reader)
    say(root, f"_shared/{NAME}.sql", QUERY.replace("count(*)", "2 * count(*)"))
    assert features.fingerprint(reader) != before
    assert features.stale(reader, [DAY], both) == [DAY]
    old = both.read(f"shared/{NAME}", [DAY])
    features.build(reader, [DAY], both)
    new = both.read(f"shared/{NAME}", [DAY])
    assert new["booked"].to_pylist() == [2 * n for n in old["booked"].to_pylist()]


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        pytest.param(f"_shared/{NAME}.yaml", "Logistics", "Somebody", id="its owner"),
        pytest.param(f"_shared/{NAME}.sql", "SELECT", "-- why\nSELECT", id="a comment"),
    ],
)
def test_what_changes_no_row_of_it_makes_no_reader_stale(root, reader, file, before, after):
    expected = features.fingerprint(reader)
    change(root, file, before, after)
    assert features.fingerprint(reader) == expected


def test_who_does_not_read_it_has_the_fingerprint_it_had(root, parcels_case):
    assert features.fingerprint(load.load("parcels", root)) == features.fingerprint(parcels_case)


def test_it_waits_for_the_deliveries_it_is_computed_from(lake, reader):
    parcels.deliver(reader, lake, calendar(reader).keys("2024-01-01", "2024-01-12"))
    with pytest.raises(DeliveryMissing, match=f"{NAME} waits for parcels of parcels, {DAY}") as waits:
        features.build(reader, [DAY], lake)
    assert "run the ingestion of parcels" in waits.value.next_step
    assert lake.version("features/couriers") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("lead_time: 6h", "lead_time: 7h", id="known an hour too late"),
        pytest.param("every: day", "every: hour", id="hours"),
        pytest.param("timezone: UTC", "timezone: Europe/Berlin", id="days that begin elsewhere"),
    ],
)
def test_a_reader_that_would_see_what_was_not_known_yet_is_refused(both, root, reader, before, after):
    change(root, "couriers/spec.yaml", before, after)
    change(root, "couriers/spec.yaml", "first: '2024-01-01'", "first: '2024-01-01T00'") if "hour" in after else None
    case = load.load("couriers", root)
    with pytest.raises(SpecInvalid, match="other partitions, or a shorter lead time"):
        features.build(case, [f"{DAY}T05" if "hour" in after else DAY], both)


@pytest.mark.slow
def test_a_reader_that_predicts_later_may_read_it(both, root, reader):
    change(root, "couriers/spec.yaml", "lead_time: 6h", "lead_time: 5h")
    assert features.build(load.load("couriers", root), [DAY], both).rows > 0


@pytest.mark.parametrize(
    ("file", "text", "error", "said"),
    [
        pytest.param("sql", "SELECT depot FROM parcels", FeaturesInvalid, "does not return booked", id="a column"),
        pytest.param("sql", "SELECT depot, 1 AS booked FROM parcels", FeaturesInvalid, "for . entities", id="doubled"),
        pytest.param("sql", "FROM depot_load", FeaturesInvalid, "reads 'depot_load', which is no source", id="itself"),
        pytest.param("sql", "SELECT now()", FeaturesInvalid, "asks for now", id="the time"),
        pytest.param("yaml", DECLARED + "extra: 1\n", SpecInvalid, "depot_load.yaml:7: extra", id="an unknown field"),
        pytest.param("yaml", DECLARED.replace("use_case: parcels\n", ""), SpecInvalid, "use_case", id="no use case"),
        pytest.param("yaml", DECLARED.replace(": parcels", ": nobody"), SpecInvalid, "no use case", id="whose"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_shared_set_is_told_where_it_is_read(both, root, reader, file, text, error, said):
    say(root, f"_shared/{NAME}.{file}", text)
    with pytest.raises(error, match=said):
        features.build(reader, [DAY], both)
    assert both.version("features/couriers") is None


def test_names_that_mean_something_else_are_refused(root):
    say(root, "_shared/label.sql", QUERY)
    with pytest.raises(SpecInvalid, match="has a name with a meaning"):
        shared.declared("label", root)


def test_a_source_of_that_name_hides_it(root):
    say(root, "_shared/arrivals.sql", QUERY)
    assert shared.read_by(load.load("parcels", root)) == [NAME]


# ---- the command -------------------------------------------------------------------------------------------------


def listed(monkeypatch, root, lake):
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(root))
    monkeypatch.setenv("UPDRAFT_LAKE", lake.uri)
    return CliRunner().invoke(app, ["features"])


def test_the_command_lists_owner_meaning_and_readers(monkeypatch, both, root, reader):
    features.build(reader, [DAY], both)
    done = listed(monkeypatch, root, both)
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "depot_load: How many parcels each depot had booked lately.",
        "  owner     Logistics <logistics@example.com>",
        "  key       depot",
        "  column    booked: number  parcels",
        "  reads     parcels of parcels",
        "  read by   couriers",
        "  computed  1 partitions, in shared/depot_load",
    ]


def test_the_command_tells_of_a_broken_set_and_goes_on(monkeypatch, lake, root):
    say(root, "_shared/a_broken_one.sql", "SELECT now()")
    done = listed(monkeypatch, root, lake)
    assert done.exit_code == 1
    assert "✗ a_broken_one" in done.output
    assert "read by   nobody" in done.output


def test_without_any_the_command_says_so(monkeypatch, lake, tmp_path):
    done = listed(monkeypatch, tmp_path, lake)
    assert (done.exit_code, done.output) == (0, f"There is no shared feature set in {tmp_path / '_shared'}.\n")


def more(case, lake, key):
    """Book one more parcel at every depot, on the day before `key`, and say which partitions it would have changed."""
    raw = raw_table(case, "parcels")
    at = calendar(case).at(key).start - timedelta(hours=12)
    before = lake.read(raw, [key])
    row = before.to_pylist()[0]
    added = [{**row, "parcel": f"{key}-{depot}", "depot": depot, "delivery": "late", "row": n, "booked_at": at,
              "known_at": at} for n, depot in enumerate(("A", "B", "C"))]  # fmt: skip
    rows = pa.concat_tables([before, pa.Table.from_pylist(added, before.schema)])
    found = seen(case, "parcels", at, key, computed(case, lake))
    lake.replace(raw, rows, [key])
    return found


@pytest.mark.slow
def test_a_shared_set_is_among_what_late_rows_would_have_changed(both, root, reader):
    case = load.load("parcels", root)
    features.build(reader, [DAY, "2024-01-11"], both)
    found = more(case, both, DAY)
    assert found[NAME] == (DAY, "2024-01-11")
    assert of_shared(found) == (f"{NAME}/{DAY}", f"{NAME}/2024-01-11")
    assert seen(reader, "arrivals", calendar(reader).at(DAY).as_of, DAY, computed(reader, both)).keys() == {
        "features", "label",
    }, "who reads it does not compute it"  # fmt: skip


@pytest.mark.slow
def test_a_shared_set_is_computed_again_when_rows_under_it_came_late(both, root, reader):
    case = load.load("parcels", root)
    features.build(reader, [DAY], both)
    before = {row["depot"]: row["booked"] for row in both.read(f"shared/{NAME}").to_pylist()}
    found = more(case, both, DAY)
    late._keep(case, both, late.Late("parcels", DAY, "late", "2024-01-09T12:00:00+00:00", (), (), "rebuild",
                                     shared=of_shared(found)))  # fmt: skip
    assert stage.rebuild(case, both) == {"shared": [f"{NAME}/{DAY}"]}
    after = {row["depot"]: row["booked"] for row in both.read(f"shared/{NAME}").to_pylist()}
    assert after == {depot: booked + 1 for depot, booked in before.items()}
    assert [one.rebuilt for one in late.recorded(case, both)] == [True]
    assert stage.rebuild(case, both) == {}


def test_a_broken_shared_set_is_nobodys(root):
    case = load.load("parcels", root)
    assert shared.computed_with(case) == [NAME]
    say(root, f"_shared/{NAME}.yaml", "use_case: [")
    assert shared.computed_with(case) == []
