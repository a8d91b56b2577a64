"""Who may start what, with which rights and secrets, and whose code runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from tests.workflows.files import Document
from tests.workflows.tables import CALLED, EXAMPLE_TRIGGERS, OUTSIDE_ENVIRONMENTS, PERMISSIONS, TRIGGERS

Rule = Callable[[Document], Iterator[str]]
PINNED = re.compile(r"[\w.-]+/[\w.-]+(/[^@\s]+)?@[0-9a-f]{40}")
LOCKED = re.compile(r"hashFiles\(|steps\.packages\.outputs\.key")
PIN_COMMENT = re.compile(r"uses:\s*[\"']?\S+@[0-9a-f]{40}[\"']?\s+# v\d+\.\d+\.\d+\s*$")
LOADS = re.compile(r"\b(docker|podman|nerdctl|ctr)\s+((image|images)\s+)?(load|import)\b")


def every_use_is_pinned(document: Document) -> Iterator[str]:
    """A full commit with its version beside it, or `$/` for this repository's own; `./` is the caller's folder."""
    for where, uses in document.uses():
        if uses.startswith("./"):
            if document.path != ".github/workflows/ci.yml":
                yield f"{where}: {uses} is looked up in the caller's workspace; write $/"
        elif not (uses.startswith("$/") or PINNED.fullmatch(uses)):
            yield f"{where}: {uses} is not pinned to a commit"
    for line in document.text.splitlines():
        if re.search(r"uses:\s*\S+@[0-9a-f]{40}", line) and not PIN_COMMENT.search(line):
            yield f"{document.path}: `{line.strip()}` does not end in # vX.Y.Z"


def triggers_are_known(document: Document) -> Iterator[str]:
    """A new way to start a workflow is a decision: it is written into tables.py."""
    if not document.is_workflow:
        return
    allowed = EXAMPLE_TRIGGERS if document.is_example else TRIGGERS.get(document.name, set())
    for event in sorted(set(document.triggers) - allowed):
        yield f"{document.path}: starts on {event}, which tables.py does not list"
    if "pull_request_target" in document.text:
        yield f"{document.path}: pull_request_target runs with secrets beside a stranger's tree"
    if "workflow_run" in document.triggers and any("/checkout@" in uses for _, uses in document.uses()):
        yield f"{document.path}: a checkout after workflow_run: its token may write, and the run was a stranger's"


def a_required_check_always_reports(document: Document) -> Iterator[str]:
    """A workflow that a filter keeps from starting leaves its check pending for ever; so does a queue not listed."""
    gates = any("gate.yml" in uses or re.match(r"org/mlgate(@|/action/gate@)", uses) for _, uses in document.uses())
    triggers = document.triggers
    if "pull_request" not in triggers or not (gates or document.name == "ci.yml"):
        return
    for filter_ in {"paths", "paths-ignore"} & set(triggers["pull_request"] or {}):
        yield f"{document.path}: {filter_} on pull_request"
    if "merge_group" not in triggers:
        yield f"{document.path}: gates pull requests, and not the merge queue"


def permissions_are_the_least(
    document: Document, table: Mapping[str, Mapping[str, Mapping[str, str]]] = PERMISSIONS
) -> Iterator[str]:
    """Nothing at the top, and each job what the table says: more is a decision, and is written there."""
    if not document.is_workflow:
        return
    if document.data.get("permissions") != {}:
        yield f"{document.path}: permissions: {{}} is missing at the top"
    known = table.get(document.path)
    for name, job in document.jobs.items():
        asked = job.get("permissions", {})  # what it does not say it has from the top: nothing
        if document.is_example:
            yield from _an_example_asks_what_its_callee_needs(document, name, table)
        elif known is None or name not in known:
            yield f"{document.path}: {name}: not in the table of tables.py; asks for {asked}"
        elif asked != known[name]:
            yield f"{document.path}: {name}: asks for {asked}, the table says {known[name]}"


def _an_example_asks_what_its_callee_needs(
    document: Document, name: str, table: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> Iterator[str]:
    """A callee may ask for no more than its caller grants, or the run does not start; and the caller grants no more."""
    job = document.jobs[name]
    called = CALLED.fullmatch(str(job.get("uses", "")))
    if not called or called[1] not in table:
        return
    needed: dict[str, str] = {}
    for asked in table[called[1]].values():
        for scope, level in asked.items():
            needed[scope] = "write" if "write" in {level, needed.get(scope)} else level
    if (granted := job.get("permissions", {})) != needed:
        yield f"{document.path}: {name}: grants {granted}, {called[1]} needs {needed}"


def secrets_stay_in_environments(document: Document) -> Iterator[str]:
    """A secret is given by name, to a job behind an environment's approval; or it is listed in tables.py."""
    top = {k: v for k, v in document.data.items() if k not in {"jobs", "on"}}
    if "secrets." in json.dumps(top) and document.is_workflow:
        yield f"{document.path}: a secret for every job"
    for name, job in document.jobs.items():
        if job.get("secrets") == "inherit":
            yield f"{document.path}: {name}: secrets: inherit hands over all"
        text = json.dumps(job)
        if re.search(r"toJSON\(\s*secrets|secrets\[", text, re.IGNORECASE):
            yield f"{document.path}: {name}: takes secrets as a whole"
        for secret in sorted(set(re.findall(r"\bsecrets\.([\w-]+)", text)) - {"GITHUB_TOKEN"}):
            if "environment" not in job and (document.path, name, secret) not in OUTSIDE_ENVIRONMENTS:
                yield f"{document.path}: {name}: {secret} outside an environment"


def checkouts_keep_no_token(document: Document) -> Iterator[str]:
    """The token would lie in .git/config, beside code of the pull request and inside careless artifacts."""
    for step in document.steps():
        if step.uses.startswith("actions/checkout@") and step.inputs.get("persist-credentials") != "false":
            yield f"{step.where}: persist-credentials: false is missing"


def caches_are_not_written_by_pull_requests(document: Document) -> Iterator[str]:
    """A pull request reads caches. What it would write, a later run might trust.

    Content-addressed wheels are the exception: their key has the lock's hash (`start.py key`), and pip checks every one
    against the lock again.
    """
    for step in document.steps():
        given = {**step.inputs, **{k: v for k, v in (step.data.get("env") or {}).items() if k == "MLGATE_WRITE_CACHE"}}
        wheels = "wheel" in given.get("path", "") and LOCKED.search(given.get("key", ""))
        writes = [
            name for name in ("cache-to", "write-cache", "MLGATE_WRITE_CACHE") if given.get(name, "false") != "false"
        ]
        if re.match(r"actions/cache(/save)?@", step.uses) and not wheels:
            writes.append(step.uses.split("@")[0])
        if re.match(r"actions/setup-|astral-sh/setup-uv@", step.uses) and (
            given.get("cache") or given.get("enable-cache")
        ):
            writes.append("cache")
        if "--write-cache" in step.run:
            writes.append("--write-cache")
        for name in writes:
            decided = f"{step.condition} {given.get(name, '')}"
            passed_on = re.fullmatch(r"\$\{\{ *inputs\.[\w-]+ *\}\}", given.get(name, ""))
            if not (_leaves_out_pull_requests(decided) or passed_on):
                yield f"{step.where}: {name} on pull requests, too"


def images_come_in_without_names(document: Document) -> Iterator[str]:
    """`docker load` sets whatever names an archive holds: a change's image could take the baseline's."""
    for step in document.steps():
        if found := LOADS.search(step.run):
            yield f"{step.where}: `{found[0]}` takes over the archive's names: give the gate image-archive"


def _leaves_out_pull_requests(condition: str) -> bool:
    if "||" in condition:
        return False
    return any(
        re.search(only, condition)
        for only in (
            r"github\.event_name == '(push|schedule|workflow_dispatch)'",
            r"github\.event_name != 'pull_request'",
            r"github\.ref == format\('refs/heads/\{0\}', github\.event\.repository\.default_branch\)",
            r"github\.ref_name == github\.event\.repository\.default_branch",  # a pull request's is 7/merge
        )
    )


RULES = (
    every_use_is_pinned,
    triggers_are_known,
    a_required_check_always_reports,
    permissions_are_the_least,
    secrets_stay_in_environments,
    checkouts_keep_no_token,
    caches_are_not_written_by_pull_requests,
    images_come_in_without_names,
)
