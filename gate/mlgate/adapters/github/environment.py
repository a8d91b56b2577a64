"""The run of GitHub Actions that this process is a part of: who started it, and which commit a change is based on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlgate.core.errors import AdapterError

LARGEST_EVENT = 30 << 20
"""Bytes of an event; GitHub's own limit for a webhook's payload is 25 MB."""

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_DIGITS = re.compile(r"[0-9]{1,20}")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_SERVER = re.compile(r"https?://[A-Za-z0-9.:-]{1,200}")

_MERGED = ("pull_request", "pull_request_review", "pull_request_review_comment")
"""The events for which GitHub merges the change with its base, and checks that out."""

_ON_DEFAULT = ("schedule", "repository_dispatch")
"""The events that GitHub starts on the default branch only."""

_MERGED_RUNS = ("push", "workflow_dispatch", *_ON_DEFAULT)
"""The events whose runs on the default branch are about what is merged."""

CHANGES = (*_MERGED, "pull_request_target", "merge_group")
"""The events that are about a change which is not yet part of its base branch."""


@dataclass(frozen=True, slots=True)
class GithubRun:
    """One run, as far as the gate needs to know it."""

    id: str
    """Digits; empty when GitHub did not say."""
    url: str
    """The run's page; empty when GitHub did not say."""
    event: str
    merge: str = ""
    """Of a pull request: the commit that GitHub made of the change and its base, to be tested."""
    base: str = ""
    """Of a change: the commit that the event says it is based on."""
    base_branch: str = ""
    """Of a change: the branch that it is to be merged into."""
    sha: str = ""
    """The commit that the event is about, whatever a step checked out."""
    ref: str = ""
    """E.g. `refs/heads/main`."""
    default_branch: str = ""
    """Empty when the event does not name it."""
    attempt: str = ""
    """Digits: which attempt of the run, from 1."""
    fork: bool = False
    """Whether the change comes from a fork."""
    repository: str = ""
    """Its page: `https://github.com/org/models`; empty when GitHub did not say."""
    self_hosted: bool = False
    """Whether the machine outlives the job: what a stranger's code leaves there meets the next one."""

    follows_change: bool = False
    """Whether another run started it by its end that was not, for all that the event says, about the default branch:
    a stranger's pull request chose what that one left behind."""

    @property
    def is_reviewed(self) -> bool:
        """Return whether the run is about the default branch, whose rules somebody has let in."""
        return self.event in _ON_DEFAULT or (
            bool(self.default_branch) and self.ref == f"refs/heads/{self.default_branch}"
        )

    @property
    def is_change(self) -> bool:
        """Return whether the run is about a change that is not yet part of its base branch."""
        return self.event in CHANGES


def here(environ: Mapping[str, str] | None = None) -> GithubRun | None:
    """Return the run that this process is a part of, None outside of GitHub Actions.

    Raises AdapterError when the event cannot be read: which rules bind would be a guess.
    """
    known = os.environ if environ is None else environ
    if known.get("GITHUB_ACTIONS") != "true":
        return None
    event = known.get("GITHUB_EVENT_NAME", "")
    number = known.get("GITHUB_RUN_ID", "")
    number = number if _DIGITS.fullmatch(number) else ""
    path = known.get("GITHUB_EVENT_PATH", "")
    payload = _payload(path) if event in CHANGES else _if_any(path)
    branch = _mapping(payload.get("repository")).get("default_branch")
    pulled = event in CHANGES and event != "merge_group"
    change = _mapping(payload.get("pull_request" if pulled else "merge_group"))
    into = _mapping(change.get("base"))
    sha = into.get("sha") if pulled else change.get("base_sha")
    if event in CHANGES and not (isinstance(sha, str) and _SHA.fullmatch(sha)):
        raise AdapterError(f"the {event} event names no base commit", where=known.get("GITHUB_EVENT_PATH", ""))
    theirs, ours = (_mapping(_mapping(side).get("repo")).get("full_name") for side in (change.get("head"), into))
    return GithubRun(
        id=number,
        url=_url(known, number),
        event=event,
        merge=known.get("GITHUB_SHA", "") if event in _MERGED else "",
        base=str(sha or ""),
        base_branch=str(into.get("ref") or change.get("base_ref") or "").removeprefix("refs/heads/"),
        sha=known.get("GITHUB_SHA", ""),
        ref=known.get("GITHUB_REF", ""),
        default_branch=branch if isinstance(branch, str) else "",
        attempt=attempt if _DIGITS.fullmatch(attempt := known.get("GITHUB_RUN_ATTEMPT", "")) else "",
        fork=pulled and (not theirs or theirs != ours),
        repository=_repository(known),
        self_hosted=known.get("RUNNER_ENVIRONMENT") == "self-hosted",
        follows_change=event == "workflow_run" and not _is_of_default(payload),
    )


def _is_of_default(payload: Mapping[str, Any]) -> bool:
    """Whether the run that has ended was of this repository's default branch: a fork's branch may have its name."""
    run, ours = _mapping(payload.get("workflow_run")), _mapping(payload.get("repository"))
    branch, theirs = ours.get("default_branch"), _mapping(run.get("head_repository")).get("full_name")
    is_own = bool(theirs) and theirs == ours.get("full_name")
    return run.get("event") in _MERGED_RUNS and bool(branch) and run.get("head_branch") == branch and is_own


def _url(known: Mapping[str, str], number: str) -> str:
    repository = _repository(known)
    return f"{repository}/actions/runs/{number}" if number and repository else ""


def _repository(known: Mapping[str, str]) -> str:
    server, name = known.get("GITHUB_SERVER_URL", ""), known.get("GITHUB_REPOSITORY", "")
    return f"{server}/{name}" if _SERVER.fullmatch(server) and _REPOSITORY.fullmatch(name) else ""


def _if_any(path: str) -> Mapping[str, Any]:
    """Return the event where it can be read: of what is no change, little depends on it."""
    try:
        return _payload(path)
    except AdapterError:
        return {}


def _payload(path: str) -> Mapping[str, Any]:
    if not path:
        raise AdapterError(
            "the event is not known: which commit this change is based on cannot be told",
            where="GITHUB_EVENT_PATH",
            hint="hand the variable and the file on into the container, or name the base: "
            "--base refs/remotes/origin/main",
        )
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_EVENT + 1)
        if len(content) > LARGEST_EVENT:
            raise AdapterError(f"the event has more than {LARGEST_EVENT >> 20} MB", where=path)
        return _mapping(json.loads(content))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterError(f"the event cannot be read: {error}", where=path) from error


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
