"""A project: its mlgate.yaml, the suite that it asks, and the adapters that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from mlgate.adapters import git
from mlgate.adapters.file_baseline import FileBaseline
from mlgate.adapters.git_baseline import GitBaseline
from mlgate.adapters.inline_executor import InlineExecutor
from mlgate.adapters.plan_file import Plan
from mlgate.adapters.pytest_executor import PytestExecutor
from mlgate.adapters.python_source import source_digest
from mlgate.checks.accuracy import Accuracy
from mlgate.checks.recorded import Recorded
from mlgate.config import document
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.config.translate import to_check
from mlgate.core.check import Check, Json, Suite
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Provenance
from mlgate.core.ports import BaselineStore, Executor, Kind
from mlgate.wiring import models
from mlgate.wiring.data import dataset

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (Accuracy(), Recorded())}
"""Every kind of check: one file in checks/, one name here."""

_LARGEST_BATCH = 64


@dataclass(frozen=True)
class Project:
    """What one mlgate.yaml means, with its data read."""

    config: Config
    suite: Suite

    BASELINE_HINT: ClassVar[str] = "write `baseline: {from: file, path: baseline.jsonl.gz}`"

    @classmethod
    def load(cls, path: Path) -> Project:
        """Read configuration and data. Raises ConfigError, with the place, for what cannot be used."""
        config = load(path)
        return cls(config, Suite.of((_check(config, name) for name in config.checks), config.model.name))

    @property
    def root(self) -> Path:
        """Return the folder that paths are relative to."""
        return self.config.root

    @cached_property
    def provenance(self) -> Provenance:
        """Return what this checkout would observe."""
        return self.provenance_of(models.digest(self.config.model, self.root, self.suite))

    def provenance_of(self, model: str) -> Provenance:
        """Return what this checkout would observe of the model with that digest."""
        data = tuple(sorted((check.id, check.data_digest) for check in self.suite.checks))
        return Provenance(git.commit(self.root), self.suite.digest, model, data)

    def provenance_beside(self, model: str) -> Provenance:
        """Return `provenance`; where the answers were not brought along, take the shards' word for the *model*."""
        try:
            return self.provenance
        except EvidenceError:
            return self.provenance_of(model)

    @property
    def written_model(self) -> Mapping[str, Json]:
        """Return the model's section as plain values, for processes that get it in a plan."""
        written: Mapping[str, Json] = self.config.model.model_dump(mode="json", exclude_unset=True)
        return written

    def baseline_store(self) -> BaselineStore | None:
        """Return where the baseline is kept; None when none is configured."""
        match self.config.baseline:
            case None:
                return None
            case document.FileBaseline(path=path):
                return FileBaseline(self.root / path, path)
            case document.GitBaseline(ref=ref, path=path):
                return GitBaseline(self.root, ref, path)

    @property
    def baseline_path(self) -> Path | None:
        """Return the baseline's file in the work tree, if one is configured."""
        return self.root / self.config.baseline.path if self.config.baseline else None

    def executor(self, workers: int, log: Path) -> Executor:
        """Return who observes: pytest's workers, or this process when there is nothing to run side by side."""
        section = self.config.model
        tested = any(tests(check) for check in self.suite.checks)
        if (workers == 0 or section.answers is not None) and not tested:
            return InlineExecutor(KINDS, lambda: models.model(self.written_model, self.root, self.suite, 1))
        return PytestExecutor(self.plan(max(1, workers)), log)

    def plan(self, workers: int) -> Plan:
        """Return what workers need to know."""
        largest = max((len(check.examples) for check in self.suite.checks), default=0)
        endpoint = self.config.model.endpoint
        at_once = endpoint.concurrency * 2 if endpoint else 1
        batch = min(max(-(-largest // (workers * 16)), at_once, 1), _LARGEST_BATCH)
        return Plan(self.suite, self.written_model, str(self.root.resolve()), batch, workers)


def _check(config: Config, name: str) -> Check:
    found = dataset(config, name)
    check = to_check(config, name, found.examples, found.notices)
    if not tests(check):
        return check
    code = [source_digest(f"{Path(path.split('::')[0]).stem}:", _folder(config.root / path)) for path in tests(check)]
    return replace(check, params={**check.params, "code": code})


def _folder(path: Path) -> Path:
    """Return where a test file's module, or a folder of tests, is looked for."""
    return Path(str(path).split("::")[0]).parent


def tests(check: Check) -> Sequence[str]:
    """Return the paths of the user's tests that record a check's rows; empty for checks that ask the model."""
    paths = check.params.get("tests", ())
    return tuple(str(path) for path in paths) if isinstance(paths, Sequence) and not isinstance(paths, str) else ()
