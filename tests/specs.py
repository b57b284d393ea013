"""The text of a whole spec, written into a folder as it is or changed."""

from pathlib import Path

import pytest

from updraft.errors import SpecInvalid
from updraft.spec.load import FILES, load

SPEC = """\
version: 1
name: tiny
owner: {name: Tiny team, email: tiny@example.com}
problem:
  goal: Say whether the thing will happen.
  lead_time: 6h
  decision: Act on it.
  value: {true_positive: 3, false_positive: -1, false_negative: 0}
partitions: {every: day, timezone: UTC, first: 2024-01-01}
entity: [id]
sources:
  facts:
    type: files
    path: facts/{partition}.csv
    key: [id]
    event_time: happened_at
    known_at: {column: reported_at}
    columns:
      id: {type: string}
      amount: {type: number, nullable: true, range: [0, 10]}
      country: {type: string, among: [NO, SE]}
      happened_at: {type: timestamp}
      reported_at: {type: timestamp}
label: {column: late, maturity: 1d}
features:
  amount: {type: number}
model:
  threads: 2
"""


def write(folder: Path, spec: str | bytes, name: str = "tiny", without: str = "") -> Path:
    own = folder / name
    own.mkdir(parents=True, exist_ok=True)
    (own / "spec.yaml").write_bytes(spec if isinstance(spec, bytes) else spec.encode())
    for file in FILES:
        if file != without:
            (own / file).write_text("SELECT 1")
    return own


def refused(folder: Path, spec: str | bytes, **how: str) -> str:
    own = write(folder, spec, **how)
    with pytest.raises(SpecInvalid) as caught:
        load(own.name, folder)
    return str(caught.value)


def changed(old: str, new: str) -> str:
    assert SPEC.count(old) == 1, old
    return SPEC.replace(old, new)
