"""The run that has ended, of which GitHub tells the workflow that `workflow_run` starts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from mlgate.adapters.files import safe_file
from mlgate.core.errors import AdapterError

LARGEST_EVENT = 25 << 20
"""Bytes of an event: GitHub's own limit for a payload."""

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_WORD = re.compile(r"[a-z_]{1,40}")
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]{1,1000}")
"""What git allows in the name of a branch."""
_SERVER = re.compile(r"https?://[A-Za-z0-9.:-]{1,200}")
_LARGEST_NUMBER = 1 << 63

_Fields: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run that has ended. All of it is what GitHub says; nothing comes from the run itself."""

    id: int
    attempt: int
    event: str
    """What started it: `pull_request` …."""
    conclusion: str
    """How it ended: `success`, `failure`, `cancelled` …."""
    sha: str
    """The head commit of the change."""
    branch: str
    """The branch that it is of; empty when there is none."""
    head: str
    """`owner/name` of the repository that the branch is in; empty when it was deleted."""
    repository: str
    """`owner/name` of the repository that the run is in."""
    url: str
    """The run's page."""

    @property
    def is_fork(self) -> bool:
        """Return whether the change comes from another repository."""
        return self.head != self.repository

    @property
    def name(self) -> str:
        """Return which run it was, for people."""
        return f"run {self.id}" + (f", attempt {self.attempt}" if self.attempt > 1 else "")


def read(path: Path) -> WorkflowRun:
    """Return the run in the event at *path*. Raises AdapterError, with the key, for an event that is not of that kind.

    Strict, though GitHub wrote it: what is read here becomes the path and the query of requests that carry a token.
    """
    event = _document(path)
    run = _object(event, "workflow_run", path)
    repository = _text(_object(event, "repository", path), "full_name", _REPOSITORY, path)
    head = {} if run.get("head_repository") is None else _object(run, "head_repository", path)
    number = _number(run, "id", path)
    return WorkflowRun(
        id=number,
        attempt=_number(run, "run_attempt", path),
        event=_text(run, "event", _WORD, path),
        conclusion=_text(run, "conclusion", _WORD, path),
        sha=_text(run, "head_sha", _SHA, path),
        branch="" if run.get("head_branch") is None else _text(run, "head_branch", _BRANCH, path),
        head=_text(head, "full_name", _REPOSITORY, path) if head else "",
        repository=repository,
        url=_page(run, f"/{repository}/actions/runs/{number}", path),
    )


def _document(path: Path) -> _Fields:
    try:
        content = safe_file.read(path, LARGEST_EVENT)
        if len(content) > LARGEST_EVENT:
            raise AdapterError(f"the event has more than {LARGEST_EVENT >> 20} MB", where=str(path))
        event = json.loads(content)
    except OSError as error:
        raise AdapterError(f"the event cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise AdapterError("the event is not JSON", where=str(path)) from error
    if not isinstance(event, dict):
        raise AdapterError("the event is not an object", where=str(path))
    return event


def _object(fields: _Fields, key: str, path: Path) -> _Fields:
    value = fields.get(key)
    if not isinstance(value, dict):
        raise _wrong(key, path)
    return value


def _text(fields: _Fields, key: str, form: re.Pattern[str], path: Path) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise _wrong(key, path)
    return value


def _number(fields: _Fields, key: str, path: Path) -> int:
    value = fields.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LARGEST_NUMBER:
        raise _wrong(key, path)
    return value


def _page(run: _Fields, ending: str, path: Path) -> str:
    url = run.get("html_url")
    if not isinstance(url, str) or not url.endswith(ending) or not _SERVER.fullmatch(url.removesuffix(ending)):
        raise _wrong("html_url", path)
    return url


def _wrong(key: str, path: Path) -> AdapterError:
    return AdapterError(
        f"the event has no {key} of a run that has ended",
        where=str(path),
        hint="call it in a workflow with `on: {workflow_run: {types: [completed]}}`",
    )
