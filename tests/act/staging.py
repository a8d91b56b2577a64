"""The product as a consumer downloads it, in the dialect that act can read."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.act.dialect import with_githubs_outputs
from tests.support.child_environment import child_environment
from tests.workflows import files

SELF = "org/mlgate"
SELF_REF = "act-self"
"""The ref that stands for "the commit that this file is from", which `$/` means and act cannot read."""
PARTS = (".github", "action", "action.yml", "gate", "requirements", "pyproject.toml", "README.md", "LICENSE")
"""What the actions need. act copies the whole folder for every `uses`, so the rest stays at home."""
DOUBLES = Path(__file__).parent / "doubles"

Edit = Callable[[str, str], str]
"""(path, text) → text: how a test changes a staged workflow, for example to skip a job."""


def stage(source: Path, target: Path) -> Path:
    """Copy what a commit of *source* would hold now (never what is ignored), unchanged; return *target*."""
    command = ["git", "ls-files", "-coz", "--exclude-standard", "--", *PARTS]
    listed = subprocess.run(
        command, cwd=source, check=True, capture_output=True, text=True, env=child_environment()
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (source / name).is_file():  # a file that was deleted and not yet committed is still listed
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    return target


def prepare(staged: Path, target: Path, edit: Edit | None) -> Path:
    """Copy a staged product for one run: changed as the test says, then put into act's dialect; return *target*."""
    shutil.copytree(staged, target)
    for path in [*target.rglob("*.yml"), *target.rglob("*.yaml")]:
        name, text = path.relative_to(target).as_posix(), path.read_text()
        path.write_text(for_act(edit(name, text) if edit else text))
    return target


def for_act(text: str) -> str:
    """`$/action/x` becomes `org/mlgate/action/x@act-self`, and what act 0.2.89 refuses goes."""
    text = re.sub(r"""(uses:\s*)(["']?)\$/([\w./-]+)\2""", rf"\g<1>{SELF}/\g<3>@{SELF_REF}", text)
    return with_githubs_outputs(readable(re.sub(r"(?m)^ *cache-mode:.*\n", "", text)))


def readable(text: str) -> str:
    """Leave out that a job's environment makes no deployment: act makes none anyway, and refuses the key."""
    return re.sub(r"(?m)^ *deployment: false.*\n|, deployment: false", "", text)


def pins(*folders: Path) -> set[tuple[str, str]]:
    """Every (owner/repository, ref) that the workflows and actions below *folders* name."""
    found = set()
    for folder in folders:
        for document in [*files.everything(folder), *_inner_actions(folder)]:
            for _, uses in document.uses():
                if pin := files.USES.match(uses):
                    found.add((pin["repo"], pin["ref"]))
    return found


def _inner_actions(folder: Path) -> list[files.Document]:
    return [files.read(folder, p) for p in (folder / ".github").rglob("action.y*ml")]


def stands_in_for(repository: str, product: Path) -> Path:
    """The folder that act uses instead of *repository*: the staged product, or our double of another's action."""
    if repository == SELF:
        return product
    double = DOUBLES / repository.replace("/", "-")
    assert double.is_dir(), f"no double of {repository}: write {double}/action.yml"
    return double
