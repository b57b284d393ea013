"""Whatever stands in a spec, it is read or refused and nothing worse."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.specs import write

from updraft.spec.load import discover
from updraft.spec.model import UseCase


def read_or_refuse(folder: Path, spec: bytes) -> None:
    write(folder, spec)
    [case] = [case for case in discover(folder) if case.name == "tiny"]
    assert isinstance(case, UseCase) or len(str(case.error)) < 8_000


@given(st.binary(max_size=300))
def test_no_bytes_do_worse_than_be_refused(tmp_path_factory, content):
    read_or_refuse(tmp_path_factory.getbasetemp() / "bytes", content)


@given(st.text(alphabet="abkey:[]{}&*!|>-?'\"\\#%,~ \n\t0159.é😀", max_size=120))
def test_no_yaml_does_worse_than_be_refused(tmp_path_factory, text):
    read_or_refuse(tmp_path_factory.getbasetemp() / "text", text.encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(UseCase.model_fields)), json_values)
def test_no_value_of_any_field_does_worse_than_be_refused(tmp_path_factory, field, value):
    lines = [json.dumps({field: value})[1:-1].replace("\n", " ")]
    read_or_refuse(tmp_path_factory.getbasetemp() / "values", "\n".join(["version: 1", *lines]).encode())
