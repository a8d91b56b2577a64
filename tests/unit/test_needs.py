"""The suite's own promise: a missing need skips on a desk and fails where it is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, **environment: str) -> str:
    (folder / "tests").mkdir()
    shutil.copy(Path(__file__).parents[1] / "conftest.py", folder / "tests")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    needs_kserve: x\n")
    (folder / "tests/test_it.py").write_text("import pytest\n\n@pytest.mark.needs_kserve\ndef test_it(): pass\n")
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(folder)]
    env = {"PATH": os.environ["PATH"], "MLGATE_KSERVE_PYTHON": "/nowhere", **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=env)
    return done.stdout + done.stderr


def test_a_desk_without_it_skips_with_the_install_command(tmp_path: Path) -> None:
    out = run(tmp_path)
    assert "1 skipped" in out
    assert "make kserve" in out


def test_a_required_need_that_is_missing_is_a_failure(tmp_path: Path) -> None:
    assert "1 error" in run(tmp_path, MLGATE_REQUIRE="kserve,root")


def test_a_need_that_is_met_runs(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, MLGATE_REQUIRE="kserve", MLGATE_KSERVE_PYTHON=sys.executable)


@pytest.mark.parametrize("value", ["ksrve", "kserve,dokcer"])
def test_a_misspelt_requirement_is_refused(tmp_path: Path, value: str) -> None:
    assert "MLGATE_REQUIRE knows" in run(tmp_path, MLGATE_REQUIRE=value)
