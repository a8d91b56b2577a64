"""The desk that every end-to-end test works at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.e2e.desk import Desk
from tests.e2e.repository import Job, Repository


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path, capsys)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repository:
    """A repository whose `main` passes, checked out at a branch `change`."""
    top = tmp_path / "checkout"
    top.mkdir()
    monkeypatch.chdir(top)
    for name in list(os.environ):
        if name == "CI" or name.startswith(("GITHUB_", "MLGATE_", "RUNNER_", "GIT_", "NO_COLOR", "COLUMNS")):
            monkeypatch.delenv(name)
    desk = Repository(top, capsys, top=top)
    desk.git("init", "-q", "-b", "main")
    desk.project()
    desk.write(".gitignore", ".mlgate/\n__pycache__/\n")
    desk.commit("base")
    desk.git("checkout", "-qb", "change")
    return desk


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    folder = tmp_path / "runner"
    folder.mkdir()
    return Job(folder, monkeypatch)
