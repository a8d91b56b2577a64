"""actions/download-artifact: bring artifacts of this run, or of another one that is named with a token."""

from __future__ import annotations

import fnmatch
import os
import shutil
from pathlib import Path

from tests.act.doubles import step


def main() -> None:
    given = step.inputs()
    step.fault(f"download:{given['name'] or given['pattern']}")
    other = given["run-id"] if given["github-token"] else ""  # without a token the real one reads its own run
    root = step.state("artifacts", other or os.environ["GITHUB_RUN_ID"])
    kept = sorted(p for p in root.glob("*") if p.is_dir())
    target = step.place(given["path"] or ".")
    if name := given["name"]:
        found = [p for p in kept if p.name == name]
        if not found:
            step.fail(f"Unable to download artifact(s): Artifact not found for name: {name}")
    else:
        found = [p for p in kept if fnmatch.fnmatchcase(p.name, given["pattern"] or "*")]
    flat = bool(name) or step.is_true(given["merge-multiple"])
    target.mkdir(parents=True, exist_ok=True)
    for artifact in found:
        _copy(artifact, target if flat else target / artifact.name)
    step.output(download_path=str(target))
    step.say(f"Total of {len(found)} artifact(s) downloaded")


def _copy(artifact: Path, target: Path) -> None:
    shutil.copytree(artifact, target, dirs_exist_ok=True, copy_function=shutil.copyfile)


if __name__ == "__main__":
    main()
