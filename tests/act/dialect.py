"""What GitHub does with the outputs of jobs, said in words that act 0.2.89 does not get wrong.

Tried: act keeps the outputs of the leg of a matrix that ends first, and drops the others'; GitHub joins them, and an
empty value replaces none. act gives a job that was skipped its outputs as text, `${{ steps.x.outputs.y }}`; on GitHub
it has none. So a staged workflow notes each job's outputs in a last step, and `toJSON(needs)` is read from those notes.
Results stay act's own. What is not mended: `needs.x.outputs.y` of a matrix, read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

DOUBLE = 'PYTHONPATH="$ACT_TESTS" "$ACT_PYTHON" -P -m tests.act.doubles.needs'
NEEDS = re.compile(r"toJSON\(\s*needs\s*\)")
OUTPUT = re.compile(r"\bneeds\.([\w-]+)\.outputs\.([\w-]+)")


class _Loader(yaml.SafeLoader):
    """Reads YAML as GitHub does: only true and false are booleans, `on` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def with_githubs_outputs(text: str) -> str:
    """A workflow with jobs that have outputs or read `needs`, rewritten; any other text as it is."""
    document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    if not isinstance(document, dict) or not any("needs" in job for job in document.get("jobs", {}).values()):
        return text
    jobs: dict[str, dict[str, Any]] = _everywhere(document["jobs"], _skipped_has_none)
    for name, job in jobs.items():
        if "steps" not in job:
            continue
        if NEEDS.search(str(job["steps"])):
            steps = _everywhere(job["steps"], lambda value: NEEDS.sub("steps.act-needs.outputs.needs", value))
            job["steps"] = [_recall(job, jobs), *steps]
        if job.get("outputs"):
            job["steps"] = [*job["steps"], _note(name, job["outputs"])]
    dumped: str = yaml.safe_dump({**document, "jobs": jobs}, sort_keys=False, width=10_000, allow_unicode=True)
    return dumped


def _everywhere(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _everywhere(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_everywhere(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value


def _skipped_has_none(text: str) -> str:
    return OUTPUT.sub(r"(needs.\1.result != 'skipped' && needs.\1.outputs.\2 || '')", text)


def _note(job: str, outputs: dict[str, str]) -> dict[str, Any]:
    """The step that notes what this job, or this leg of it, puts out."""
    values = {f"ACT_VALUE_{name}": value for name, value in outputs.items()}
    return _step("note the outputs", "note", {"ACT_JOB": job, **values}, condition="${{ always() }}")


def _recall(job: dict[str, Any], jobs: dict[str, Any]) -> dict[str, Any]:
    """The step that says what `toJSON(needs)` says on GitHub."""
    listed = job.get("needs", [])
    needed = [listed] if isinstance(listed, str) else listed
    results = {f"ACT_RESULT_{name}": f"${{{{ needs.{name}.result }}}}" for name in needed}
    called = {f"ACT_CALLED_{n}": f"${{{{ toJSON(needs.{n}.outputs) }}}}" for n in needed if "uses" in jobs.get(n, {})}
    return {"id": "act-needs", **_step("recall the outputs", "recall", {**results, **called})}


def _step(name: str, verb: str, env: dict[str, str], condition: str = "") -> dict[str, Any]:
    given = {"ACT_CALL": "${{ toJSON(inputs) }}", **env}
    return {"name": f"act: {name}", **({"if": condition} if condition else {}), "shell": "bash", "env": given} | {
        "run": f"{DOUBLE} {verb}"
    }
