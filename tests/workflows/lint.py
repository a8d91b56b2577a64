"""Every linter over every workflow, action, example and script; `python tests/workflows/lint.py` prints their lines.

No configuration and no baseline silences one; a comment does only where tables.py says why. 0 clean, 1 findings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # as a script this file is not below the root

from tests.support.child_environment import child_environment
from tests.workflows import files
from tests.workflows.files import Document
from tests.workflows.rules_scripts import silences_nothing
from tests.workflows.tables import ACCEPTED

CONFIGURATIONS = (
    "zizmor.y*ml", ".zizmor.y*ml", ".github/zizmor.y*ml", "actionlint.y*ml", ".github/actionlint.y*ml",
    "jactionlint.y*ml", ".github/jactionlint*", ".shellcheckrc", "shellcheckrc", ".hadolint.y*ml",
)  # fmt: skip
"""Where a linter would find exceptions."""


@dataclass(frozen=True)
class Result:
    """What one tool said."""

    tool: str
    looked_at: int
    """Files, or pieces of script."""
    findings: str
    """Its own words; empty when it is content."""

    @property
    def line(self) -> str:
        return f"{self.tool:<28} {self.looked_at:>3} looked at   {'FINDINGS' if self.findings else '0 findings'}"


def zizmor(root: Path = files.ROOT) -> Result:
    """Security: as the strictest reader, without the network."""
    paths = [*_paths(files.everything(root)), *_relative(root, files.dependabot(root))]
    options = ["--persona=auditor", "--offline", "--no-progress", "--strict-collection", "--no-config"]
    return _tool(
        "zizmor --persona=auditor",
        [["zizmor", *options, "--color=never", "--", *paths]] if paths else [],
        root,
        len(paths),
    )


def jactionlint(root: Path = files.ROOT) -> Result:
    """Syntax, expressions, calls between workflows, shell: all rules that are on by default, warnings too."""
    paths = [*_paths(files.everything(root)), *_relative(root, files.dependabot(root))]
    command = [
        "jactionlint",
        "--strict-exit",
        "--no-baseline",
        "--no-online",
        "--no-color",
        "--",
        *paths,
    ]
    return _tool("jactionlint --strict-exit", [command] if paths else [], root, len(paths))


def schemas(root: Path = files.ROOT) -> Result:
    """GitHub's published JSON Schemas."""
    kinds = {
        "vendor.github-workflows": _paths([*files.workflows(root), *files.examples(root)]),
        "vendor.github-actions": _paths(files.actions(root)),
        "vendor.dependabot": _relative(root, files.dependabot(root)),
    }
    commands = [["check-jsonschema", "--builtin-schema", kind, *paths] for kind, paths in kinds.items() if paths]
    return _tool("check-jsonschema", commands, root, sum(map(len, kinds.values())))


def shellcheck(root: Path = files.ROOT) -> Result:
    """Every script, and every `run:` as the script that it is; all optional checks that are about faults, not taste."""
    scripts = _relative(root, files.scripts(root))
    runs = [(step.where, step.run) for d in files.everything(root) for step in d.steps() if _is_bash(d, step.data)]
    options = ["shellcheck", "--norc", "--severity=style", "--color=never"]
    said = _run([*options, "--external-sources", "--", *scripts], root) if scripts else ""
    for where, script in runs:
        if found := _run([*options, "--shell=bash", "-"], root, script):
            said += f"{where}:\n{found}"
    return Result("shellcheck", len(scripts) + len(runs), said)


def unsilenced(root: Path = files.ROOT) -> Result:
    """No configuration holds exceptions, and no comment that tables.py does not give a reason for."""
    found = [f"{p.relative_to(root).as_posix()} may silence a linter" for c in CONFIGURATIONS for p in root.glob(c)]
    texts = {d.path: d.text for d in files.everything(root)}
    texts |= {p.relative_to(root).as_posix(): p.read_text() for p in [*files.scripts(root), *files.dependabot(root)]}
    found += [fault for path, text in texts.items() for fault in silences_nothing(path, text)]
    kept = sum(comment in texts.get(path, "") for path, comment in ACCEPTED)
    return Result(f"comments that silence: {kept}", len(texts), "".join(f"{line}\n" for line in found))


TOOLS: tuple[Callable[[Path], Result], ...] = (zizmor, jactionlint, schemas, shellcheck, unsilenced)


def _is_bash(document: Document, step: object) -> bool:
    assert isinstance(step, dict)
    default = ((document.data.get("defaults") or {}).get("run") or {}).get("shell", "bash")
    return "run" in step and str(step.get("shell", default)).startswith("bash")


def _paths(documents: list[Document]) -> list[str]:
    return [d.path for d in documents]


def _relative(root: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def _tool(name: str, commands: list[list[str]], root: Path, looked_at: int) -> Result:
    return Result(name, looked_at, "".join(_run(command, root) for command in commands))


def _run(command: list[str], root: Path, text: str = "") -> str:
    """What the command says when it does not exit by 0; a tool that is not installed is an error, not silence."""
    here = str(Path(sys.prefix, "bin"))
    env = child_environment(PATH=f"{here}{os.pathsep}{os.environ['PATH']}", NO_COLOR="1")
    program = shutil.which(command[0], path=env["PATH"])
    if program is None:
        return f"{command[0]} is not installed: pip install -r requirements/dev.txt\n"
    done = subprocess.run(
        [program, *command[1:]],
        cwd=root,
        env=env,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr}\nexit {done.returncode}\n" if done.returncode else ""


def lint(root: Path = files.ROOT) -> Iterator[Result]:
    for tool in TOOLS:
        yield tool(root)


if __name__ == "__main__":
    results = list(lint())
    for result in results:
        print(result.line)  # noqa: T201 - a script's output
    for result in results:
        if result.findings:
            print(f"\n{result.tool}:\n{result.findings}")  # noqa: T201 - a script's output
    sys.exit(any(result.findings for result in results))
