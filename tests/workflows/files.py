"""The YAML that GitHub runs for us: workflows, actions and the examples that a reader copies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPT_FOLDERS = (".github", "action", ".ci")
USES = re.compile(r"^(?P<repo>[\w.-]+/[\w.-]+)(?P<path>/[^@]+)?@(?P<ref>.+)$")


@dataclass(frozen=True)
class Step:
    """One step, and where it stands."""

    where: str
    """File, job and the step's name, as messages show it."""
    index: int
    data: Mapping[str, Any]

    @property
    def run(self) -> str:
        return str(self.data.get("run", ""))

    @property
    def uses(self) -> str:
        return str(self.data.get("uses", ""))

    @property
    def inputs(self) -> dict[str, str]:
        return dict(self.data.get("with") or {})

    @property
    def condition(self) -> str:
        return str(self.data.get("if", ""))


@dataclass(frozen=True)
class Document:
    """One YAML file. Every scalar is text (`on` stays `on`, `false` is 'false'): as GitHub's expressions see them."""

    path: str
    text: str
    data: Mapping[str, Any]

    @property
    def is_action(self) -> bool:
        return Path(self.path).name in {"action.yml", "action.yaml"}

    @property
    def is_workflow(self) -> bool:
        return "jobs" in self.data

    @property
    def is_example(self) -> bool:
        return self.path.startswith("workflows-examples/")

    @property
    def name(self) -> str:
        return Path(self.path).name

    @property
    def jobs(self) -> dict[str, Mapping[str, Any]]:
        return dict(self.data.get("jobs") or {})

    @property
    def triggers(self) -> dict[str, Any]:
        """Event to its filters."""
        on = self.data.get("on") or {}
        if isinstance(on, str):
            return {on: None}
        return dict.fromkeys(on) if isinstance(on, list) else dict(on)

    @property
    def inputs(self) -> dict[str, Mapping[str, Any]]:
        """What a caller may pass: of an action, or of a workflow that is called."""
        holder = self.data if self.is_action else self.triggers.get("workflow_call") or {}
        return dict(holder.get("inputs") or {})

    @property
    def outputs(self) -> dict[str, Mapping[str, Any]]:
        holder = self.data if self.is_action else self.triggers.get("workflow_call") or {}
        return dict(holder.get("outputs") or {})

    @property
    def secrets(self) -> dict[str, Any]:
        return dict((self.triggers.get("workflow_call") or {}).get("secrets") or {})

    def steps_of(self, job: str) -> list[Step]:
        """The steps of one job; of an action, its only list."""
        holder = (self.data.get("runs") or {}) if self.is_action else self.jobs[job]
        steps = holder.get("steps") or []
        return [Step(f"{self.path}: {job}: {s.get('name', i)}", i, s) for i, s in enumerate(steps)]

    def steps(self) -> Iterator[Step]:
        for job in ["runs"] if self.is_action else self.jobs:
            yield from self.steps_of(job)

    def uses(self) -> Iterator[tuple[str, str]]:
        """Every `uses` with its place: of steps, and of jobs that call a workflow."""
        for step in self.steps():
            if step.uses:
                yield step.where, step.uses
        for name, job in self.jobs.items():
            if "uses" in job:
                yield f"{self.path}: {name}", str(job["uses"])


def parse(path: str, text: str) -> Document:
    """Read *text* as the file *path*; a file that is no mapping is an error of the test."""
    try:
        data = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes only text, lists and mappings
    except yaml.YAMLError as error:
        raise AssertionError(f"{path}: {error}") from error
    assert isinstance(data, dict), f"{path} is not a mapping"
    return Document(path, text, data)


def read(root: Path, path: Path) -> Document:
    return parse(path.relative_to(root).as_posix(), path.read_text())


def workflows(root: Path = ROOT) -> list[Document]:
    return [read(root, p) for p in sorted((root / ".github/workflows").glob("*.y*ml"))]


def actions(root: Path = ROOT) -> list[Document]:
    found = [*root.glob("action.y*ml"), *sorted((root / "action").glob("**/action.y*ml"))]
    return [read(root, p) for p in found]


def examples(root: Path = ROOT) -> list[Document]:
    return [read(root, p) for p in sorted((root / "workflows-examples").glob("**/*.y*ml"))]


def dependabot(root: Path = ROOT) -> list[Path]:
    return sorted((root / ".github").glob("dependabot.y*ml"))


def everything(root: Path = ROOT) -> list[Document]:
    return [*workflows(root), *actions(root), *examples(root)]


def scripts(root: Path = ROOT) -> list[Path]:
    """Shell scripts of the actions and of our CI, known by name or by their first line."""
    files = [
        p for f in SCRIPT_FOLDERS for p in sorted((root / f).glob("**/*")) if p.is_file() and p.stat().st_size < 1e6
    ]
    return [p for p in files if p.suffix == ".sh" or re.match(rb"#!.*\b(ba|da|)sh\b", p.read_bytes()[:80])]
