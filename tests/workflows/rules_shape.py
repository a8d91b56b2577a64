"""How workflows and actions are built, so that no path through them is green by absence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.workflows.files import Document
from tests.workflows.tables import GATES, ONE_AFTER_THE_OTHER

KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
EVEN_THEN = re.compile(r"\b(always|failure|cancelled)\s*\(\s*\)")
"""Conditions under which a job or a step runs although something before it did not succeed."""
ONLY_PULL_REQUESTS = re.compile(r"\$\{\{ *github\.event_name == 'pull_request' *\}\}")


def success_is_asked_for_by_name(document: Document) -> Iterator[str]:
    """`!= 'failure'` is true of a job that was cancelled or skipped: a deploy would run. Ask for `== 'success'`."""
    conditions = [(step.where, step.condition) for step in document.steps()]
    conditions += [(f"{document.path}: {name}", str(job.get("if", ""))) for name, job in document.jobs.items()]
    for where, condition in conditions:
        if re.search(r"(result|outcome|conclusion)\s*!=|contains\(\s*needs", condition):
            yield f"{where}: `if: {condition}` is true of results that are not success"
        if "\n" in condition.rstrip("\n") or condition.endswith("\n"):
            yield f"{where}: a condition of several lines is text, and text is true"
        if re.search(r"\binputs\.[\w-]+\s*(\}\}|&&|\|\||$)", condition) and document.is_action:
            yield f"{where}: `if: {condition}`: an action's inputs are text, and 'false' is true"


def only_a_judge_runs_after_a_failure(document: Document) -> Iterator[str]:
    """A job that runs whatever happened looks at all that happened, or asks for a success by name."""
    for name, job in document.jobs.items():
        condition = str(job.get("if", ""))
        if not EVEN_THEN.search(condition) or "== 'success'" in condition:
            continue
        if missing := set(document.jobs) - {name} - set(needs(document, name)):
            yield f"{document.path}: {name}: `if: {condition}`, and it does not need {', '.join(sorted(missing))}"


def the_verdict_needs_every_job(document: Document) -> Iterator[str]:
    """The one required check: it runs always, and it sees the result of every other job."""
    judge = "verdict" if document.is_example else GATES.get(document.name, "verdict")
    if document.name in GATES and not document.is_example and judge not in document.jobs:
        yield f"{document.path}: no job `{judge}`"
    for name, job in document.jobs.items():
        if name != judge or "uses" in job:
            continue
        if not re.fullmatch(r"(\$\{\{ *)?always\(\)( *\}\})?", str(job.get("if", ""))):
            yield f"{document.path}: {name}: `if: {job.get('if', '')}` is not always(): skipped counts as passed"
        if missing := set(document.jobs) - {name} - set(needs(document, name)):
            yield f"{document.path}: {name}: does not need {', '.join(sorted(missing))}"
        given = "".join(str(step.data.get("env", "")) + str(step.inputs) for step in document.steps_of(name))
        unseen = [n for n in needs(document, name) if f"needs.{n}.result" not in given]
        if unseen and "toJSON(needs)" not in given:
            yield f"{document.path}: {name}: no step is given the result of {', '.join(unseen)}: toJSON(needs)"
        if job.get("name", judge) != judge:
            yield f"{document.path}: {name}: its name is what branch protection knows"


def needs(document: Document, job: str) -> list[str]:
    listed = document.jobs[job].get("needs", [])
    return [listed] if isinstance(listed, str) else list(listed)


def jobs_end(document: Document) -> Iterator[str]:
    """A job without a time limit holds its runner for six hours, and the pull request with it."""
    for name, job in document.jobs.items():
        if "runs-on" in job and not re.fullmatch(r"\d+|\$\{\{.+\}\}", str(job.get("timeout-minutes", ""))):
            yield f"{document.path}: {name}: no timeout-minutes"


def shards_do_not_stop_each_other(document: Document) -> Iterator[str]:
    """A shard that is cancelled because another failed leaves a hole in the evidence."""
    for name, job in document.jobs.items():
        strategy = job.get("strategy") or {}
        if "matrix" in strategy and strategy.get("fail-fast") != "false":
            yield f"{document.path}: {name}: fail-fast: false is missing"


def only_pull_requests_are_cancelled(document: Document) -> Iterator[str]:
    """A newer commit makes an older run of a pull request needless; never one of the queue or of main.

    Even without cancel-in-progress a group keeps one waiting run and cancels the one that waited before: where pushes
    run, the group has the run or the commit in it.
    """
    for where, holder in [
        (document.path, document.data),
        *((f"{document.path}: {n}", j) for n, j in document.jobs.items()),
    ]:
        given = holder.get("concurrency")
        if given is None:
            continue
        group, cancels = (
            (given, "") if isinstance(given, str) else (given.get("group", ""), given.get("cancel-in-progress", ""))
        )
        triggers = set(document.triggers)
        if cancels not in {"", "false"} and not ONLY_PULL_REQUESTS.fullmatch(cancels) and triggers != {"pull_request"}:
            yield f"{where}: cancel-in-progress: {cancels} cancels more than pull requests"
        if "workflow_call" in triggers and not group.startswith("mlgate-"):
            yield f"{where}: the group {group} may be the caller's own, and then cancels its caller"
        each_tag = set(document.triggers.get("push") or {}) == {"tags"} and "github.ref" in group
        if each_tag or document.path in ONE_AFTER_THE_OTHER:
            continue
        pushed = {"push", "workflow_call", "workflow_run"} & triggers and "environment" not in holder
        if pushed and not re.search(r"github\.(run_id|sha)\b|workflow_run\.", group):
            yield f"{where}: in the group {group} a newer push cancels the one that waits"


def commands_run_in_bash(document: Document) -> Iterator[str]:
    """Without `shell: bash` a failure inside a pipe is no failure."""
    if document.is_workflow:
        default = ((document.data.get("defaults") or {}).get("run") or {}).get("shell")
        for step in document.steps():
            if re.search(r"(?<!\|)\|(?!\|)", step.run) and step.data.get("shell", default) != "bash":
                yield f"{step.where}: a pipe, and no shell: bash, here or in defaults"
        return
    for step in document.steps():
        if step.run and step.data.get("shell") != "bash":
            yield f"{step.where}: no shell: bash"


def artifacts_have_their_files(document: Document) -> Iterator[str]:
    """An upload that finds nothing is an error, and a folder with a dot in front is found only when one asks for it."""
    for step in document.steps():
        if not step.uses.startswith("actions/upload-artifact@"):
            continue
        if step.inputs.get("if-no-files-found") not in {"error", "ignore"}:
            yield f"{step.where}: if-no-files-found: error is missing (or ignore, with a reason)"
        hidden = re.search(r"(^|/)\.(?!\.?/|\.?$)[\w*]", step.inputs.get("path", ""), re.MULTILINE)
        if hidden and step.inputs.get("include-hidden-files") != "true":
            yield f"{step.where}: {step.inputs['path']} is hidden, include-hidden-files: true is missing"


def names_are_kebab_case_and_explained(document: Document) -> Iterator[str]:
    """A reader of the inputs table knows what to write."""
    for kind, holder in (("input", document.inputs), ("output", document.outputs), ("secret", document.secrets)):
        for name, about in holder.items():
            if kind != "secret" and not KEBAB.fullmatch(name):
                yield f"{document.path}: {kind} {name} is not kebab-case"
            if not str((about or {}).get("description", "")).strip():
                yield f"{document.path}: {kind} {name} has no description"
            if kind == "input" and document.is_workflow and "type" not in about:
                yield f"{document.path}: input {name} has no type"


RULES = (
    success_is_asked_for_by_name,
    only_a_judge_runs_after_a_failure,
    the_verdict_needs_every_job,
    jobs_end,
    shards_do_not_stop_each_other,
    only_pull_requests_are_cancelled,
    commands_run_in_bash,
    artifacts_have_their_files,
    names_are_kebab_case_and_explained,
)
