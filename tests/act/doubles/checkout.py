"""actions/checkout: fetch from $ACT_REPOSITORIES, as shallow as the real one, and leave no way to fetch more."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.act.doubles import step


def main() -> None:
    given = step.inputs()
    step.fault(f"checkout:{os.environ['GITHUB_JOB']}")
    repository = given["repository"] or os.environ["GITHUB_REPOSITORY"]
    server = Path(os.environ["ACT_REPOSITORIES"], repository)
    if not server.is_dir():
        step.fail(f"repository '{repository}' not found")
    target = step.place(given["path"] or ".")
    if not target.is_relative_to(step.workspace()):
        step.fail(f"Repository path '{target}' is not under '{step.workspace()}'")
    target.mkdir(parents=True, exist_ok=True)
    own = repository == os.environ["GITHUB_REPOSITORY"]
    wanted = given["ref"] or (os.environ["GITHUB_SHA"] if own else "HEAD")
    commit = _resolve(server, wanted)
    git(target, "init", "--quiet")
    depth = [] if given["fetch-depth"] == "0" else [f"--depth={given['fetch-depth'] or 1}"]
    every = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"] if not depth else []
    git(target, "fetch", "--quiet", "--no-tags", *depth, server.as_uri(), commit, *every)
    if given["sparse-checkout"]:
        git(target, "sparse-checkout", "set", *step.lines(given["sparse-checkout"]))
    branch = wanted.removeprefix("refs/heads/")
    named = branch != commit and not wanted.startswith("refs/pull/") and wanted != "HEAD"
    git(target, "checkout", "--quiet", "--force", *(["-B", branch] if named else ["--detach"]), commit)
    git(
        target, "remote", "add", "origin", f"https://github.com/{repository}"
    )  # a private repository: no token, no fetch
    step.output(ref=wanted, commit=commit)


def _resolve(server: Path, ref: str) -> str:
    """A commit stays itself; a branch, a tag or a full ref is looked up on the server."""
    if re.fullmatch(r"[0-9a-f]{40}", ref):
        return ref
    for name in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}"):
        done = git(server, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return step.fail(f"A branch or tag with the name '{ref}' could not be found")


def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)
    if check and done.returncode:
        step.fail(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done


if __name__ == "__main__":
    main()
