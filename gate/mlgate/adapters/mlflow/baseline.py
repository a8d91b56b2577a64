"""The baseline as MLflow remembers it: evidence of the champion, of a version, of a run, of a branch's last pass."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlgate.adapters.files import evidence_file, safe_file
from mlgate.adapters.mlflow.client import Server, StoreAddress, Unable
from mlgate.adapters.mlflow.registry import MlflowRegistry
from mlgate.adapters.mlflow.runs import ARTIFACT_FOLDER, MlflowRuns
from mlgate.core.errors import ConfigError, EvidenceError, Refused
from mlgate.core.evidence import Evidence
from mlgate.core.tracking.ledger import NO_VERSION

EVIDENCE = "evidence.jsonl.gz"
_ABSENT = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True, slots=True)
class Found:
    """Which run has the evidence, and the digest that it must have."""

    run: str
    evidence: str
    """Empty: the run's own tag says."""


Find = Callable[[], Found | None]


class MlflowBaseline:
    """Evidence that MLflow keeps. Read, its digest is compared with what was written beside it when it was accepted."""

    def __init__(
        self, server: Server, source: str, accept: str, find: Find, most: int = evidence_file.MOST_ROWS
    ) -> None:
        """*most*: rows that it may have."""
        self._server, self._find, self._most = server, find, most
        self.source = source
        """Where it is, for people."""
        self.accept = accept
        """How a first baseline comes to be."""

    def load(self) -> Evidence | None:
        """Return the evidence, None when nothing was ever accepted.

        Raises Refused for evidence that is not what was accepted; AdapterError when MLflow does not answer.
        """
        found = self._find()
        if found is None:
            return None
        run = self._run(found.run)
        expected = found.evidence or run.data.tags.get("mlgate.evidence", "")
        if not expected:
            raise EvidenceError(f"{self.source} was not logged by mlgate: it has no evidence", hint=self.accept)
        evidence = self._downloaded_evidence(run)
        if not evidence.digest == expected == run.data.tags.get("mlgate.evidence", expected):
            raise Refused(
                f"the evidence of {self.source} was changed after it was logged: "
                f"it is {evidence.digest[:12]}, and was {expected[:12]}",
                hint=f"nothing can be held against it; {self.accept}",
            )
        return evidence

    def save(self, evidence: Evidence) -> None:
        """Refuse: an alias moves by promotion, and a run is what it is."""
        raise ConfigError(f"{self.source} cannot be replaced by {len(evidence.rows):,} rows", hint=self.accept)

    def _run(self, run_id: str) -> Any:
        try:
            with self._server.talking(f"find the run of {self.source}"):
                run = self._server.client.get_run(run_id)
        except Unable as error:
            if error.code == _ABSENT:
                raise EvidenceError(f"the run of {self.source} is gone", hint=self.accept) from error
            raise
        if run.info.run_id != run_id:
            raise Refused(f"MLflow was asked for the run of {self.source}, and sent another one", hint=self.accept)
        return run

    def _downloaded_evidence(self, run: Any) -> Evidence:
        repository = self._server.repository(run.info.artifact_uri)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, EVIDENCE)
            try:
                with self._server.talking(f"send the evidence of {self.source}"):
                    # not download_artifacts: it asks the server for a listing, and goes wherever that leads
                    repository._download_file(f"{ARTIFACT_FOLDER}/{EVIDENCE}", str(path))  # noqa: SLF001 - each one defines it
                content = safe_file.read(path, evidence_file.LARGEST_FILE)
            except Unable as error:
                raise EvidenceError(
                    f"the evidence of {self.source} cannot be had: {error.message}", hint=error.hint
                ) from error
            except OSError as error:
                raise EvidenceError(f"the evidence of {self.source} cannot be had: {error.strerror}") from error
        return evidence_file.parse(content, self.source, self._most)


def nothing_yet(why: str) -> MlflowBaseline:
    """Return a baseline that nobody could have accepted yet."""
    nowhere = Server(StoreAddress("sqlite:///nowhere", Path()))
    return MlflowBaseline(nowhere, f"MLflow: {why}", "merge this change, and let the gate pass once", lambda: None)


def of_alias(registry: MlflowRegistry, alias: str) -> Find:
    """Return what finds the version that an alias points to."""

    def find() -> Found | None:
        live = registry.live(alias)
        if live != NO_VERSION:
            return of_version(registry, live)()
        last = registry.ledger().last(alias)
        if last is not None:  # it was taken away: that is no first run
            raise EvidenceError(
                f"{alias} of {registry.source} was version {last.version or last.before}, and points nowhere now",
                hint=f"mlgate rollback --to {last.version or last.before}; or start anew: --bootstrap",
            )
        return None

    return find


def of_version(registry: MlflowRegistry, number: int) -> Find:
    """Return what finds one version of a registered model."""

    def find() -> Found | None:
        version = next((one for one in registry.versions() if one.number == number), None)
        if version is None:
            raise EvidenceError(f"there is no version {number} of {registry.source}", hint="mlgate history")
        if not (version.run and version.evidence):
            raise EvidenceError(
                f"version {number} of {registry.source} was not registered by mlgate: it has no evidence",
                hint="let a version pass and promote it: mlgate check, then mlgate promote",
            )
        return Found(version.run, version.evidence)

    return find


def of_run(run: str) -> Find:
    """Return what finds one run."""
    return lambda: Found(run, "")


def of_branch(runs: MlflowRuns, branch: str, also: Mapping[str, str]) -> Find:
    """Return what finds a branch's last run that passed, and that has the tags *also*."""

    def find() -> Found | None:
        last = runs.last_passed(branch, also=also)
        return Found(last, "") if last else None

    return find
