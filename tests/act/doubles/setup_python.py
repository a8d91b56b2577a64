"""actions/setup-python: put this test run's own Python first in PATH; another version is not there."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from tests.act.doubles import step


def main() -> None:
    given = step.inputs()
    if given["cache"]:
        step.fail("the double keeps no cache: setup-python's `cache` writes on pull requests")
    folder = Path(os.environ["ACT_TOOLS"])  # as on GitHub one place for all jobs, so that paths in caches stay right
    if is_default := step.is_true(given["update-environment"]):
        with Path(os.environ["GITHUB_PATH"]).open("a") as path:
            path.write(f"{folder}\n")
    version = platform.python_version()
    wanted = given["python-version"]
    if wanted and not version.startswith(wanted.removesuffix(".x")):
        step.warn(f"asked for Python {wanted}, the double gives {version}")
    step.output(python_version=version, python_path=str(folder / "python"), cache_hit="")
    step.say(f"Python {version}{' is first in PATH' if is_default else ''}")


if __name__ == "__main__":
    main()
