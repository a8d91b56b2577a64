"""A rollout as a deployment on GitHub, where one is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mlgate.adapters.github import environment
from mlgate.adapters.github.deployments import GithubDeployments
from mlgate.adapters.github.retries import Retries
from mlgate.adapters.github.rollout_progress import DeploymentProgress
from mlgate.adapters.terminal.output import tell
from mlgate.core.deploy.ports import RolloutProgress
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Reading
from mlgate.wiring.github import client

_PATIENCE_S = 10.0
"""A rollout does not wait for GitHub longer than that."""


class EachProgress:
    """Several that a rollout is shown to, in their order."""

    def __init__(self, each: Sequence[RolloutProgress]) -> None:
        self._each = each

    def show(self, record: ServiceRecord, reading: Reading) -> None:
        """Show it to each."""
        for one in self._each:
            one.show(record, reading)


@contextmanager
def shown_beside(
    lines: RolloutProgress, name: str, ending: Callable[[ServiceRecord], str]
) -> Iterator[RolloutProgress]:
    """Yield what shows a rollout by *lines* and as a deployment to the environment *name*; empty: by the lines alone.

    Raises GateError for an environment without a repository or a token: before anything began.
    """
    if not name:
        yield lines
        return
    run = environment.here()
    repository = client.repository()
    hint = "give the job `permissions: {deployments: write}`, and the step `github-token: ${{ github.token }}`"
    with client.connect("show the deployment with", hint, patience=Retries(_PATIENCE_S)) as line:
        own = DeploymentProgress(
            GithubDeployments(line, repository),
            name,
            run.url if run else "",
            ending,
            lambda text: tell(sys.stderr, f"mlgate: notice: {text}"),
        )
        yield EachProgress([lines, own])
