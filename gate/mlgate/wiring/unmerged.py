"""What is not merged never becomes the baseline: the next change would be held against it."""

from __future__ import annotations

from mlgate.adapters import github_run
from mlgate.core.errors import Refused


def why() -> str:
    """Return why no model of this CI run may become the baseline; empty on the default branch, and at a desk."""
    run = github_run.here()
    if run is None or (run.is_reviewed and not run.is_change):
        return ""
    return "this change is not merged" if run.is_change else "this is not the default branch"


def refuse() -> None:
    """Raise Refused where `why` has a reason: for verbs that do nothing else."""
    reason = why()
    if reason:
        raise Refused(
            f"the model cannot become the baseline: {reason}",
            hint="run it in a job that a push of the default branch starts",
        )
