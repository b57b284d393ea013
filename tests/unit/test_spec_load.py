"""A spec is read whole and frozen, or refused with file, line, field and what to write."""

from datetime import timedelta

import pytest
from tests.specs import SPEC, changed, refused, write

from updraft.errors import NameInvalid, SpecInvalid
from updraft.spec.load import FILES, Broken, digest, discover, load
from updraft.spec.model import UseCase


def test_a_whole_spec_becomes_a_frozen_use_case_that_knows_its_folder(tmp_path):
    own = write(tmp_path, SPEC)
    case = load("tiny", tmp_path)
    assert isinstance(case, UseCase)
    assert case.folder == own
    assert case.sql("label") == "SELECT 1"
    assert case.problem.lead_time == timedelta(hours=6)


def test_a_date_and_a_country_code_stay_what_was_written(tmp_path):
    write(tmp_path, SPEC)
    case = load("tiny", tmp_path)
    assert case.partitions.first == "2024-01-01"
    assert case.sources["facts"].columns["country"].among.values == ("NO", "SE")


def test_the_demo_loads_in_a_moment_and_without_any_heavy_library():
    import subprocess
    import sys

    code = (
        "import sys, time; from updraft.spec import load; began = time.perf_counter();"
        "assert load.load('flight_delays').name == 'flight_delays'; print(time.perf_counter() - began);"
        "print({'pandas', 'numpy', 'pyarrow', 'sklearn', 'mlflow', 'airflow'} & {m.split('.')[0] for m in sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert float(said[0]) < 0.3, "30 ms alone; the rest is for a busy machine"
    assert said[1] == "set()"


BROKEN = [
    # what is changed in the spec, the line that is named, what is said about it
    ("goal:", "gaol:", "gaol:", "problem.gaol: unknown key; did you mean 'goal'?"),
    ("goal:", "gaol:", "problem:", "problem.goal: is missing"),
    ("id: {type", "id: {tpye", "id: {tpye", "sources.facts.columns.id.tpye: unknown key; did you mean 'type'?"),
    ("threads: 2", "lightgbm: {leafs: 3}", "leafs", "model.lightgbm.leafs: unknown key; did you mean 'leaves'?"),
    ("model:", "modle:", "modle:", "modle: unknown key; did you mean 'model'?"),
    ("threads: 2", 'threads: "2"', "threads", "model.threads: should be an integer; found text '2'"),
    ("threads: 2", "threads: 2.5", "threads", "found 2.5"),
    ("threads: 2", "threads: 010", "threads", "found text '010'"),
    ("threads: 2", "threads: 0x10", "threads", "found text '0x10'"),
    ("threads: 2", "threads: 1_0", "threads", "found text '1_0'"),
    ("threads: 2", "threads: true", "threads", "found true"),
    ("threads: 2", "threads:", "threads", "found nothing"),
    ("threads: 2", "threads: 65", "threads", "should be less than or equal to 64; found 65"),
    ("threads: 2", "threads: [2]", "threads", "found a list"),
    (
        "nullable: true",
        "nullable: yes",
        "nullable",
        "nullable: should be a boolean; found text 'yes'; write true or fal",
    ),
    ("nullable: true", "nullable: on", "nullable", "found text 'on'; write true or false"),
    ("nullable: true", "nullable: 1", "nullable", "found 1; write true or false"),
    ("[0, 10]", "[0, .inf]", "inf", "range[1]: should be a number; found text '.inf'"),
    ("[0, 10]", "[0, 1e999]", "1e999", "found text '1e999'"),
    ("[0, 10]", "[0]", "[0]", "sources.facts.columns.amount.range.between[1]: is missing"),
    ("maturity: 1d", "maturity: 12:30", "maturity", "label.maturity: a duration is a whole number and a unit"),
    ("entity: [id]", "entity: id", "entity", "entity: should be a list; found text 'id'"),
    ("owner: {", "owner: Tiny # {", "owner", "owner: should be a mapping; found text 'Tiny'"),
    ("name: tiny", "name: other", "name: other", "name: should be the folder's name, 'tiny'; found 'other'"),
    ("[NO, SE]", "[NO, null]", "country", "among[1]: should be text; found nothing"),
    ("  amount: {type: number}\n", "  A b: {type: number}\n", "A b", "features.A b: the key should match pattern"),
    (
        "first: 2024-01-01",
        "first: 2024-02-30",
        "first",
        "partitions.first: should be the key of a partition that lasts one",
    ),
    ("first: 2024-01-01", "first: 2024-1-1", "first", "one day, like 2013-04-01; found text '2024-1-1'"),
    ("first: 2024-01-01", "first: 2024", "first", "partitions.first: should be text; found 2024"),
    ("first: 2024-01-01", "first: 0999-01-01", "first", "found text '0999-01-01'"),
    ("first: 2024-01-01", "first: 2024-01-01, last: 2024", "last", "partitions.last: should be text"),
    ("first: 2024-01-01", "first: 2024-01-01, last: June", "last", "partitions.last: should be the key of a partition"),
    ("every: day", "every: week", "every", "lasts one week, like 2013-W14; found text '2024-01-01'"),
    ("every: day", "every: hour", "every", "lasts one hour, like 2013-04-01T05"),
    ("every: day", "every: dya", "every", "partitions.every: should be 'hour', 'day' or 'week'; found text 'dya'"),
    ("timezone: UTC", "timezone: ../../etc/passwd", "timezone", "is not an IANA time zone"),
    ("known_at: {column: reported_at}", "known_at: {}", "known_at", "sources.facts.known_at: say exactly one of"),
    ("key: [id]", "key: [idd]", "facts:", "sources.facts: `key` names 'idd', which is not under `columns`"),
    ("entity: [id]", "entity: [id]\nentity: [x]", "entity: [x]", "entity: the key is here twice, first on line 10"),
    ("entity: [id]", "entity: &e [id]", "entity", "entity: the anchor &e is refused"),
    ("entity: [id]", "entity: [*e]", "entity", "entity[0]: the alias *e is refused"),
    ("version: 1", "version: !!int 1", "version", "version: the tag tag:yaml.org,2002:int is refused"),
    ("version: 1", "version: !!python/object:os.system 1", "version", "os.system is refused; write a plain value"),
    ("version: 1", "version: 1\n[a]: 2", "[a]", "a key should be plain text; found a list"),
    ("version: 1", "version: 1\n? {a: 1}\n: 2", "? {a", "a key should be plain text; found a mapping"),
    ("version: 1", "<<: {a: 1}\nversion: 1", "<<", "<<: unknown key"),
    ("Act on it.", '"Act\\0on"', "Act", "problem.decision: holds a character that cannot be stored"),
    ("threads: 2", "threads: 2\n---\na: 1", "---", "a second document starts here"),
    ("threads: 2", "threads: @2", "threads", "this is not YAML: found character that cannot start any token"),
]


FILES_LINES = "    type: files\n    path: facts/{partition}.csv\n"


@pytest.mark.parametrize(
    ("said", "at", "field", "why"),
    [
        ("    type: sql\n", 12, "sources.facts", "a source of type 'sql' needs the section `sql`"),
        (f"{FILES_LINES}    sql: {{connection: w, query: 'SELECT :start, :end'}}\n", 12, "sources.facts",
         "`sql` is for sources of that type, this one is of type 'files'"),
        ("    type: sql\n    sql: {connection: w, query: SELECT 1}\n", 14, "sources.facts.sql.query", "must bind"),
        ("    type: sql\n    sql: {conection: w, query: 'SELECT :start, :end'}\n", 14, "sources.facts.sql.conection",
         "unknown key; did you mean 'connection'?"),
        ("    type: sql\n    sql: {connection: w}\n", 14, "sources.facts.sql.query", "is missing"),
        ("    type: http\n    http:\n      connection: w\n      path: orders\n", 16, "sources.facts.http.path",
         "should match pattern"),
        ("    type: python\n    python:\n      call: source.py:rows\n", 15, "sources.facts.python.call",
         "there is no source.py beside this file"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_kind_s_settings_is_named_by_line_and_field(tmp_path, said, at, field, why):
    told = refused(tmp_path, changed(FILES_LINES, said))
    assert f"spec.yaml:{at}: {field}: " in told
    assert why in told


@pytest.mark.parametrize(("old", "new", "at", "said"), BROKEN, ids=[f"{row[1]!r}" for row in BROKEN])
def test_what_is_wrong_is_named_by_file_line_field_and_what_to_write(tmp_path, old, new, at, said):
    spec = changed(old, new)
    line = next(number for number, text in enumerate(spec.split("\n"), 1) if at in text)
    report = refused(tmp_path, spec)
    assert [text for text in report.split("\n") if f"{tmp_path}/tiny/spec.yaml:{line}: " in text and said in text], (
        report
    )


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        pytest.param("", "should be one mapping", id="empty"),
        pytest.param("# only a comment", "should be one mapping", id="comment"),
        pytest.param("- a\n- b", "found a list", id="list"),
        pytest.param(b"a: 1\nb: \xff", "spec.yaml:2: is not UTF-8", id="other encoding"),
        pytest.param(b"a: \x00", "YAML forbids", id="control character"),
        pytest.param("a: " + "x" * 256 * 1024, "larger than 256 KB", id="too large"),
        pytest.param("[" * 200_000, "nested deeper", id="nested lists"),
        pytest.param("{a: " * 50_000, "nested deeper", id="nested mappings"),
        pytest.param("? " * 100_000, "nested deeper", id="keys within keys"),
        pytest.param("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]", "the alias *a", id="billion laughs"),
    ],
)
def test_a_file_that_is_no_spec_at_all_is_refused_at_once(tmp_path, spec, hint):
    assert hint in refused(tmp_path, spec)


def test_all_problems_are_told_at_once_and_no_more_than_ten(tmp_path):
    two = refused(tmp_path, changed("threads: 2", 'thread: 2\n  seed: "x"'))
    assert "model.thread:" in two
    assert "model.seed:" in two
    many = refused(tmp_path, changed("threads: 2", "\n  ".join(f"k{i}: 1" for i in range(20_000))))
    assert many.count("unknown key") == 10
    assert "… and more" in many
    assert len(many) < 4_000


@pytest.mark.parametrize("file", FILES)
def test_a_use_case_lacks_none_of_its_files(tmp_path, file):
    assert file in refused(tmp_path, SPEC, without=file)


@pytest.mark.parametrize("name", ["../tiny", "/etc", "Tiny", "", "tiny/../tiny", "t" * 64, "tiny\n"])
def test_a_use_case_is_asked_for_by_a_name_and_nothing_else(tmp_path, name):
    write(tmp_path, SPEC)
    with pytest.raises(NameInvalid):
        load(name, tmp_path)


def test_a_use_case_that_is_not_there_is_answered_with_one_that_is(tmp_path):
    write(tmp_path, SPEC)
    with pytest.raises(SpecInvalid, match="did you mean 'tiny'"):
        load("tinny", tmp_path)


def test_a_broken_use_case_does_not_hide_the_others(tmp_path):
    write(tmp_path, SPEC)
    write(tmp_path, "a: [", name="broken")
    write(tmp_path, "a: [", name="_draft")
    write(tmp_path, "a: [", name=".hidden")
    write(tmp_path, SPEC, name="Not a name")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not a folder")
    cases = discover(tmp_path)
    assert [type(case) for case in cases] == [Broken, Broken, Broken, UseCase]
    assert [case.name for case in cases] == ["Not a name", "broken", "empty", "tiny"]
    assert all("spec.yaml" in str(case.error) for case in cases[:3])


def test_no_folder_means_no_use_cases(tmp_path):
    assert discover(tmp_path / "nowhere") == []


def test_the_folder_of_use_cases_comes_from_the_environment(tmp_path, monkeypatch):
    write(tmp_path, SPEC)
    monkeypatch.setenv("UPDRAFT_USE_CASES", str(tmp_path))
    assert load("tiny").name == "tiny"
    assert [case.name for case in discover()] == ["tiny"]


def test_the_digest_follows_what_is_said_and_not_how(tmp_path):
    write(tmp_path, SPEC)
    first = digest(load("tiny", tmp_path))
    reordered = SPEC.replace("version: 1\nname: tiny\n", "name: tiny   # a comment\nversion: 1\n") + "  seed: 1\n"
    write(tmp_path, reordered)
    assert digest(load("tiny", tmp_path)) == first, "a default written out says nothing new"
    write(tmp_path, changed("threads: 2", "threads: 3"))
    assert digest(load("tiny", tmp_path)) != first
