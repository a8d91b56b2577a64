"""actions/upload-artifact: keep files under a name of this run; a name is written once."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
import re
import shutil
from pathlib import Path

from tests.act.doubles import step

FORBIDDEN = re.compile(r'[":<>|*?\r\n]')
"""Characters that the real service refuses in an artifact's name and in its files' paths."""


def main() -> None:
    given = step.inputs()
    name = given["name"]
    if not name or FORBIDDEN.search(name) or "/" in name or "\\" in name:
        step.fail(f"The artifact name is not valid: {name}")
    ordered = step.fault(f"upload:{name}")
    hidden = step.is_true(given["include-hidden-files"])
    root, found = search(step.lines(given["path"]), hidden=hidden)
    if not found:
        text = f"No files were found with the provided path: {given['path']}. No artifacts will be uploaded."
        if given["if-no-files-found"] == "error":
            step.fail(text)
        if given["if-no-files-found"] != "ignore":
            step.warn(text)
        return
    for path in found:
        if FORBIDDEN.search(path.relative_to(root).as_posix()):
            step.fail(f"The path for one of the files in artifact is not valid: {path}")
    target = step.state("artifacts", os.environ["GITHUB_RUN_ID"], name)
    if target.exists():
        if not step.is_true(given["overwrite"]):
            step.fail(f"Failed to CreateArtifact: (409) Conflict: an artifact with this name already exists: {name}")
        shutil.rmtree(target)
    digest = _keep(found, root, target, ordered)
    number = hashlib.sha256(name.encode()).hexdigest()[:8]
    here = f"https://github.com/{os.environ['GITHUB_REPOSITORY']}/actions/runs/{os.environ['GITHUB_RUN_ID']}"
    url = f"{here}/artifacts/{int(number, 16)}"
    step.output(artifact_id=str(int(number, 16)), artifact_digest=digest, artifact_url=url)
    step.say(f"Artifact {name} has been successfully uploaded: {len(found)} files")


def _keep(found: list[Path], root: Path, target: Path, ordered: str) -> str:
    digest = hashlib.sha256()
    for path in found:
        content = path.read_bytes()
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + content)
        if ordered == "cut":
            content = content[: len(content) // 2]
        if ordered != "lose":
            kept = target / path.relative_to(root)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(content)  # the content only: an artifact keeps no file modes
    return digest.hexdigest()


def search(patterns: list[str], *, hidden: bool) -> tuple[Path, list[Path]]:
    """Files that *patterns* (with `!` for exceptions) match, and the folder that their names are relative to.

    As the real action: a folder stands for all below it; a walk that begins at, or meets, a name with a dot in front
    stops there unless *hidden*; names are relative to the walk's start, or to the start's folder for a single file.
    """
    starts: dict[Path, list[str]] = {}
    for pattern in (p for p in patterns if not p.startswith("!")):
        path = str(step.place(pattern))
        starts.setdefault(_literal(path), []).append(path)
    found: set[Path] = set()
    for start, wanted in starts.items():
        found |= {p for p in _walk(start, hidden=hidden) if any(_matches(p, w) for w in wanted)}
    for pattern in (p[1:] for p in patterns if p.startswith("!")):
        found = {p for p in found if not _matches(p, str(step.place(pattern)))}
    if not starts or not found:
        return step.workspace(), []
    if len(starts) > 1:
        return Path(os.path.commonpath(list(starts))), sorted(found)
    start = next(iter(starts))
    return (start.parent if found == {start} else start), sorted(found)


def _literal(pattern: str) -> Path:
    parts = Path(pattern).parts
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:wild])


def _walk(path: Path, *, hidden: bool) -> list[Path]:
    if not hidden and path.name.startswith("."):
        return []
    if path.is_dir():
        return [f for child in sorted(path.iterdir()) for f in _walk(child, hidden=hidden)]
    return [path] if path.is_file() else []


def _matches(path: Path, pattern: str) -> bool:
    """`*` stays within a name, `**` crosses folders, and what matches a folder matches all below it."""
    shape = "".join(_part(part) for part in re.split(r"(/\*\*/|/\*\*$)", pattern))
    return re.fullmatch(shape + r"(/.*)?", str(path)) is not None


def _part(text: str) -> str:
    if text in {"/**/", "/**"}:
        return "/(.*/)?" if text == "/**/" else "(/.*)?"
    return "/".join(re.sub(r"\.\*", "[^/]*", fnmatch.translate(p)[4:-3]) for p in text.split("/"))


if __name__ == "__main__":
    main()
