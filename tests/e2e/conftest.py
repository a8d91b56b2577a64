"""The desk that every end-to-end test works at."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.desk import Desk


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path, capsys)
