"""Load use cases: a folder with `spec.yaml`, `features.sql`, `label.sql` and `README.md` becomes a frozen `UseCase`."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from updraft.errors import SpecInvalid, did_you_mean
from updraft.settings import Settings
from updraft.spec import document
from updraft.spec.document import Document
from updraft.spec.model import UseCase
from updraft.spec.names import name as checked_name
from updraft.spec.problems import Problem, found, refusal, unfit

FILES = ("features.sql", "label.sql", "README.md")
_EXAMPLES = {"hour": "2013-04-01T05", "day": "2013-04-01", "week": "2013-W14"}


@dataclass(frozen=True)
class Broken:
    """A use case that cannot be loaded.

    :param name: Its folder's name.
    :param error: What is wrong with it.
    """

    name: str
    error: SpecInvalid


def load(name: str, folder: Path | None = None) -> UseCase:
    """Load the use case `name` below `folder` (`UPDRAFT_USE_CASES` when not given).

    :raises NameInvalid: If `name` is not a name.
    :raises SpecInvalid: If there is no such use case, or its files do not say what Updraft can run; the message
        names file, line and field of the first ten problems.
    """
    root = _root(folder)
    own = root / checked_name(name)
    if not own.is_dir():
        raise SpecInvalid(
            f"There is no use case {name!r} in {root}; {did_you_mean(name, (f.name for f in _folders(root)))}",
            next_step="check the name, or add the folder.",
        )
    return _load(own)


def discover(folder: Path | None = None) -> list[UseCase | Broken]:
    """Load every use case below `folder`, sorted by name; one that is broken does not hide the others.

    Folders whose name starts with `_` or `.` are left out.
    """
    cases: list[UseCase | Broken] = []
    for own in _folders(_root(folder)):
        try:
            cases.append(_load(own))
        except SpecInvalid as error:
            cases.append(Broken(own.name, error))
    return cases


def digest(case: UseCase) -> str:
    """SHA-256 of everything the spec says, defaults included; layout, comments and the order of keys do not count."""
    said = json.dumps(case.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def _root(folder: Path | None) -> Path:
    return Settings.from_env().use_cases if folder is None else folder


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith(("_", ".")))


def _load(own: Path) -> UseCase:
    path = own / "spec.yaml"
    read = document.read(path)
    case, problems = _validated(read)
    if missing := [file for file in FILES if not (own / file).is_file()]:
        problems.append(Problem(1, "", f"{' and '.join(missing)} should stand beside this file; found none"))
    if case is not None:
        problems += _misfits(case, own, read)
    if case is None or problems:
        raise refusal(path, problems)
    case._folder = own
    return case


def _validated(read: Document) -> tuple[UseCase | None, list[Problem]]:
    problems = list(read.problems)
    try:
        # JSON mode, because only there does strictness let a list be a tuple.
        return UseCase.model_validate_json(json.dumps(read.values), strict=True), problems
    except ValidationError as refused:
        told = {problem.field for problem in problems}
        return None, problems + [problem for problem in unfit(refused, read) if problem.field not in told]


def _misfits(case: UseCase, own: Path, read: Document) -> Iterator[Problem]:
    if case.name != own.name:
        yield Problem(read.line(("name",)), "name", f"should be the folder's name, {own.name!r}; found {case.name!r}")
    for source, declared in case.sources.items():
        if declared.python and not (own / declared.python.file).is_file():
            place = ("sources", source, "python", "call")
            missing = f"there is no {declared.python.file} beside this file"
            yield Problem(read.line(place), ".".join(place), missing)
    every = case.partitions.every
    for end, key in (("first", case.partitions.first), ("last", case.partitions.last)):
        if key is not None and not _is_key(key, every):
            wanted = f"should be the key of a partition that lasts one {every}, like {_EXAMPLES[every]}"
            yield Problem(read.line(("partitions", end)), f"partitions.{end}", f"{wanted}; found {found(key)}")


def _is_key(key: str, every: str) -> bool:
    # The calendar stands above the spec and reads keys itself; here only the form matters, so that a typo has a line.
    text, form = {
        "hour": (key, "%Y-%m-%dT%H"),
        "day": (key, "%Y-%m-%d"),
        "week": (f"{key}-1", "%G-W%V-%u"),
    }[every]
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return False
    return moment.strftime(form) == text and 1000 <= moment.year < 3000
