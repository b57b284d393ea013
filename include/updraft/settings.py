"""Where this installation keeps its things; read from the environment, once, by whoever asks."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from updraft.errors import SettingInvalid

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([KMGT])(i?)B", re.IGNORECASE)
SHARE = 0.5  # DuckDB's of `memory`: libraries, rows on their way in and out, and the lake's writer take the rest


@dataclass(frozen=True)
class Settings:
    """Places of one installation.

    :param home: Folder of everything generated; `UPDRAFT_HOME`, `.updraft` below the working directory by default.
    :param lake: URI of the lake, a folder or `s3://bucket/prefix`; `UPDRAFT_LAKE`.
    :param inbox: Folder in which file deliveries arrive; `UPDRAFT_INBOX`.
    :param use_cases: Folder of the use cases; `UPDRAFT_USE_CASES`.
    :param tracking: MLflow tracking URI; `MLFLOW_TRACKING_URI`.
    :param artifacts: Where MLflow keeps artifacts; `UPDRAFT_ARTIFACTS`.
    :param runbooks: Where the runbooks are read, a folder or an address; `UPDRAFT_RUNBOOKS`.
    :param memory: About what a process that builds may take, such as `1GB`; history that does not fit goes to disk.
        `UPDRAFT_MEMORY`.
    """

    home: Path
    lake: str
    inbox: Path
    use_cases: Path
    tracking: str
    artifacts: str
    memory: str | None = None
    runbooks: str = "docs/runbooks"

    @classmethod
    def from_env(cls) -> "Settings":
        """Read the environment.

        Paths are made absolute, so that a task that changes its working directory still finds them.
        """
        home = Path(os.environ.get("UPDRAFT_HOME", ".updraft")).absolute()
        here = Path(os.environ.get("UPDRAFT_USE_CASES", "include/use_cases")).absolute()
        return cls(
            home=home,
            lake=os.environ.get("UPDRAFT_LAKE", str(home / "lake")),
            inbox=Path(os.environ.get("UPDRAFT_INBOX", home / "inbox")).absolute(),
            use_cases=here,
            tracking=os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow.db'}"),
            artifacts=os.environ.get("UPDRAFT_ARTIFACTS", str(home / "mlartifacts")),
            memory=os.environ.get("UPDRAFT_MEMORY") or None,
            runbooks=os.environ.get("UPDRAFT_RUNBOOKS", "docs/runbooks"),
        )

    def engine(self) -> int | None:
        """Bytes of `memory` that are DuckDB's; `None` where nothing limits it.

        :raises SettingInvalid: If `memory` is no amount of memory.
        """
        if not self.memory:
            return None
        said = _AMOUNT.fullmatch(self.memory)
        if said is None or not float(said[1]):
            raise SettingInvalid(
                f"UPDRAFT_MEMORY is {self.memory[:40]!r}, which is no amount of memory.",
                next_step="write it like 800MB or 4GB.",
            )
        number, power, binary = said.groups()
        return int(float(number) * (1024 if binary else 1000) ** (1 + "KMGT".index(power.upper())) * SHARE)

    def hold(self, db: "DuckDBPyConnection") -> None:
        """Keep a DuckDB within its part of `memory`, and let what does not fit go to disk below `home`.

        :raises SettingInvalid: If `memory` is no amount of memory.
        """
        db.execute("SET temp_directory = ?", [str(self.home / "spill")])
        if part := self.engine():
            db.execute("SET memory_limit = ?", [f"{part}B"])
