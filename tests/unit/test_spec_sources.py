import pytest
from pydantic import ValidationError

from updraft.spec.sources import Column, KnownAt, Source, reserved

WHOLE = {
    "type": "files",
    "path": "facts/{partition}.csv",
    "key": ["id"],
    "event_time": "at",
    "known_at": {"column": "at"},
    "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}, "note": {"type": "string", "nullable": True}},
}


def test_a_whole_source_is_read():
    assert Source.model_validate(WHOLE).key == ("id",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": ["nope"]}, "`key` names 'nope'"),
        ({"event_time": "nope"}, "`event_time` names 'nope'"),
        ({"event_time": "id"}, "must name a timestamp column, 'id' is string"),
        ({"known_at": {"column": "note"}}, "must name a timestamp column, 'note' is string"),
        ({"key": ["note"]}, "cannot be nullable"),
        ({"path": "/etc/{partition}"}, "relative to the inbox"),
        ({"path": "../{partition}"}, "stay inside it"),
        ({"path": "facts/../../{partition}"}, "stay inside it"),
        ({"path": "facts/all.csv"}, "contain {partition}"),
        ({"key": []}, "at least 1 item"),
        ({"columns": {}}, "at least 1 item"),
        ({"format": "xlsx"}, "csv"),
        ({"nonsense": 1}, "Extra inputs"),
        ({"contract": {"references": {"nope": "fleet.id"}}}, "`contract.references` names 'nope'"),
        ({"known_at": {"delay": "1h"}, "contract": {"freshness": {"within": "1d", "by": "known_at"}}}, "must say it"),
        ({"deleted": {"column": "nope"}}, "`deleted` names 'nope'"),
        ({"deleted": {"column": "note"}}, "must name a boolean column, 'note' is not"),
        ({"snapshot": True}, "say `known_at.delay`"),
        ({"snapshot": True, "known_at": {"landing": True}}, "say `known_at.delay`"),
        ({"snapshot": True, "known_at": {"delay": "1h"}, "lookback": "1d"}, "takes no `lookback`"),
        ({"late": "forget"}, "keep"),
        ({"deadline": "soon"}, "a duration is"),
    ],
)
def test_a_source_that_contradicts_itself_is_refused(change, said):
    with pytest.raises(ValidationError, match="(?s)" + said.replace("{", r"\{").replace("}", r"\}")):
        Source.model_validate({**WHOLE, **change})


@pytest.mark.parametrize(
    ("rules", "fits"),
    [
        ({"type": "integer", "range": (0, 1)}, True),
        ({"type": "string", "range": (0, 1)}, False),
        ({"type": "string", "pattern": "a+"}, True),
        ({"type": "number", "pattern": "a+"}, False),
        ({"type": "timestamp", "timezone": "UTC"}, True),
        ({"type": "string", "timezone": "UTC"}, False),
        ({"type": "string", "among": ()}, False),
        ({"type": "string", "pattern": "("}, False),
        ({"type": "string", "pattern": "(?=a)"}, False),
        ({"type": "timestamp", "timezone": "Mars/Olympus"}, False),
        ({"type": "timestamp", "timezone": "UTC", "fold": "later"}, True),
        ({"type": "timestamp", "timezone": "UTC", "fold": "sometimes"}, False),
        ({"type": "timestamp", "fold": "later"}, False),
        ({"type": "string", "personal": "mask"}, True),
        ({"type": "integer", "personal": "hash"}, True),
        ({"type": "timestamp", "personal": "drop"}, True),
        ({"type": "number", "personal": "hash"}, False),
        ({"type": "integer", "personal": "mask"}, False),
        ({"type": "string", "personal": "hash", "pattern": "a+"}, False),
        ({"type": "integer", "personal": "drop", "range": (0, 1)}, False),
    ],
)
def test_a_rule_is_only_for_the_types_it_means_something_for(rules, fits):
    if fits:
        Column.model_validate(rules)
    else:
        with pytest.raises(ValidationError):
            Column.model_validate(rules)


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({"column": "at"}, True),
        ({"delay": "1h"}, True),
        ({"landing": True}, True),
        ({}, False),
        ({"landing": False}, False),
        ({"column": "at", "delay": "1h"}, False),
        ({"column": "at", "landing": True}, False),
    ],
)
def test_a_row_becomes_known_in_exactly_one_way(said, fits):
    if fits:
        KnownAt.model_validate(said)
    else:
        with pytest.raises(ValidationError):
            KnownAt.model_validate(said)


def test_a_snapshot_takes_no_column_that_says_what_is_gone():
    columns = {**WHOLE["columns"], "is_gone": {"type": "boolean"}}
    told = {**WHOLE, "columns": columns, "known_at": {"delay": "1h"}, "deleted": {"column": "is_gone"}}
    assert Source.model_validate(told).deletes
    with pytest.raises(ValidationError, match="say `snapshot` or `deleted`"):
        Source.model_validate({**told, "snapshot": True})


@pytest.mark.parametrize(
    ("column", "personal", "fits"),
    [("id", "hash", True), ("id", "mask", False), ("id", "drop", False), ("at", "drop", False), ("note", "drop", True)],
)
def test_what_identifies_a_row_may_be_hashed_but_not_lost(column, personal, fits):
    declared = {**WHOLE["columns"], column: {**WHOLE["columns"][column], "personal": personal}}
    if fits:
        assert Source.model_validate({**WHOLE, "columns": declared}).personal == {column: personal}
    else:
        with pytest.raises(ValidationError, match="is not stored; a key may be hashed"):
            Source.model_validate({**WHOLE, "columns": declared})


def test_a_source_is_stored_without_what_is_dropped_and_with_text_for_what_is_hidden():
    columns = {
        "id": {"type": "integer", "personal": "hash"},
        "at": {"type": "timestamp"},
        "name": {"type": "string", "nullable": True, "personal": "mask"},
        "born": {"type": "timestamp", "personal": "drop"},
    }
    stored = Source.model_validate({**WHOLE, "columns": columns}).stored()
    assert {name: (column.type, column.nullable) for name, column in stored.columns.items()} == {
        "id": ("string", False), "at": ("timestamp", False), "name": ("string", True),
    }  # fmt: skip
    assert stored.stored() == stored


def test_columns_the_lake_adds_are_reserved():
    assert reserved({"id": 1, "known_at": 1, "row": 1, "gone": 1}) == {"known_at", "row", "gone"}
