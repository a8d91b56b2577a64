"""Baselines as runs upload them, for tests: one evidence file in an archive."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

from tests.support.child_environment import child_environment
from tests.support.fake_github import FakeGithub


def archive(content: bytes, name: str = "evidence.jsonl.gz") -> bytes:
    """An artifact's archive, as actions/upload-artifact makes one of a single file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return whole.getvalue()


def learn(github: FakeGithub, root: Path) -> None:
    """Let GitHub know every commit of a repository."""
    command = ["git", "rev-list", "--all", "--parents", "HEAD"]
    listed = subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env=child_environment()
    ).stdout
    github.commits.update((sha, parents) for sha, *parents in map(str.split, listed.splitlines()))
