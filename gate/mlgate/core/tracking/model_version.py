"""A model's version in a registry, and what wants to become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlgate.core.identity import CURRENT_FORM, FIRST_FORM


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that passed, with everything that says so."""

    run: str
    """The tracker's id of the verdict's run."""
    verdict: str
    """SHA-256 of report.json: what a version is known by. One verdict, one version."""
    evidence: str
    model: str
    """Digest of the model: its image, its code, its answers."""
    source: str
    """Where the model itself lies: a URI with its digest where it has one."""
    commit: str = ""
    link: str = ""
    """The CI run's page; empty at a desk."""
    said: str = ""
    """The verdict in one sentence."""
    form: int = CURRENT_FORM
    """Of the digests. See `identity`."""
    model_before: str = ""
    """Digest of the same model in the form before, for versions that have that; empty where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a registered model. Empty digests: mlgate did not register it."""

    number: int
    run: str
    verdict: str = ""
    evidence: str = ""
    model: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Every tag, people's too: approval is one of them."""
    form: int = FIRST_FORM
    """Of its digests: a version that says nothing of it was registered when there was one form."""

    def is_of(self, candidate: Candidate) -> bool:
        """Return whether it is the candidate's: verdict, evidence and model are the same."""
        mine = (self.verdict, self.evidence, self.model)
        return mine == (candidate.verdict, candidate.evidence, candidate.model)
