"""Rows from a function in the use case's folder, for everything that no other kind reads.

The function takes the start and the end of a span of time (UTC) and yields Arrow record batches or tables. It is code
of the team, like the DAGs: it is trusted, and its time limit is the task's.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from updraft.errors import DeliveryRefused, SourceUnavailable, SpecInvalid, UpdraftError
from updraft.sources import Found, Site
from updraft.sources.reach import window, written
from updraft.spec.kinds import Python
from updraft.spec.sources import Source

_PASSING = (OSError, TimeoutError)


def find(source: Source, partitions: Sequence[str], site: Site) -> list[Found]:
    """A delivery for each partition whose window is past."""
    return window.past(_asked(source), partitions, site, _asked(source).call)


def fetch(source: Source, found: Found, site: Site, into: IO[bytes]) -> None:
    """Write the rows that the function yields, as Parquet.

    :raises SpecInvalid: If there is no such function.
    :raises DeliveryMissing: If the window is not past.
    :raises DeliveryRefused: If the function fails or yields something else than Arrow, or the rows exceed the caps.
    :raises SourceUnavailable: If it fails because a file or a system did not answer.
    """
    asked = _asked(source)
    span = window.asked_for(asked, found, site)
    function = _loaded(asked, site.case.folder / asked.file)
    given = {"connection": site.connections(asked.connection)} if asked.connection else {}
    yielded = _batches(asked, lambda: function(span.start, span.end, **given))
    into.write(written.parquet(yielded, source, found.origin))


def _asked(source: Source) -> Python:
    assert source.python is not None  # the spec sees to it
    return source.python


def _loaded(asked: Python, file: Path) -> Callable[..., Any]:
    """The function, from the file as it is now."""
    if not file.is_file():
        raise SpecInvalid(f"There is no {asked.file} beside spec.yaml.", next_step="add it, or correct `python.call`.")
    name = f"updraft_source_{file.parent.name}_{file.stem}"
    told = importlib.util.spec_from_file_location(name, file)
    assert told is not None
    assert told.loader is not None
    module = importlib.util.module_from_spec(told)
    sys.modules[name] = module  # dataclasses look their module up there
    _run(asked, lambda: told.loader.exec_module(module))  # type: ignore[union-attr]
    function = getattr(module, asked.function, None)
    if not callable(function):
        raise SpecInvalid(
            f"{asked.file} has no function {asked.function!r}.", next_step="add it, or correct `python.call`."
        )
    return function


def _batches(asked: Python, call: Callable[[], Iterable[Any]]) -> Iterator[pa.RecordBatch | pa.Table]:
    """What the function yields, one by one; it runs in between."""
    yielded = iter(_run(asked, lambda: iter(call())))
    while (batch := _run(asked, lambda: next(yielded, None))) is not None:
        if not isinstance(batch, (pa.RecordBatch, pa.Table)):
            raise DeliveryRefused(
                f"{asked.call} yields {type(batch).__name__}.", next_step="yield pyarrow record batches or tables."
            )
        yield batch


def _run(asked: Python, step: Callable[[], Any]) -> Any:
    """Run a step of the team's code and name file, function and line when it fails."""
    try:
        return step()
    except UpdraftError:
        raise
    except _PASSING as passing:
        raise SourceUnavailable(_told(asked, passing), next_step="try again; see the cause in the log.") from passing
    except Exception as fault:
        raise DeliveryRefused(_told(asked, fault), next_step="see the cause in the log and mend the file.") from fault


def _told(asked: Python, fault: BaseException) -> str:
    # Only the fault's type: its text may quote a password or a person's data.
    lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename.endswith(asked.file)]
    return f"{asked.call} failed{f' in line {lines[-1]}' if lines else ''} with {type(fault).__name__}."
