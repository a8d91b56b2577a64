"""The event of a run that has ended, read strictly; its odd forms are in tests/integration/test_comment.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.github import workflow_run
from mlgate.adapters.github.workflow_run import WorkflowRun
from mlgate.core.errors import AdapterError

RUN: dict[str, Any] = {
    "id": 17,
    "run_attempt": 1,
    "event": "pull_request",
    "conclusion": "success",
    "head_sha": "a1" * 20,
    "head_branch": "feature/ü",
    "head_repository": {"full_name": "stranger/model.v2_x"},
    "html_url": "https://ghe.example:8443/acme/model/actions/runs/17",
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "event.json"
    path.write_text(json.dumps({"workflow_run": {**RUN, **changes}, "repository": {"full_name": "acme/model"}}))
    return path


def test_a_run_is_what_github_says_of_it(tmp_path: Path) -> None:
    run = workflow_run.read(written(tmp_path))
    assert run == WorkflowRun(
        id=17,
        attempt=1,
        event="pull_request",
        conclusion="success",
        sha="a1" * 20,
        branch="feature/ü",
        head="stranger/model.v2_x",
        repository="acme/model",
        url="https://ghe.example:8443/acme/model/actions/runs/17",
    )
    assert run.is_fork


@pytest.mark.parametrize(("attempt", "name"), [(1, "run 17"), (3, "run 17, attempt 3")])
def test_a_run_has_a_name_that_tells_its_attempts_apart(tmp_path: Path, attempt: int, name: str) -> None:
    assert workflow_run.read(written(tmp_path, run_attempt=attempt)).name == name


def test_a_branch_of_the_repository_itself_is_no_fork(tmp_path: Path) -> None:
    assert not workflow_run.read(written(tmp_path, head_repository={"full_name": "acme/model"})).is_fork


def test_what_is_gone_is_empty(tmp_path: Path) -> None:
    run = workflow_run.read(written(tmp_path, head_repository=None, head_branch=None))
    assert (run.head, run.branch) == ("", "")
    assert run.is_fork


@pytest.mark.parametrize("key", sorted(RUN.keys() - {"head_repository", "head_branch"}))
@pytest.mark.parametrize(
    "value", [None, [], {}, "", " ", "\n", True, 1.5, "x" * 100_000], ids=lambda value: repr(value)[:9]
)
def test_a_value_of_another_form_is_an_error_that_names_its_key(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(AdapterError, match=f"the event has no {key} of a run that has ended") as caught:
        workflow_run.read(written(tmp_path, **{key: value}))
    assert "types: [completed]" in caught.value.hint


def test_an_event_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(written(tmp_path))
    for path in (tmp_path, tmp_path / "nothing", link):
        with pytest.raises(AdapterError, match="the event cannot be read"):
            workflow_run.read(path)
