"""The model card: what it says, and that nothing it says becomes markup."""

import re

import pytest

from updraft import card
from updraft.card.facts import NUMBERS_SHOWN
from updraft.card.render import html, markdown
from updraft.model.manifest import Manifest, libraries
from updraft.records import Record

MODEL, OLD = "a" * 64, "b" * 64
MANIFEST = Manifest(
    use_case="tiny", family="logistic", features=(("amount", "number"),), fingerprint="f" * 64, label="late",
    threshold=0.25, as_of="2024-02-01", data="d" * 64, parameters={"l2": 1.0}, seed=1, code_version="abc",
    windows={"train": ("2024-01-01", "2024-01-02"), "validation": (), "holdout": ("2024-01-05",)},
    libraries=libraries(), validation={}, notes=("not calibrated: too few rows",), files={"linear.json": "e" * 64},
)  # fmt: skip
EXAMINED = {
    "outcome": "FAIL",
    "verdicts": [
        {"gate": "absolute", "outcome": "PASS", "reason": "auc is fine", "numbers": {"auc": 0.71234, "brier": None}},
        {"gate": "slices", "outcome": "FAIL", "reason": "worse where depot is <b>A</b> | ![x](http://evil)",
         "numbers": {f"n{i}": float(i) for i in range(NUMBERS_SHOWN + 9)}},
        {"gate": "fairness", "outcome": "INSUFFICIENT", "reason": "40 rows of depot B", "numbers": {}},
    ],
    "not_applicable": ["champion"],
    "metrics": {"auc": {"value": 0.71234, "low": 0.7, "high": 0.72}, "value": dict.fromkeys(("value", "low", "high"))},
    "roles": {"candidate": {"auc": 0.71234, "value": None}, "trivial": {"auc": 0.5, "value": 0.0}},
    "champion": OLD, "n": 25300, "positives": 6204, "blocks": 28, "first": "2024-01-05", "last": "2024-02-01",
}  # fmt: skip
PICTURES = {"calibration.png": b"\x89PNG1", "value.png": b"\x89PNG2", "stranger.png": b"\x89PNG3"}


def record(sequence, kind, model=MODEL, **facts):
    return Record(
        sequence, "0" * 64, kind, "2024-02-02T00:00:00", "2024-02-01", "run_7", f"why {kind}", model, facts, "t"
    )


TRAINED = record(1, "trained", rows=900, undefined=7, versions={"features/tiny": 3})
RISEN = record(2, "promoted", OLD)
BACK = record(4, "rolled_back", OLD, left=MODEL, skipped={})
PAST = record(3, "rolled_back", OLD, left="c" * 64, skipped={MODEL: "does not load"})
APPROVAL = {"by": "Ada", "decision": "approved"}


@pytest.fixture
def tiny(sql_case):
    return sql_case("SELECT id, happened_at AS event_time, amount, 'red' AS colour FROM facts")


def facts(case, *records):
    return card.facts(case, MODEL, MANIFEST, EXAMINED, (TRAINED, *records), PICTURES)


def pages(case, *records):
    said = facts(case, *records)
    return html(said, PICTURES).decode(), markdown(said).decode()


def test_a_card_tells_purpose_data_features_metrics_verdicts_limits_and_origin(tiny):
    for page in pages(tiny):
        for words in (
            tiny.problem.goal, tiny.problem.decision, tiny.owner.email, "2024-01-05", "900", "amount", "colour",
            "0.7123", "0.7 to 0.72", "25,300", "28 partitions", "why trained", "40 rows of depot B", "champion",
            "not calibrated: too few rows", "features/tiny", "d" * 64, "e" * 64, "abc",
        ):  # fmt: skip
            assert words in page, words


def test_what_is_undefined_is_a_dash_and_long_numbers_are_cut(tiny):
    said = facts(tiny)
    assert len(said["gates"]["verdicts"][1]["numbers"]) == NUMBERS_SHOWN
    assert "| value | - | - to - | 0 |" in markdown(said).decode()


def test_a_window_without_partitions_is_left_out(tiny):
    assert [window["name"] for window in facts(tiny)["data"]["windows"]] == ["train", "holdout"]


@pytest.mark.parametrize(
    ("records", "standing"),
    [
        pytest.param([], "candidate, not decided yet", id="waits"),
        pytest.param([record(2, "rejected")], "rejected", id="rejected"),
        pytest.param([record(2, "challenger")], "challenger", id="in shadow"),
        pytest.param([record(2, "promoted")], "champion", id="champion"),
        pytest.param([record(2, "promoted"), record(3, "promoted", OLD)], "earlier champion", id="replaced"),
        pytest.param([RISEN, record(3, "promoted"), BACK], "rolled back", id="rolled back"),
        pytest.param([RISEN, record(3, "promoted"), BACK, record(5, "retired")], "retired", id="and retired"),
        pytest.param([record(2, "promoted"), PAST], "passed over by a rollback", id="skipped"),
        pytest.param([record(2, "rolled_back", left=OLD, skipped={})], "champion", id="restored"),
    ],
)
def test_a_card_says_where_the_model_stands(tiny, records, standing):
    assert facts(tiny, *records)["standing"] == standing


@pytest.mark.parametrize(
    ("asked", "records", "says"),
    [
        ("none", [], "No person is asked"),
        ("required", [], "nobody has yet"),
        ("required", [record(2, "promoted", approval=APPROVAL)], "Approved by Ada"),
        ("required", [record(2, "rejected", approval={"by": "Bo", "decision": "rejected"})], "Rejected by Bo"),
    ],
)
def test_a_card_says_who_approved(tiny, asked, records, says):
    case = tiny.model_copy(update={"rollout": tiny.rollout.model_copy(update={"approval": asked})})
    case._folder = tiny.folder
    for page in pages(case, *records):
        assert says in page


def test_a_page_fetches_nothing_and_runs_nothing(tiny):
    page, _ = pages(tiny)
    assert "default-src 'none'" in page
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,)', page) == []
    assert re.findall(r"<script|@import|url\(", page) == []
    assert page.count("data:image/png;base64,") == 2, "a picture nobody knows is left out"


def test_what_a_supplier_wrote_becomes_no_markup(tiny):
    page, text = pages(tiny)
    assert "<b>A</b>" not in page
    assert "&lt;b&gt;A&lt;/b&gt;" in page
    assert "![x]" not in text
    assert r"\<b\>A\</b\> \| \!\[x\](http://evil)" in text


def test_tables_of_markdown_have_as_many_cells_in_every_row(tiny):
    _, text = pages(tiny)
    widths = set()
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        rows = [re.sub(r"\\\|", "", row).count("|") for row in block.splitlines()]
        assert len(set(rows)) == 1, block
        widths.add(rows[0])
    assert len(widths) > 3
