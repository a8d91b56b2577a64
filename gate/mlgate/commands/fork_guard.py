"""Whose code may run on which machine."""

from __future__ import annotations

from mlgate.adapters.github import environment
from mlgate.core.errors import Refused


def refuse_strangers(*, allowed: bool) -> None:
    """Refuse to run a fork's code on a machine that outlives the job, unless somebody allowed it."""
    run = environment.here()
    if run and run.fork and run.self_hosted and not allowed:
        raise Refused(
            "a fork's change on a self-hosted machine: what its code leaves here would meet the next job",
            hint="run forks on GitHub's machines; where each job gets a fresh one, set `allow-forks: true`",
        )
