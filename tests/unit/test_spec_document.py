import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import SpecInvalid
from updraft.spec import document

TEXT = """\
a: 1
b:
  - x
  - {c: yes, d: 2013-01-01}
"""


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def parser(request, monkeypatch):
    """Not every PyYAML brings the C parser; both must read alike."""
    monkeypatch.setattr(document, "_Loader", getattr(yaml, request.param))


@pytest.mark.usefixtures("parser")
def test_every_key_and_item_knows_its_line(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(TEXT)
    read = document.read(path)
    assert read.values == {"a": 1, "b": ["x", {"c": "yes", "d": "2013-01-01"}]}
    lines = {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4, ("b", 1, "d"): 4}
    assert {place: line for place, line in read.lines.items() if place} == lines
    assert read.line(("b", 0, "no", "such", "place")) == 3
    assert read.problems == ()


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "text",
    ["a: [", "a: &x 1", "a: *x", "a: !t 1", "a: 1\na: 2", "[" * 100_000, "a: 1\n---\nb: 1", "a: \x07", "- 1", ""],
)
def test_both_parsers_refuse_the_same(tmp_path, text):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    try:
        refused = bool(document.read(path).problems)
    except SpecInvalid:
        refused = True
    assert refused


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *[(word, word) for word in ("yes", "no", "on", "off", "y", "n", "True", "TRUE", "Null", "NaN", ".nan", ".inf")],
        *[(word, word) for word in ("010", "0x1f", "0o7", "1_000", "+1", "1.", ".5", "12:30", "2013-01-01", "1e999")],
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-7", -7), ("0.5", 0.5), ("1e3", 1000.0), ("9" * 18, int("9" * 18)), ("9" * 19, "9" * 19),
    ],
)  # fmt: skip
def test_a_plain_word_is_what_json_says_it_is_and_else_text(word, value):
    assert (document.plain(word), type(document.plain(word))) == (value, type(value))


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(-9, 9) | st.booleans() | st.text(max_size=5), min_size=1))
def test_what_yaml_writes_is_read_back(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    read = document.read(path)
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in "".join(map(str, values.values())) if letter != "\n"):
        return  # refused, as the table of broken specs shows
    assert read.problems == ()
    assert read.values == values
