"""The baseline of `from: ci`: at a desk a file, in GitHub Actions what a run of the default branch has kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlgate.adapters.files.baseline_file import CiBaseline
from mlgate.adapters.git import base_commit
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.github import environment
from mlgate.adapters.github.artifacts import GithubArtifacts
from mlgate.adapters.github.baseline import GithubBaseline, Judged
from mlgate.adapters.github.environment import GithubRun
from mlgate.core.errors import ConfigError
from mlgate.core.ports import BaselineStore
from mlgate.wiring import evidence_source
from mlgate.wiring.github import client

_ARTIFACT_NAME = re.compile(r"[a-z0-9-]{1,40}")


def store(root: Path, path: Path, most: int, base: BaseCommit | None) -> BaselineStore:
    """Return the store of the baseline that CI keeps, of at most *most* rows; *path* is where a run leaves it.

    Raises Refused where the rules of a *base* bind and the change brings the file, also where nobody reads it.
    """
    own = CiBaseline(path, str(path), most)
    kept = own if base is None else evidence_source.baseline(own, base, approved=False)
    run = environment.here()
    if run is None:
        return kept
    name = os.environ.get("MLGATE_NAME") or "mlgate"
    if not _ARTIFACT_NAME.fullmatch(name):
        raise ConfigError(f"{name[:60]!r} is not made of 1 to 40 of a-z, 0-9 and -", where="MLGATE_NAME")
    judged = Judged(f"{name}-baseline", run.id, change=run.is_change or not run.is_reviewed)
    return GithubBaseline(path, judged, lambda branch: _base(root, run, branch), _artifacts, most)


def _base(root: Path, run: GithubRun, default_branch: str) -> str:
    """Return the commit whose history says which baselines there can be: the one whose rules judge."""
    if run.is_change:
        return base_commit.merged_onto(root, run.merge, run.base).id
    return run.sha if run.is_reviewed else base_commit.tip(root, default_branch).id


@contextmanager
def _artifacts() -> Iterator[GithubArtifacts]:
    repository = client.repository()
    hint = (
        "give the job `permissions: {contents: read, actions: read}`, and the step the input "
        "`github-token: ${{ github.token }}`"
    )
    with client.connect("ask GitHub with who kept the baseline", hint) as line:
        yield GithubArtifacts(line, repository)
