"""What commands in workflows, actions and their scripts must never do, where zizmor and jactionlint are silent.

A rule takes a document (or a script's text) and returns sentences: what is wrong, and where. No sentence, no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.workflows.files import Document
from tests.workflows.tables import ACCEPTED

SINK = re.compile(r"GITHUB_(OUTPUT|ENV|PATH|STATE)\b")
READS = re.compile(r"\b(cat|tee|cp|mv|dd|curl|wget|jq|yq|sed|awk|head|tail|unzip|tar|xargs|read|mapfile)\b|\$\(<")
PIP = re.compile(r"\b(?:pip3?|uv pip)\b[^\n;&|]*?\s(?:install|download|wheel|sync)\b[^\n;&|]*")
INSTALLERS = re.compile(r"\b(?:npx|npm (?:i|install)|go install|cargo install|gem install|pipx|uvx|uv tool)\b[^\n;&|]*")
PIPED = re.compile(
    r"\b(?:curl|wget)\b[^\n;]*\|\s*(?:sudo\s+)?(?:\w*sh|python\S*)\b|(?:\w*sh|eval|source|\.)\s.*[<$]\(\s*(?:curl|wget)"
)
DIGEST = re.compile(r"\[0-9a-f\]\{64\}")


def commands_carry_no_expressions(document: Document) -> Iterator[str]:
    """An expression in `run` is pasted before the shell reads it: whoever controls the value controls the shell."""
    for step in document.steps():
        if "${{" in step.run:
            yield f"{step.where}: `${{{{ }}}}` inside run; pass it by env"


def text_never_becomes_an_output(name: str, script: str) -> Iterator[str]:
    """A script that writes outputs or the environment reads no file: a newline in it would be one more output."""
    if SINK.search(script) and (found := READS.search(script)):
        yield f"{name}: `{found[0]}` in a script that writes {SINK.findall(script)[0]}: a file may become an output"


def installs_are_locked(name: str, script: str, *, by_hand: bool = False) -> Iterator[str]:
    """pip takes hashes, or a path alone; other installers take a version; nothing is piped to a shell.

    *by_hand*: an example, in which a team installs its own requirements file.
    """
    joined = re.sub(r"\\\n\s*", " ", script)
    for found in PIP.findall(joined):
        local = "--no-deps" in found and ("--no-build-isolation" in found or "--no-index" in found)
        if not ("--require-hashes" in found or local or (by_hand and re.search(r"\s-r\s", found))):
            yield f"{name}: `{found.strip()}` without --require-hashes"
    for found in INSTALLERS.findall(joined):
        if not re.search(r"@v?\d|==|@\$", found):
            yield f"{name}: `{found.strip()}` without a version"
    for found in PIPED.findall(joined):
        yield f"{name}: `{found.strip()}` runs what the network says"


def python_installs_are_locked(name: str, script: str) -> Iterator[str]:
    """The same for an action's Python: each list of arguments that installs has the hashes, or no dependencies."""
    for found in re.findall(r"\[[^\[\]]*[\"'](?:install|download)[\"'][^\[\]]*\]", script):
        if "--require-hashes" not in found and "--no-deps" not in found:
            yield f"{name}: {' '.join(found.split())} without --require-hashes"


def deploys_get_signals(name: str, script: str) -> Iterator[str]:
    """GitHub signals the step's shell; without `exec` a cancelled deploy is killed later, and rolls nothing back."""
    for line in re.findall(r"(?m)^.*\bmlgate\s+deploy\b.*$", script):
        if not re.search(r"\bexec\s+\S*mlgate\s+deploy\b", line):
            yield f"{name}: `{line.strip()}` without exec"


def attests_only_a_checked_digest(document: Document) -> Iterator[str]:
    """With an empty digest actions/attest signs what an earlier step has listed: a step before must look at it."""
    for job in ["runs"] if document.is_action else document.jobs:
        steps = document.steps_of(job)
        for step in steps:
            if not re.match(r"actions/attest(-\w|@)", step.uses):
                continue
            digest, path = step.inputs.get("subject-digest", ""), step.inputs.get("subject-path", "")
            if path and "${{" not in path:
                continue  # a path that matches nothing is an error of the action itself
            looked = [
                s
                for s in steps[: step.index]
                if DIGEST.search(s.run) and digest and digest in (s.data.get("env") or {}).values()
            ]
            if not looked:
                yield f"{step.where}: no step before it holds {digest or 'an empty digest'} against [0-9a-f]{{64}}"


def reads_no_input_variables(name: str, text: str) -> Iterator[str]:
    """GitHub sets no INPUT_… for composite actions, act does: what works here would fail there."""
    for found in sorted(set(re.findall(r"\bINPUT_[A-Z][A-Z_]*", text))):
        yield f"{name}: {found}: map inputs by env"


def silences_nothing(name: str, text: str) -> Iterator[str]:
    """A linter's finding is mended, or accepted in tables.py with the reason."""
    pattern = (
        r"(?i)#\s*(?:\w+ )*((?:zizmor:\s*ignore|j?actionlint[ -]ignore|shellcheck\s+disable|hadolint\s+ignore)\S*)"
    )
    for found in re.finditer(pattern, text):
        if (name, found[1]) not in ACCEPTED:
            yield f"{name}: {found[0].strip()}"


def of_shell(path: Path | str, script: str, *, by_hand: bool = False) -> Iterator[str]:
    """All rules for one shell script; what its comments say, nobody runs."""
    name, script = str(path), re.sub(r"(?m)^\s*#.*$", "", script)
    yield from text_never_becomes_an_output(name, script)
    yield from installs_are_locked(name, script, by_hand=by_hand)
    yield from deploys_get_signals(name, script)


def of_document(document: Document) -> Iterator[str]:
    """All rules for the commands of one workflow or action."""
    yield from commands_carry_no_expressions(document)
    yield from attests_only_a_checked_digest(document)
    yield from silences_nothing(document.path, document.text)
    yield from reads_no_input_variables(document.path, document.text)
    for step in document.steps():
        yield from of_shell(step.where, step.run, by_hand=document.is_example)
