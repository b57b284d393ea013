"""Zstandard: what is read, and what is refused before it can grow."""

import shutil
import subprocess
from io import BytesIO

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import DeliveryRefused
from updraft.sources.decode import decode
from updraft.sources.decode.zstd import inflated
from updraft.spec.sources import Caps, Source

TEXT = b"id,at\n1,2024-01-02T00:00:00Z\n"


def packed(content):
    return pa.compress(content, codec="zstd", asbytes=True)


@given(st.binary(max_size=5_000), st.integers(1, 200))
def test_what_was_packed_comes_out(content, times):
    assert inflated(BytesIO(packed(content * times)), Caps()).read() == content * times


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(packed(TEXT)[:-1], "cut off", id="cut"),
        pytest.param(packed(TEXT)[:4], "cut off", id="nothing but its mark"),
        pytest.param(packed(TEXT) + b"x", "more than one frame", id="trailing bytes"),
        pytest.param(packed(TEXT) * 2, "more than one frame", id="two frames"),
        pytest.param(packed(TEXT)[:4] + b"\x00\x00\x07\x00\x00" + bytes(9), "damaged", id="a block of no kind"),
        pytest.param(packed(b"0" * (1 << 27)), "decode to more than", id="a bomb"),
    ],
)
def test_what_is_no_single_sound_frame_is_refused(data, said):
    with pytest.raises(DeliveryRefused, match=said):
        inflated(BytesIO(data), Caps())


@given(st.integers(0, 60), st.integers(0, 255))
def test_a_damaged_frame_is_refused_or_read_and_nothing_else(place, byte):
    data = bytearray(packed(TEXT * 20))
    data[4 + place % (len(data) - 4)] = byte
    try:
        inflated(BytesIO(data), Caps())
    except DeliveryRefused:
        return


@pytest.mark.skipif(not shutil.which("zstd"), reason="the zstd program is not here")
def test_the_zstd_program_s_files_are_read():
    made = subprocess.run(["zstd", "-c"], input=TEXT * 1_000, capture_output=True, check=True).stdout
    assert inflated(BytesIO(made), Caps()).read() == TEXT * 1_000


def test_a_delivery_may_be_packed():
    columns = {"id": {"type": "integer"}, "at": {"type": "timestamp"}}
    about = {"key": ["id"], "event_time": "at", "known_at": {"delay": "1h"}, "columns": columns}
    source = Source.model_validate({"type": "files", "path": "{partition}.csv", **about})
    assert decode(packed(TEXT), source, compressed=True).rows["id"].to_pylist() == [1]
