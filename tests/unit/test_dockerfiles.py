"""What the examples build is what hadolint would build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("examples/*/Dockerfile"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_hadolint_has_nothing_to_say(file: Path) -> None:
    said = subprocess.run(
        [Path(sys.executable).parent / "hadolint", file],
        capture_output=True,
        text=True,
        check=False,
        env=child_environment(),
    )
    assert (said.returncode, said.stdout) == (0, "")
