"""What a reader of one format hands on: the declared columns as they were written, before they are typed."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Column: TypeAlias = Any  # pa.ChunkedArray, whose stubs do not know what the compute functions take


@dataclass(frozen=True)
class Fault:
    """Values of a column that cannot be read as declared, and why.

    :param where: One flag per row.
    :param why: Ends the sentence `'12:60' …`.
    """

    where: Mask
    why: str


@dataclass(frozen=True)
class Carried:
    """Rows as written.

    :param columns: Declared columns by name, all of one length; text for CSV, typed for the other formats.
    :param row: Number of each row among the data rows delivered, from 1.
    :param broken: Rows that have no columns at all, and why, by number; they are not in `columns`.
    :param header: Names of all columns delivered, in their order.
    :param original: JSON text of rows, by number.
    :param faults: Faults the reader itself found, by column.
    """

    columns: Mapping[str, Column]
    row: NDArray[np.int64]
    header: tuple[str, ...]
    original: Callable[[Sequence[int]], list[str]]
    broken: Mapping[int, str] = field(default_factory=dict)
    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)


def written(columns: Mapping[str, Column], row: NDArray[np.int64], lines: Mapping[int, str]) -> Any:
    """Make the `original` of a reader that holds columns, and the text of the `lines` that have none."""

    def original(numbers: Sequence[int]) -> list[str]:
        whole = [n for n in numbers if n not in lines]
        at = pa.array(np.searchsorted(row, whole), pa.int64())
        cells = {name: values.take(at).cast(pa.string()).to_pylist() for name, values in columns.items()}
        texts = {n: {name: cells[name][i] for name in cells} for i, n in enumerate(whole)}
        return [json.dumps(texts[n] if n in texts else {"line": lines[n]}, ensure_ascii=False) for n in numbers]

    return original


def mask(flags: Column) -> Mask:
    """Flags as a numpy array; null counts as false."""
    return np.asarray(flags.fill_null(False).to_numpy(), dtype=np.bool_)
