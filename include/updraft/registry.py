"""MLflow as a projection of the ledger: what people look at, never what decides and never what scores.

Everything here can be lost and is made again from the ledger and the lake. A model version carries the digest of its
model as a tag; the alias `champion` follows the ledger.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from updraft import tracking
from updraft.errors import SpecInvalid
from updraft.records import State
from updraft.spec.names import name
from updraft.tracking import DIGEST, Training, answering

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["CHAMPION", "DIGEST", "Registry", "Training"]

CHAMPION = "champion"
WITNESS = "updraft.ledger"
_STORES = ("sqlite:///", "postgresql", "mysql", "mssql", "http://", "https://")


@dataclass(frozen=True)
class Registry:
    """The runs and registered models of one MLflow; nothing is opened before the first question.

    :param tracking_uri: Database or server; MLflow's file store is refused.
    :param artifacts: Folder, or URI MLflow knows, below which each use case keeps its artifacts.
    :raises SpecInvalid: If the URI is neither, or holds a password that would end up in logs.
    """

    tracking_uri: str = field(repr=False)
    artifacts: str

    def __post_init__(self) -> None:
        if not self.tracking_uri.startswith(_STORES) or re.match(r"https?://[^/]*@", self.tracking_uri):
            raise SpecInvalid(
                "The MLflow tracking URI is not a database or a server, or it carries a password.",
                next_step="use sqlite:///…, postgresql://… or https://… with MLFLOW_TRACKING_USERNAME and _PASSWORD.",
            )

    def log_training(self, use_case: str, training: Training) -> str:
        """Show a trained model as a run and a model version; return the run's id.

        Doing it again completes what is missing and adds nothing.

        :raises RegistryUnavailable: If MLflow did not take it.
        """
        with answering():
            run = tracking.log(self._client, self.artifacts, use_case, training)
            if self._version(use_case, training.digest) is None:
                self._register(use_case, training.digest, run)
            return str(run.info.run_id)

    def attach(self, use_case: str, digest: str, files: Mapping[str, bytes]) -> bool:
        """Add files to the run of a model, or replace them; say whether there is such a run.

        :raises RegistryUnavailable: If MLflow did not take it.
        """
        with answering():
            run = tracking.find(self._client, use_case, digest)
            if run is not None:
                tracking.attach(self._client, run, files)
            return run is not None

    def point_champion(self, use_case: str, digest: str) -> bool:
        """Let the alias follow the ledger; say whether it could.

        A version that is gone is registered again from its run. Where the run is gone too, it cannot.

        :raises RegistryUnavailable: If MLflow did not take it.
        """
        with answering():
            return self._point(use_case, digest)

    def link(self, use_case: str, name: str, address: str) -> None:
        """Put an address on the page of a model that is registered, such as that of its monitoring."""
        with tracking.answering():
            self._client.set_registered_model_tag(use_case, f"{tracking.OURS}{name}", address)

    def champion_alias(self, use_case: str) -> str | None:
        """Digest of the model the alias stands at; `None` without an alias, or on a version that is not ours.

        :raises RegistryUnavailable: If MLflow did not answer.
        """
        with answering():
            found = self._alias(use_case)
            return found[1] if found else None

    def repair(self, use_case: str, state: State) -> str | None:
        """Make the alias follow the ledger again; say what was found and done, `None` when all was well.

        :raises RegistryUnavailable: If MLflow did not take it.
        """
        with answering():
            found = self._alias(use_case)
            standing = found[1] if found else None
            # An alias on a version that is not ours is not the same as no alias.
            if standing == state.champion and (found is None) == (state.champion is None):
                return None
            where = f"stood at version {found[0]} ({(standing or 'not ours')[:12]})" if found else "was missing"
            return f"alias {CHAMPION} of {use_case} {where}: {self._mend(use_case, state.champion)}"

    def witness(self, use_case: str, sequence: int, digest: str) -> None:
        """Remember the newest record of the ledger outside of the lake, where whoever cuts the ledger does not reach.

        :raises RegistryUnavailable: If MLflow did not take it.
        """
        with answering():
            self._client.set_registered_model_tag(use_case, WITNESS, f"{sequence} {digest}")

    def witnessed(self, use_case: str) -> tuple[int, str] | None:
        """Sequence and digest of the newest record MLflow was told of; `None` when it was told of none.

        :raises RegistryUnavailable: If MLflow did not answer.
        """
        with answering():
            models = self._client.search_registered_models(f"name = '{name(use_case)}'", max_results=1)
            told = re.fullmatch(r"([0-9]{1,8}) ([0-9a-f]{64})", models[0].tags.get(WITNESS, "")) if models else None
            return (int(told[1]), told[2]) if told else None

    def _mend(self, use_case: str, champion: str | None) -> str:
        if champion is None:
            self._client.delete_registered_model_alias(use_case, CHAMPION)
            return "removed, for the ledger has no champion"
        if self._point(use_case, champion):
            return f"moved to {champion[:12]}, the ledger's champion"
        return f"not repaired, MLflow has no run of the ledger's champion {champion[:12]}; log its training again"

    def _point(self, use_case: str, digest: str) -> bool:
        version = self._version(use_case, digest)
        if version is None:
            run = tracking.find(self._client, use_case, digest)
            if run is None:
                return False
            version = self._register(use_case, digest, run)
        self._client.set_registered_model_alias(use_case, CHAMPION, version)
        return True

    def _register(self, use_case: str, digest: str, run: "Run") -> str:
        with tracking.may_exist():
            self._client.create_registered_model(use_case)
        source = f"{run.info.artifact_uri}/model"
        told = {key: value for key, value in run.data.tags.items() if key.startswith(tracking.OURS)}
        made = self._client.create_model_version(
            use_case, source, run.info.run_id, tags={**told, DIGEST: digest}, await_creation_for=0
        )
        return str(made.version)

    def _version(self, use_case: str, digest: str) -> str | None:
        wanted = f"name = '{name(use_case)}' and tags.`{DIGEST}` = '{tracking.checked(digest)}'"
        found = [int(version.version) for version in self._client.search_model_versions(wanted)]
        return str(min(found)) if found else None

    def _alias(self, use_case: str) -> tuple[str, str | None] | None:
        """Version the alias stands at, and the digest it carries."""
        models = self._client.search_registered_models(f"name = '{name(use_case)}'", max_results=1)
        version = models[0].aliases.get(CHAMPION) if models else None
        if version is None:
            return None
        return str(version), self._client.get_model_version(use_case, version).tags.get(DIGEST)

    @cached_property
    def _client(self) -> "MlflowClient":
        return tracking.connect(self.tracking_uri)
