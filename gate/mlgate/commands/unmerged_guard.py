"""What is not merged never becomes the baseline: the next change would be held against it."""

from __future__ import annotations

from pathlib import Path

from mlgate.adapters.git import repository
from mlgate.adapters.github import environment
from mlgate.core.errors import Refused


def why(root: Path) -> str:
    """Return why no model of this CI run may become the baseline; empty on the default branch, and at a desk."""
    run = environment.here()
    if run is None:
        return ""
    if run.is_change:
        return "this change is not merged"
    if not run.is_reviewed:
        return "this is not the default branch"
    if not repository.is_commit_of(root, run.sha):
        return "what is checked out is not the commit of this run"
    return "this run follows one that was not of the default branch" if run.follows_change else ""


def refuse(root: Path) -> None:
    """Raise Refused where `why` has a reason: for verbs that do nothing else."""
    reason = why(root)
    if reason:
        raise Refused(
            f"not from here: {reason}",
            hint="run it in a job that a push of the default branch starts",
        )
