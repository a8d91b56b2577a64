"""What an action or a workflow offers is real: each input reaches something that reads it, examples name it right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.workflows.files import Document

EXPRESSION = re.compile(r"\$\{\{ *inputs\.([\w-]+) *\}\}")
VERB = re.compile(r"\brun ([a-z]+)\b")
OURS = re.compile(r"org/mlgate(?:/(?P<path>[^@]+))?@")
MOST_LINES = 40
"""Of an example: what a reader takes in at once, and copies."""


def inputs_are_used(document: Document) -> Iterator[str]:
    """Every input is read somewhere, and every input that is read exists."""
    if not document.inputs and not document.is_action:
        return
    body = re.sub(r"(?m)^\s*#.*$", "", document.text)
    read = set(re.findall(r"\binputs\.([\w-]+)", body))
    dispatched = set((document.triggers.get("workflow_dispatch") or {}).get("inputs") or {})
    for name in sorted(set(document.inputs) - read):
        yield f"{document.path}: the input {name} is never read"
    for name in sorted(read - set(document.inputs) - dispatched):
        yield f"{document.path}: inputs.{name} does not exist"


def inputs_reach_one_variable(document: Document) -> Iterator[str]:
    """Within an action one input has one MLGATE_… name: the command line's help and the action's say the same."""
    names: dict[str, set[str]] = {}
    for variable, value in environment(document).items():
        if found := EXPRESSION.fullmatch(value):
            names.setdefault(found[1], set()).add(variable)
    for name in sorted(document.inputs):
        variables = names.get(name, set())
        ours = {v for v in variables if v.startswith("MLGATE_")}
        if len(ours) != 1 or variables != ours:
            yield f"{document.path}: the input {name} becomes {', '.join(sorted(variables)) or 'no variable'}"


def variables_are_read(document: Document, verbs: Mapping[str, set[str]], code: str) -> Iterator[str]:
    """Each MLGATE_… of a step is an option of the verb that the step runs, or is read by *code* below the options."""
    for step in document.steps():
        given = {name for name in step.data.get("env") or {} if name.startswith("MLGATE_")}
        found = VERB.search(step.run)
        known = verbs.get(found[1], set()) if found else set()
        for name in sorted(given - known):
            if not re.search(rf"\b{name}\b", code):
                yield f"{step.where}: nothing reads {name}"


def environment(document: Document) -> dict[str, str]:
    """What all steps of an action are given, by name."""
    return {name: str(value) for step in document.steps() for name, value in (step.data.get("env") or {}).items()}


def the_root_is_the_gate(root: Document, gate: Document) -> Iterator[str]:
    """`uses: org/mlgate@v1` and `$/action/gate` are one action: only the way to start.py differs."""
    for what in ("inputs", "outputs"):
        if getattr(root, what) != getattr(gate, what):
            yield f"{root.path} and {gate.path} differ in {what}"
    there, here = ([_without_paths(step.data) for step in d.steps()] for d in (root, gate))
    if there != here:
        yield f"{root.path} and {gate.path} differ in their steps"


def _without_paths(step: Mapping[str, object]) -> dict[str, str]:
    return {k: re.sub(r"\$GITHUB_ACTION_PATH(/\.\.|/action)*", "", str(v)) for k, v in step.items()}


def examples_name_what_exists(example: Document, ours: Mapping[str, Document]) -> Iterator[str]:
    """An example passes only inputs that exist, passes those that are required, and reads outputs that exist."""
    if len(example.text.splitlines()) > MOST_LINES:
        yield f"{example.path}: longer than {MOST_LINES} lines"
    if not example.text.startswith("#"):
        yield f"{example.path}: does not begin by saying, in a comment, what it is for"
    for where, holder in _users(example):
        uses = OURS.match(str(holder.get("uses", "")))
        if not uses:
            continue
        path = uses["path"] or "action.yml"
        callee = ours.get(path) or ours.get(f"{path}/action.yml")
        if callee is None:
            yield f"{where}: there is no {path}"
            continue
        given = set(holder.get("with") or {})
        required = {n for n, about in callee.inputs.items() if about.get("required") == "true"}
        for name in sorted(given - set(callee.inputs)):
            yield f"{where}: {path} has no input {name}"
        for name in sorted(required - given):
            yield f"{where}: {path} requires {name}"
        for name in sorted(set(holder.get("secrets") or {}) - set(callee.secrets)):
            yield f"{where}: {path} has no secret {name}"
        for name in sorted(_outputs_read(example, where, holder) - set(callee.outputs)):
            yield f"{where}: {path} has no output {name}"


def _users(example: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from example.jobs.items()
    for step in example.steps():
        yield step.where, step.data


def _outputs_read(example: Document, where: str, holder: Mapping[str, Any]) -> set[str]:
    known_as = holder.get("id") or where
    return set(re.findall(rf"\b(?:needs|steps)\.{re.escape(str(known_as))}\.outputs\.([\w-]+)", example.text))


def by_path(documents: list[Document]) -> dict[str, Document]:
    return {str(Path(d.path)): d for d in documents}
