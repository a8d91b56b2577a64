"""What MLflow keeps of a project: its runs, its registered model, its baseline."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.github import environment
from mlgate.adapters.mlflow import baseline as mlflow_baseline
from mlgate.adapters.mlflow.baseline import MlflowBaseline, nothing_yet
from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.registry import MlflowRegistry
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.config.config import Config
from mlgate.config.sections.document import registered_name
from mlgate.config.sections.mlflow_baseline import MlflowBaseline as BaselineSection
from mlgate.config.sections.tracking import MlflowTracking
from mlgate.config.sections.uris import is_known
from mlgate.core.errors import ConfigError, Refused
from mlgate.flow.promotion import CANDIDATE, CHAMPION
from mlgate.wiring import evidence_source

DEFAULT = "sqlite:///mlflow.db"


@dataclass(frozen=True)
class Mlflow:
    """One project's part of MLflow. Nothing is opened before it is used."""

    config: Config
    section: MlflowTracking

    HINT: ClassVar[str] = "add a line: tracking: {mlflow: sqlite:///mlflow.db}"

    @classmethod
    def of(cls, config: Config) -> Mlflow | None:
        """Return the memory that the file configures; None without one."""
        return None if config.tracking is None else cls(config, config.tracking)

    @classmethod
    def demanded(cls, config: Config) -> Mlflow:
        """Return the memory; a file without one is a ConfigError."""
        found = cls.of(config)
        if found is None:
            raise ConfigError(
                "nothing is remembered: there is no `tracking:` section", where=str(config.path), hint=cls.HINT
            )
        return found

    @cached_property
    def place(self) -> StoreAddress:
        """Return where runs are kept: as the file says, else the environment, else beside the file."""
        uri = self.section.uri or os.environ.get("MLFLOW_TRACKING_URI", "") or DEFAULT
        if not is_known(uri):  # not repeated: it may hold a password
            raise ConfigError(
                "MLFLOW_TRACKING_URI names no place where MLflow keeps runs",
                hint="set it like http://mlflow:5000 or sqlite:///mlflow.db; a folder of files is no store any more",
            )
        artifacts = self.config.root / self.section.artifacts
        return StoreAddress(_absolute(uri, self.config.root), artifacts, self.section.timeout.total_seconds())

    @property
    def is_unnamed(self) -> bool:
        """Return whether neither the file nor the environment says where runs are kept."""
        return not (self.section.uri or os.environ.get("MLFLOW_TRACKING_URI"))

    @cached_property
    def server(self) -> Server:
        """Return the client."""
        return Server(self.place)

    @cached_property
    def runs(self) -> MlflowRuns:
        """Return the tracker."""
        return MlflowRuns(self.server, self.section.experiment or self.config.model.name)

    def registry(self, name: str = "") -> MlflowRegistry:
        """Return the registered model *name*, else the one that the file names."""
        stages = dict(self.section.registry.stages)
        return MlflowRegistry(self.runs, self.server, name or self.model, stages)

    @property
    def name(self) -> str:
        """Return the model's name in its runs: of several in one experiment, each has its own last pass."""
        return self.section.registry.name or self.config.model.name

    @property
    def model(self) -> str:
        """Return the registered model's name. Raises ConfigError where the model's own cannot be one."""
        name = registered_name(self.config.document)
        if name is None:
            raise ConfigError(
                f"{self.config.model.name!r} cannot be a registered model's name",
                where=self.config.where("model", "name"),
                hint="name it: tracking: {mlflow: {registry: {name: …}}}",
            )
        return name

    @property
    def alias(self) -> str:
        """Return the alias of the live version: the one that the baseline follows, else `champion`."""
        kept = self.config.baseline
        chosen = kept.chosen_alias if isinstance(kept, BaselineSection) else None
        return chosen if chosen and chosen != CANDIDATE else CHAMPION

    def is_live(self, alias: str) -> bool:
        """Return whether an alias that a person names is that of the live version: `champion` is, by any name."""
        return alias in (self.alias, CHAMPION)

    def baseline(self, section: BaselineSection, most: int) -> MlflowBaseline:
        """Return the baseline that the section names, of at most *most* rows."""
        if section.run:
            find = mlflow_baseline.of_run(section.run)
            return MlflowBaseline(self.server, f"MLflow run {section.run[:8]}", "name another run", find, most)
        if section.latest:
            also = {"mlgate.name": self.name, **({"mlgate.reviewed": "true"} if environment.here() else {})}
            find = mlflow_baseline.of_branch(self.runs, section.latest, also)
            accept = f"let the gate pass on {section.latest} once"
            return MlflowBaseline(self.server, f"MLflow's last pass of {section.latest}", accept, find, most)
        registry = self.registry(section.model or "")
        if section.version:
            find = mlflow_baseline.of_version(registry, section.version)
            return MlflowBaseline(
                self.server, f"MLflow {registry.name} v{section.version}", "name another version", find, most
            )
        alias = section.chosen_alias or CHAMPION
        accept = "accept one with `mlgate check --save-baseline`"
        return MlflowBaseline(
            self.server, f"MLflow {registry.name}@{alias}", accept, mlflow_baseline.of_alias(registry, alias), most
        )


def baseline_of(
    known: Mlflow | None, config: Config, section: BaselineSection, *, base: BaseCommit | None, most: int
) -> MlflowBaseline:
    """Return the baseline that the file names, of at most *most* rows; of a *base* commit its tracking is in it.

    Raises Refused for a store that a change could bring.
    """
    if base is not None and known is None:
        return nothing_yet("the base has no `tracking:` yet")
    memory = known or Mlflow.demanded(config)
    store = memory.place.file
    if store is not None and evidence_source.is_kept(config.root, store, base):
        raise Refused(
            f"the runs' store {store.name} is committed: a change could bring its own baseline",
            where=config.where("tracking"),
            hint=f"git rm --cached -- {shlex.quote(store.name)}, and keep it where no change reaches, or on a server",
        )
    return memory.baseline(section, most)


def _absolute(uri: str, root: Path) -> str:
    """Return a sqlite store's URI with the file's whole path: relative ones are beside the configuration."""
    parts = urlsplit(uri)
    if parts.scheme.partition("+")[0] != "sqlite" or parts.path.startswith("//"):
        return uri
    path = (root / parts.path.removeprefix("/")).absolute()
    return f"{parts.scheme}:///{path}" + (f"?{parts.query}" if parts.query else "")
