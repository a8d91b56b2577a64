"""The event that a workflow gets which `workflow_run` starts, in the form of GitHub's own description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.fake_github import REPOSITORY, TOKEN
from tests.support.github_description import complaints, made

SHA = "3f9c2d1b7a6e5f4c3b2a190817263544f0e1d2c3"
RUN = 17234567890
URL = f"https://github.com/{REPOSITORY}/actions/runs/{RUN}"
_SCHEMA = "webhook-workflow-run-completed"


def event(*, head: str | None = REPOSITORY, **run: Any) -> dict[str, Any]:
    """The end of a pull request's run."""
    whole: dict[str, Any] = made(_SCHEMA)
    told = {
        "id": RUN,
        "run_attempt": 1,
        "event": "pull_request",
        "head_sha": SHA,
        "head_branch": "feature",
        "html_url": URL,
        "conclusion": "success",
        **run,
    }
    whole["repository"]["full_name"] = REPOSITORY
    whole["workflow_run"] |= told
    if head is None:
        whole["workflow_run"]["head_repository"] = None
        return whole
    whole["workflow_run"]["head_repository"]["full_name"] = head
    assert complaints(whole, f"#/components/schemas/{_SCHEMA}") == []
    return whole


def environ(folder: Path, api: str, happened: object) -> dict[str, str]:
    """What GitHub gives to a step of such a workflow."""
    path = folder / "event.json"
    path.write_text(happened if isinstance(happened, str) else json.dumps(happened))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_API_URL": api,
        "MLGATE_GITHUB_TOKEN": TOKEN,
    }
