"""A desk in a git repository, with a base branch and a change; and the environment of a job of GitHub Actions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import Desk, Done
from tests.support.child_environment import child_environment


@dataclass
class Repository(Desk):
    """A desk whose folder, or one above it, is a repository."""

    top: Path = Path()

    def git(self, *arguments: str, at: Path | None = None, given: str = "") -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
            cwd=at or self.top,
            input=given,
            check=True,
            capture_output=True,
            text=True,
            env=child_environment(),
        )
        return done.stdout.strip()

    def commit(self, message: str = "c") -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", message, "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new))

    def merge(self, branch: str) -> str:
        """Make the merge commit by which GitHub tests a pull request."""
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", branch)
        return self.git("rev-parse", "HEAD")


@dataclass
class Job:
    """A job's step: GitHub's environment, and what it was told."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    server: str = "https://github.example"

    def host(self, repository: Path) -> str:
        """Let GitHub's server, in this job's environment, keep the *repository*; return its URL there."""
        server = self.folder / "server"
        place = server / "acme/model"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(repository)
        self.server = server.as_uri()
        self.monkeypatch.setenv("GITHUB_SERVER_URL", self.server)
        return place.as_uri()

    def begin(self, event: str, payload: Mapping[str, Any] | str | bytes, sha: str = "", **more: str) -> Job:
        path = self.folder / "event.json"
        text = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        told = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_SHA": sha,
            "GITHUB_RUN_ID": "7",
            "GITHUB_REPOSITORY": "acme/model",
            "GITHUB_SERVER_URL": self.server,
            "GITHUB_OUTPUT": str(self.folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_ENVIRONMENT": "github-hosted",
            **more,
        }
        for name, value in told.items():
            self.monkeypatch.setenv(name, value)
        self.clear()
        return self

    def clear(self) -> None:
        for name in ("outputs", "summary"):
            (self.folder / name).write_text("")

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "outputs").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()


def pull(base: str, *, fork: bool = False) -> dict[str, Any]:
    """Return a pull request's event."""
    head = "stranger/model" if fork else "acme/model"
    return {
        "pull_request": {
            "number": 7,
            "base": {"sha": base, "repo": {"full_name": "acme/model"}},
            "head": {"sha": "0" * 40, "repo": {"full_name": head}},
        }
    }


def pushed() -> dict[str, Any]:
    """Return a push's event."""
    return {"repository": {"full_name": "acme/model", "default_branch": "main"}}


def errors(done: Done) -> list[str]:
    return [line for line in done.out.splitlines() if line.startswith("::error")]
