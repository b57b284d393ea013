"""Feature sets that several use cases read: `_shared/<name>.yaml` declares one, `_shared/<name>.sql` computes it."""

import json
from contextlib import suppress
from pathlib import Path

from pydantic import Field, ValidationError

from updraft.errors import SpecInvalid
from updraft.spec import document, load
from updraft.spec.base import Part
from updraft.spec.features import Feature, FeatureContract
from updraft.spec.model import Owner, UseCase
from updraft.spec.names import Name
from updraft.spec.names import name as checked_name
from updraft.spec.problems import refusal, unfit

FOLDER = "_shared"  # folders with an underscore are no use cases
_TAKEN = {"features", "label", "this_partition"}


class Shared(Part):
    """What a shared feature set is."""

    owner: Owner
    about: str = Field(min_length=10, description="What it tells, in a sentence.")
    use_case: Name = Field(description="The use case whose sources, calendar and lead time it is computed with.")
    key: tuple[Name, ...] = Field(min_length=1, description="Columns that identify one row in a partition.")
    columns: dict[Name, Feature] = Field(min_length=1, description="The other columns of the query.")
    contract: FeatureContract = Field(default=FeatureContract(), description="What its rows must satisfy as a whole.")


def names(root: Path) -> list[str]:
    """Names of the shared feature sets below the folder of the use cases, sorted."""
    return sorted(file.stem for file in (root / FOLDER).glob("*.sql"))


def read_by(case: UseCase) -> list[str]:
    """Names of the shared feature sets that the queries of a use case may read; one shared set reads no other."""
    if case._folder is None or case.folder.name == FOLDER:
        return []
    return [name for name in names(case.folder.parent) if name not in case.sources]


def computed_with(case: UseCase) -> list[str]:
    """Names of the shared feature sets that are computed with a use case; of one that is broken nobody can say."""
    if case._folder is None or case.folder.name == FOLDER:
        return []
    own = []
    for name in names(case.folder.parent):
        with suppress(SpecInvalid):
            own += [name] * (declared(name, case.folder.parent).use_case == case.name)
    return own


def declared(name: str, root: Path) -> Shared:
    """What the YAML file of a shared feature set says.

    :raises SpecInvalid: If it is missing or says what Updraft cannot run.
    """
    path = root / FOLDER / f"{checked_name(name)}.yaml"
    if name in _TAKEN:
        raise SpecInvalid(f"{path.with_suffix('.sql')} has a name with a meaning.", next_step="rename both files.")
    read = document.read(path)
    if read.problems:
        raise refusal(path, read.problems)
    try:
        return Shared.model_validate_json(json.dumps(read.values), strict=True)
    except ValidationError as refused:
        raise refusal(path, list(unfit(refused, read))) from refused


def as_case(name: str, root: Path) -> UseCase:
    """The use case a shared set is computed with, with the set's key and columns in place of its own.

    :raises SpecInvalid: If the set, or that use case, cannot be loaded.
    """
    shared = declared(name, root)
    home = load.load(shared.use_case, root)
    if (coverage := shared.contract.coverage) and coverage.of not in home.sources:
        raise SpecInvalid(
            f"`contract.coverage` of {name} names {coverage.of!r}, which is no source of {home.name}.",
            next_step=f"name one of {', '.join(home.sources)}.",
        )
    own = {"entity": shared.key, "features": shared.columns, "contract": shared.contract}
    case = home.model_copy(update=own)
    case._folder = root / FOLDER
    return case
