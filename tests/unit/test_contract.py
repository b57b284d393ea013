"""The contract: which rows are good, what follows, and that nothing unvalidated passes."""

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft import contract
from updraft.contract import engine, suite
from updraft.errors import ValidationBroken
from updraft.sources.decode import decode
from updraft.spec.sources import Source

ORDER = ["accepted", "quarantined", "blocked"]
HEADER = "id,at,x,carrier,known,n"


def source(*, rows=(0, 100), unique=True, tolerance=0.5, pattern="[A-Z]{2}", key=("id",)):
    return Source.model_validate(
        {
            "type": "files",
            "path": "{partition}",
            "key": list(key),
            "event_time": "at",
            "known_at": {"column": "known"},
            "columns": {
                "id": {"type": "integer"},
                "at": {"type": "timestamp"},
                "x": {"type": "number", "nullable": True, "range": [0, 10]},
                "carrier": {"type": "string", "nullable": True, "pattern": pattern, "among": ["AA", "UA"]},
                "known": {"type": "timestamp", "nullable": True},
                "n": {"type": "integer", "nullable": True, "range": [None, 9]},
            },
            "contract": {"rows": list(rows), "unique": unique, "tolerance": tolerance},
        }
    )


def line(id=1, at="2013-04-01T00:00:00Z", x=1, carrier="AA", known="2013-04-01T00:00:00Z", n=""):  # noqa: A002
    return f"{id},{at},{x},{carrier},{known},{n}"


def delivery(*lines, declared=None):
    return decode("\n".join([HEADER, *lines]).encode(), declared or source())


def check(*lines, **changes):
    declared = source(**changes)
    return contract.check("flights", declared, {"d": delivery(*lines, declared=declared)})["d"]


TWICE = "id: an earlier row has the same key"
ROWS = {
    "good": ([line()], []),
    "nullable values may be missing": ([line(x="", carrier="", n="")], []),
    "a key may not be missing": ([line(id="")], [(1, "not_null", "id: is missing")]),
    "nor when it became known": ([line(known="")], [(1, "not_null", "known: is missing")]),
    "a range holds its ends": ([line(x=0), line(id=2, x=10)], []),
    "below": ([line(x=-0.1)], [(1, "range", "x: -0.1 is not between 0.0 and 10.0")]),
    "above an open range": ([line(n=10)], [(1, "range", "n: 10 is not between None and 9.0")]),
    "not among": ([line(carrier="DL")], [(1, "among", "carrier: 'DL' is not among AA, UA")]),
    "the first rule by name counts, the reason tells all": (
        [line(carrier="xAAx")],
        [(1, "among", "carrier: 'xAAx' is not among AA, UA; carrier: 'xAAx' does not match the pattern")],
    ),
    "of equal keys the first stays": (
        [line(), line(id=2), line(), line()],
        [(3, "unique", TWICE), (4, "unique", TWICE)],
    ),
    "of equal keys the first good one stays": (
        [line(x=99), line(), line()],
        [(1, "range", "x: 99.0 is not between 0.0 and 10.0"), (3, "unique", TWICE)],
    ),
    "unreadable": ([line(id="q"), line()], [(1, "type", "id: 'q' is not an integer")]),
    "missing keys are not equal": (
        [line(id=""), line(id="")],
        [(1, "not_null", "id: is missing"), (2, "not_null", "id: is missing")],
    ),
    "large integers beside missing ones": ([line(n=9), line(id=2), line(id=2**63 - 1), line(id=2**63 - 2)], []),
}


@pytest.fixture(scope="module")
def judged():
    declared = source(tolerance=1)
    return contract.check("flights", declared, {name: delivery(*lines) for name, (lines, _) in ROWS.items()})


@pytest.mark.parametrize("name", ROWS)
def test_a_bad_row_is_named_with_its_rule_and_reason(judged, name):
    (lines, bad), found = ROWS[name], judged[name]
    assert [(row.row, row.rule, row.reason) for row in found.bad] == bad
    assert found.summary["rows"] == len(lines)


def test_equal_keys_are_allowed_when_the_contract_says_so():
    assert check(line(), line(), unique=False).outcome == "accepted"


def test_a_key_of_several_columns_is_unique_as_a_whole():
    rows = [line(id=1, carrier="AA"), line(id=1, carrier="UA"), line(id=1, carrier="AA")]
    found = check(*rows, key=("id", "at"))
    assert [row.row for row in found.bad] == [2, 3]


@pytest.mark.parametrize(
    ("good", "bad", "tolerance", "outcome"),
    [
        (10, 0, 0.0, "accepted"),
        (9, 1, 0.0, "blocked"),
        (9, 1, 0.1, "quarantined"),
        (71, 29, 0.29, "quarantined"),
        (89, 11, 0.1, "blocked"),
        (0, 3, 1.0, "quarantined"),
        (0, 3, 0.99, "blocked"),
    ],
)
def test_a_share_of_bad_rows_within_the_tolerance_goes_to_quarantine(good, bad, tolerance, outcome):
    assert contract.decide(source(tolerance=tolerance), good + bad, bad)[0] == outcome


def test_counts_add_up():
    found = check(line(), line(id=2, x=-1), line(id=3, x=-1, carrier="DL"), line(id=4), tolerance=0.5)
    assert found.outcome == "quarantined"
    assert found.why == "2 of 4 rows (50.00%) break the contract, within the tolerated 50.00%"
    assert found.summary == {
        "rows": 4,
        "bad": 2,
        "rules": {"range(x)": 2, "among(carrier)": 1},
        "warned": {},
        "undefined": {},
    }
    assert len(found.bad) == 2


@pytest.mark.parametrize(
    ("fewest", "outcomes"),
    [(0, ["accepted", "accepted", "blocked"]), (1, ["blocked", "accepted", "blocked"])],
)
def test_too_few_or_too_many_rows_block_the_delivery(fewest, outcomes):
    declared = source(rows=(fewest, 5))
    deliveries = {f"{n} rows": delivery(*(line(id=i) for i in range(n))) for n in (0, 5, 6)}
    found = contract.check("flights", declared, deliveries)
    assert [each.outcome for each in found.values()] == outcomes
    assert found["6 rows"].why == f"it has 6 rows, the contract asks for {fewest} to 5"


def test_unreadable_rows_count_as_rows_and_as_bad_ones():
    found = check(line(id="q"), "short", line(), rows=(3, 3), tolerance=0.5)
    assert found.outcome == "blocked"
    assert found.why == "2 of 3 rows (66.67%) break the contract, more than the tolerated 50.00%"
    assert found.summary["rules"] == {"type": 2}


@settings(derandomize=True, max_examples=200)
@given(
    rows=st.integers(1, 500),
    bad=st.integers(0, 499),
    tolerance=st.floats(0, 1),
    against=st.booleans(),
)
def test_one_more_bad_row_never_leads_to_a_milder_outcome(rows, bad, tolerance, against):
    declared, bad = source(tolerance=tolerance), min(bad, rows - 1)
    fewer, _ = contract.decide(declared, rows, bad, ["it is so"] * against)
    more, _ = contract.decide(declared, rows, bad + 1, ["it is so"] * against)
    assert ORDER.index(more) >= ORDER.index(fewer)


@pytest.mark.slow
def test_a_delivery_is_judged_the_same_alone_and_with_others():
    declared = source(tolerance=0.5, rows=(1, 5))
    deliveries = {
        "good": delivery(line(), line(id=2)),
        "same keys as the one before": delivery(line(), line(id=2)),
        "empty": delivery(),
        "half bad": delivery(line(), line(id=2, x=11)),
        "double": delivery(line(), line(), line(), line(id=2)),
        "unreadable": delivery("short", line(id="q"), line()),
        "too many": delivery(*(line(id=n) for n in range(6))),
    }
    together = contract.check("flights", declared, deliveries)
    assert [found.outcome for found in together.values()] == [
        "accepted", "accepted", "blocked", "quarantined", "quarantined", "blocked", "blocked",
    ]  # fmt: skip
    for name, one in deliveries.items():
        alone = contract.check("flights", declared, {name: one})[name]
        assert (alone.outcome, alone.why, alone.bad) == (together[name].outcome, together[name].why, together[name].bad)
        assert alone.summary == together[name].summary
        assert _without_ids(alone.report_html) == _without_ids(together[name].report_html)


def _without_ids(page):
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}", b"", page)


def test_the_report_names_rules_and_counts_and_stands_alone():
    page = check(line(x=11), line(id=2)).report_html.decode()
    assert "flights, d" in page
    assert "1 unexpected values found" in page
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<link" not in page
    assert "<img" not in page


def test_values_of_strangers_are_cut_and_escaped_in_the_report():
    hostile = "<script>alert(1)</script>" + "<b onmouseover=x>" * 50
    lines = [line(id=n, carrier=f"{hostile}{n}") for n in range(50)]
    page = check(*lines, tolerance=1).report_html.decode()
    assert "<script" not in page
    assert "onmouseover=x>" not in page
    assert "alert(1)" in page
    assert len(page) < 100_000


def test_a_suite_without_expectations_is_not_a_pass():
    import pandas as pd
    from great_expectations import ExpectationSuite

    with pytest.raises(ValidationBroken, match="has no expectations"):
        engine.run(ExpectationSuite(name="empty"), pd.DataFrame({"id": [1]}))


def test_a_library_error_is_not_a_pass():
    with pytest.raises(ValidationBroken, match="raised an error"):
        check(line(), pattern="(?:a{1000}){1000}")


def test_a_frame_without_a_column_of_the_suite_is_not_a_pass():
    import pandas as pd

    with pytest.raises(ValidationBroken, match="raised an error"):
        engine.run(suite.of_rows("flights", source()), pd.DataFrame({"id": [1]}))


def test_what_is_no_frame_is_not_a_pass():
    with pytest.raises(ValidationBroken, match="Great Expectations failed"):
        engine.run(suite.of_rows("flights", source()), pa.table({"id": [1]}))


def test_every_bad_row_is_named_however_many_there_are():
    found = check(*(line(id=n, x=-1) for n in range(5000)), rows=(0, 5000), tolerance=1)
    assert [row.row for row in found.bad] == list(range(1, 5001))
    assert len(found.report_html) < 100_000


def test_nothing_is_printed_or_sent(capfd):
    import os

    check(line())
    assert capfd.readouterr() == ("", "")
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
