"""What the unit tests of the stages share: SQL use cases, and a small world that is made once and copied per test."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests import parcels

from updraft.lake import Lake
from updraft.spec.model import UseCase

TRAINED_AT, LAST = "2024-01-18", "2024-02-11"
SCORED = ["2024-01-16", "2024-01-17", "2024-01-18"]
TURNED = [f"2024-01-{day}" for day in range(19, 26)]
INGESTED = ["2024-01-01", "2024-01-02", "2024-01-03"]
WHO = "test"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def sql_case(make_case: Callable[..., UseCase], tmp_path: Path) -> Callable[..., UseCase]:
    """Build the tiny use case with SQL beside it; every call makes a folder of its own."""
    made = 0

    def make(features: str, label: str = "SELECT id, NULL AS late FROM facts", /, **overrides: Any) -> UseCase:
        nonlocal made
        made += 1
        folder = tmp_path / f"use_case_{made}"
        folder.mkdir()
        (folder / "features.sql").write_text(features, encoding="utf-8")
        (folder / "label.sql").write_text(label, encoding="utf-8")
        case = make_case(**overrides)
        case._folder = folder
        return case

    return make


@dataclass(frozen=True)
class World:
    """A use case, its lake, and its MLflow where a test looks at it: opening one takes seconds."""

    case: UseCase
    lake: Lake
    registry: Any = None

    def copy(self, folder: Path) -> "World":
        """The same world in another folder."""
        shutil.copytree(self.lake.uri, folder / "lake")
        lake = Lake(str(folder / "lake"))
        if self.registry is None:
            return World(self.case, lake)
        shutil.copy(self.registry.tracking_uri.removeprefix("sqlite:///"), folder / "mlflow.db")
        return World(self.case, lake, _mlflow(folder))


def _mlflow(folder: Path) -> Any:
    from updraft.registry import Registry

    return Registry(f"sqlite:///{folder / 'mlflow.db'}", str(folder / "artifacts"))


@pytest.fixture(scope="session")
def _two_trained(mlflow_store: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.promoting import A, B, mlflow_of

    return mlflow_of(mlflow_store, tmp_path_factory.mktemp("two_trained"), A, B)


@pytest.fixture(scope="session")
def seen(mlflow_store: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an MLflow that has seen three models."""
    from tests.promoting import MODELS, mlflow_of

    return mlflow_of(mlflow_store, tmp_path_factory.mktemp("seen"), *MODELS)


@pytest.fixture(scope="module")
def shared(_two_trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One MLflow that has seen two models, for all tests of a file but those about the alias."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(_two_trained, folder)
    return _mlflow(folder)


@pytest.fixture
def registry(_two_trained: Path, tmp_path: Path) -> Any:
    """The same MLflow, for one test alone."""
    shutil.copy(_two_trained, tmp_path)
    return _mlflow(tmp_path)


@pytest.fixture(scope="session")
def parcels_case(tmp_path_factory: pytest.TempPathFactory) -> UseCase:
    return parcels.write(tmp_path_factory.mktemp("use_cases"))


@pytest.fixture(scope="session")
def _delivered(parcels_case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Raw rows of six weeks, and the features of the first 18 days."""
    from updraft import features
    from updraft.partition import calendar

    lake = Lake(str(tmp_path_factory.mktemp("delivered") / "lake"))
    parcels.deliver(parcels_case, lake, calendar(parcels_case).keys("2024-01-01", LAST))
    features.build(parcels_case, calendar(parcels_case).keys("2024-01-01", TRAINED_AT), lake)
    return lake


@pytest.fixture(scope="session")
def _candidate(parcels_case: UseCase, _delivered: Lake, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, with a first candidate trained."""
    from updraft.life import train
    from updraft.partition import calendar

    world = World(parcels_case, _delivered).copy(tmp_path_factory.mktemp("candidate"))
    train.fit(parcels_case, calendar(parcels_case).at(TRAINED_AT), world.lake, code_version="test", who=WHO)
    return world


@pytest.fixture(scope="session")
def _champion(_candidate: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, with the candidate examined, and promoted in the ledger as `promote` does it; MLflow knows nothing."""
    from updraft.ledger import Ledger
    from updraft.life import promotion
    from updraft.partition import calendar

    world = _candidate.copy(tmp_path_factory.mktemp("champion"))
    ledger = Ledger(world.lake, "parcels")
    (trained,) = ledger.records()
    found = promotion.examine(world.case, calendar(world.case).at(TRAINED_AT), world.lake, trained.facts, who=WHO)
    facts = {"gated": found["gated"], "champion": None, "approval": None}
    ledger.append("promoted", why=found["outcome"], who=WHO, partition=TRAINED_AT, model=trained.model, facts=facts)
    return world


@pytest.fixture(scope="session")
def _shown(_candidate: World, mlflow_store: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world with a candidate, and an MLflow that has seen nothing yet."""
    folder = tmp_path_factory.mktemp("shown")
    os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))
    world = _candidate.copy(folder)
    mlflow_store(folder)
    return replace(world, registry=_mlflow(folder))


@pytest.fixture(scope="session")
def _promoted(_shown: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, with the candidate promoted as the stages do it."""
    from updraft.ledger import Ledger
    from updraft.life import promotion
    from updraft.partition import calendar

    world, at = _shown.copy(tmp_path_factory.mktemp("promoted")), calendar(_shown.case).at(TRAINED_AT)
    (trained,) = Ledger(world.lake, "parcels").records()
    promotion.examine(world.case, at, world.lake, trained.facts, who=WHO)
    promotion.conclude(world.case, at, world.lake, world.registry, trained.facts["candidate"], who=WHO)
    return world


@pytest.fixture
def delivered(_delivered: Lake, tmp_path: Path) -> Lake:
    """A lake with raw rows of six weeks, and the features of the first 18 days."""
    return World(None, _delivered).copy(tmp_path).lake  # type: ignore[arg-type]


@pytest.fixture
def trained(_shown: World, tmp_path: Path) -> World:
    """A world with a candidate nobody has examined yet, and an MLflow that has seen nothing yet."""
    return _shown.copy(tmp_path)


@pytest.fixture
def promoted(_promoted: World, tmp_path: Path) -> World:
    """A world with a first champion, which MLflow shows."""
    return _promoted.copy(tmp_path)


@pytest.fixture
def world(_champion: World, tmp_path: Path) -> World:
    """A world with a first champion, without MLflow."""
    return _champion.copy(tmp_path)


@pytest.fixture(scope="session")
def _observed(_champion: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, with three partitions scored and the newest of them measured."""
    from updraft import score
    from updraft.life import monitor

    world = _champion.copy(tmp_path_factory.mktemp("observed"))
    champion = score.pin(world.case, world.lake)
    score.partitions(world.case, SCORED, world.lake, champion=champion)
    monitor.watch_partitions(world.case, SCORED[-1:], world.lake)
    return world


@pytest.fixture(scope="session")
def _drifting(_observed: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same a week later: the parcels have turned, and the champion does not know."""
    from updraft import features, score
    from updraft.life import monitor

    world = _observed.copy(tmp_path_factory.mktemp("drifting"))
    features.build(world.case, TURNED, world.lake)
    score.partitions(world.case, TURNED, world.lake, champion=score.pin(world.case, world.lake))
    monitor.watch_partitions(world.case, TURNED[:5], world.lake)
    return world


@pytest.fixture(scope="session")
def _examined(_promoted: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world turned two weeks ago; a candidate that learnt it has passed its gates, and nothing is decided yet."""
    from tests import rolling_out

    world = _promoted.copy(tmp_path_factory.mktemp("examined"))
    rolling_out.examine(world)
    return world


@pytest.fixture
def begun(_examined: World, tmp_path: Path) -> Callable[[dict[str, Any]], tuple[UseCase, World, dict[str, Any]]]:
    """Conclude the examination under a spec with a rollout; what came of it, and the world."""
    from tests import rolling_out

    return lambda declared: rolling_out.begin(_examined.copy(tmp_path), declared)


@pytest.fixture(scope="session")
def lived(parcels_case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that is read alone: its rows came as files, and it has a champion and two scored partitions."""
    from tests import explained

    return explained.live(parcels_case, tmp_path_factory.mktemp("lived"))


@pytest.fixture
def drifting(_drifting: World, tmp_path: Path) -> World:
    """A world whose parcels turned on the nineteenth; scored to the twenty-fifth and measured to the twenty-third."""
    return _drifting.copy(tmp_path)


@pytest.fixture
def observed(_observed: World, tmp_path: Path) -> World:
    """A world with a first champion at work: three partitions are scored, the newest of them is measured."""
    return _observed.copy(tmp_path)


@pytest.fixture
def champion(observed: World) -> str:
    """Digest of the champion at work."""
    return _ledger(observed).state().champion


@pytest.fixture
def other(observed: World) -> str:
    """Digest of a model that was trained beside it."""
    (trained,) = [record for record in _ledger(observed).records() if record.kind == "trained"]
    return trained.facts["baselines"]["lightgbm"]


def _ledger(world: World) -> Any:
    from updraft.ledger import Ledger

    return Ledger(world.lake, "parcels")


@pytest.fixture(scope="session")
def _ingested(parcels_case: UseCase, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, Path]:
    """A lake into which three days were ingested from files, a bad row among them, and the inbox they came from."""
    from updraft import ingest

    folder = tmp_path_factory.mktemp("ingested")
    lake, inbox = Lake(str(folder / "lake")), folder / "inbox"
    parcels.drop(parcels_case, inbox, INGESTED)
    spoilt = inbox / f"parcels/{INGESTED[0]}.csv"
    spoilt.write_text(spoilt.read_text().replace("2024-01-01-007,", "2024-01-01-006,", 1))
    for source in parcels_case.sources:
        ingest.stage(parcels_case, source, INGESTED, lake, inbox)
    return lake, inbox


@pytest.fixture
def ingested(_ingested: tuple[Lake, Path], tmp_path: Path) -> Lake:
    """A lake into which three days were ingested from files, a bad row among them."""
    shutil.copytree(_ingested[0].uri, tmp_path / "ingested")
    return Lake(str(tmp_path / "ingested"))
