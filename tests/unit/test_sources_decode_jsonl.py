"""JSON lines: an object a line, of the declared types."""

import json

import pytest
from tests.decoding import COLUMNS, NOON, source

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode


def test_objects_are_read_and_a_key_left_out_is_missing():
    first = b'{"id":1,"at":"2013-04-01T12:00:00Z","x":2,"zz":[1]}'
    second = b'{"ok":false,"s":"a","at":"2013-04-01T12:00:00Z","id":2.0}'
    found = decode(first + b"\n\n" + second, source("jsonl"))
    assert found.rows.to_pylist() == [
        {"id": 1, "at": NOON, "x": 2.0, "ok": None, "s": None, "row": 1},
        {"id": 2, "at": NOON, "x": None, "ok": False, "s": "a", "row": 2},
    ]
    assert found.extra == ("zz",)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"id":"1"}', "id: is text, declared integer"),
        ('{"id":true}', "id: is a boolean, declared integer"),
        ('{"id":1.5}', "id: is a number, declared integer"),
        ('{"id":99999999999999999999}', "id: does not fit the declared integer"),
        ('{"id":1,"x":NaN}', "is not JSON: NaN is not a JSON number"),
        ('{"id":1,"x":1e999}', "x: 'inf' is not a finite number"),
        ('{"id":1,"s":"\\ud800"}', "s: holds half of a surrogate pair"),
        ('{"id":1,"s":"\\u0000"}', "s: '\\x00' holds a NUL"),
        ('{"id":1,"s":{"a":1}}', "s: is an object, declared string"),
        ('{"id":1,"at":1364774400}', "at: is a number, declared timestamp"),
        ('{"id":1,"id":2}', "is not JSON: an object has a key twice"),
        ("[1]", "is not an object"),
        ("[" * 100_000, "is not JSON"),
        ('{"id":1' + "0" * 5000 + "}", "is not JSON"),
    ],
)
def test_a_line_that_does_not_fit_is_a_bad_row(line, why):
    found = decode(f'{line}\n{{"id":7,"at":"2013-04-01T12:00:00Z"}}'.encode(), source("jsonl"))
    assert found.bad[1].startswith(why)
    assert found.rows["id"].to_pylist() == [7]
    json.loads(found.original([1])[0], parse_constant=pytest.fail)


def test_a_line_with_a_key_twice_is_kept_as_it_came():
    line = '{"id":1,"id":2,"at":"2013-04-01T12:00:00Z"}'
    found = decode(f'{line}\n{{"id":7,"at":"2013-04-01T12:00:00Z"}}'.encode(), source("jsonl"))
    assert json.loads(found.original([1])[0]) == {"line": line}


def test_a_column_in_no_object_refuses_the_delivery():
    with pytest.raises(DeliveryRefused, match=r"at \(there is 'At'"):
        decode(b'{"id":1,"At":"2013-04-01T12:00:00Z"}', source("jsonl"))


def test_a_nullable_column_may_be_left_out_but_not_renamed():
    text = '{"id":1,"at":"2013-04-01T12:00:00Z","weather":1%s}'
    columns = {**COLUMNS, "humidity": {"type": "number", "nullable": True}}
    assert decode((text % "").encode(), source("jsonl", columns)).count == 1
    with pytest.raises(DeliveryRefused, match="did you mean 'humidty'"):
        decode((text % ',"humidty":3').encode(), source("jsonl", columns))
