"""Which run of CI vouches for a baseline: one of the default branch, in the history of what is judged.

A pull request may upload an artifact of any name, and write any entry into a cache of its own. It cannot make GitHub
say that a push of the default branch did so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

VOUCHING_EVENTS = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch"})
"""What starts a run whose workflow and code are the branch's own, with nothing of a change in them."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository, as the API has it."""

    id: int
    default_branch: str


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Which run it is, and of what."""

    run: int
    repository: int
    """The repository that the run is in."""
    head_repository: int
    """The repository that its commit comes from: a fork's, or the same; 0 when that was deleted."""
    branch: str
    """The branch that it is of. GitHub puts the name of a tag here, too."""
    sha: str


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """A baseline that some run has uploaded as an artifact. Any run can, under any name."""

    id: int
    origin: RunOrigin
    expired: bool
    created: str
    """When, in ISO 8601."""
    digest: str = ""
    """SHA-256 of the archive; empty where GitHub does not say."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run, looked up by its number."""

    origin: RunOrigin
    event: str
    """What started it: `push`, `pull_request` …."""


def flaw(kept: KeptEvidence, repository: Repository, own: str) -> str:
    """Return why *kept* cannot be the baseline of the run with the number *own*, in few words; empty when it may be."""
    origin = kept.origin
    if origin.repository != repository.id or origin.head_repository != repository.id:
        return "of a fork"
    if origin.branch != repository.default_branch:
        return f"of another branch than {repository.default_branch}"
    if str(origin.run) == own:
        return "of this run itself"
    return "expired" if kept.expired else ""


def vouches(run: Run, kept: KeptEvidence) -> bool:
    """Return whether *run* is the one that uploaded *kept*, and what started it lets nothing of a change in."""
    return run.origin == kept.origin and run.event in VOUCHING_EVENTS


def nearest(several: Iterable[KeptEvidence], history: Sequence[str]) -> list[tuple[KeptEvidence, int]]:
    """Return those whose commit is in *history*, nearest first, each with the number of commits that lie between.

    *history* is the judged commit's base and its first parents: what the default branch has been. So a tag with the
    branch's name vouches for nothing, and a run of an old commit that is started again is still of that old commit.
    Of one commit the newest run counts, whenever it was run again, and of that its last upload.
    """
    place = {sha: number for number, sha in reversed(list(enumerate(history)))}
    known = [(kept, place[kept.origin.sha]) for kept in several if kept.origin.sha in place]
    return sorted(known, key=lambda one: (one[1], -one[0].origin.run, -one[0].id))
