"""pypa/gh-action-pypi-publish: keep what would have been published; a trusted publisher gives no password."""

from __future__ import annotations

import os
import shutil

from tests.act.doubles import step


def main() -> None:
    given = step.inputs()
    if given["password"]:
        step.fail("a password: publish as a trusted publisher")
    files = sorted(p for p in step.place(given["packages-dir"]).glob("*") if p.name.endswith((".whl", ".tar.gz")))
    if not files:
        step.fail(f"no wheel and no sdist in {given['packages-dir']}")
    folder = step.state("published", os.environ["GITHUB_RUN_ID"])
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)
        step.say(f"Uploading {path.name}")


if __name__ == "__main__":
    main()
