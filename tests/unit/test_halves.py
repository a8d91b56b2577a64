"""`make test` runs two halves: both, whatever the first one says, and its exit code knows of both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

ROOT = Path(__file__).parents[2]
PYTHON = """\
#!/bin/sh
echo "$*" >> {asked}
case "$*" in *"not alone"*) exit {beside};; *) exit {alone};; esac
"""


def halves(folder: Path, beside: int, alone: int, *options: str) -> tuple[int, str, list[str]]:
    """Run both halves with a Python whose pytest ends like this; return exit code, words, and what pytest was told."""
    python, asked = folder / "python", folder / "asked"
    python.write_text(PYTHON.format(asked=asked, beside=beside, alone=alone))
    python.chmod(0o755)
    words = [str(ROOT / "tests/halves"), str(python), *options]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=child_environment())
    return done.returncode, done.stdout + done.stderr, asked.read_text().splitlines()


@pytest.mark.parametrize(
    ("beside", "alone", "code"),
    [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 1, 2), (1, 3, 1), (5, 0, 5), (0, 5, 5), (0, 139, 139), (139, 0, 139)],
)
def test_both_halves_run_and_the_first_failure_is_the_exit_code(
    tmp_path: Path, beside: int, alone: int, code: int
) -> None:
    ended, said, asked = halves(tmp_path, beside, alone)
    assert ended == code
    assert len(asked) == 2
    assert said.count("FAILED") == (beside != 0) + (alone != 0)
    assert ("beside each other: FAILED" in said) == (beside != 0)
    assert ("run alone: FAILED" in said) == (alone != 0)


def test_a_half_without_a_test_is_no_pass(tmp_path: Path) -> None:
    assert "run alone: FAILED, not one test was found" in halves(tmp_path, 0, 5)[1]


def test_options_reach_both_halves(tmp_path: Path) -> None:
    assert all(line.endswith("-x --durations=9") for line in halves(tmp_path, 0, 0, "-x", "--durations=9")[2])
