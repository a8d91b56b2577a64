"""The run that this process is a part of, as GitHub tells it: nothing of it is guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.github import environment
from mlgate.core.errors import AdapterError

BASE, MERGE = "a" * 40, "b" * 40


def environ(folder: Path, event: str, payload: Any, **more: str) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_SHA": MERGE,
        "GITHUB_RUN_ID": "17",
        "GITHUB_REPOSITORY": "acme/model",
        "GITHUB_SERVER_URL": "https://github.com",
        **more,
    }


def pull(head: Any = "acme/model", sha: Any = BASE) -> dict[str, Any]:
    side = {"repo": {"full_name": head} if isinstance(head, str) else head}
    return {"pull_request": {"base": {"sha": sha, "repo": {"full_name": "acme/model"}}, "head": side}}


def test_outside_of_github_there_is_no_run() -> None:
    assert environment.here({}) is None
    assert environment.here({"GITHUB_ACTIONS": "false", "GITHUB_EVENT_NAME": "pull_request"}) is None


@pytest.mark.parametrize(
    ("event", "merge"),
    [
        ("pull_request", MERGE),
        ("pull_request_review", MERGE),
        ("pull_request_review_comment", MERGE),
        ("pull_request_target", ""),
    ],
)
def test_whatever_is_about_a_pull_request_is_a_change(tmp_path: Path, event: str, merge: str) -> None:
    run = environment.here(environ(tmp_path, event, pull()))
    assert run
    assert (run.is_change, run.base, run.merge) == (True, BASE, merge)


def test_a_merge_group_is_based_on_what_its_event_says(tmp_path: Path) -> None:
    run = environment.here(environ(tmp_path, "merge_group", {"merge_group": {"base_sha": BASE}}))
    assert run
    assert (run.is_change, run.base, run.merge, run.fork) == (True, BASE, "", False)


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "schedule", "workflow_run", ""])
def test_all_else_is_no_change_and_needs_no_event(tmp_path: Path, event: str) -> None:
    run = environment.here(environ(tmp_path, event, "no JSON"))
    assert run
    assert (run.is_change, run.base, run.merge) == (False, "", "")


@pytest.mark.parametrize(("head", "fork"), [("acme/model", False), ("stranger/model", True), (None, True), (7, True)])
def test_a_head_that_is_not_of_this_repository_is_a_forks(tmp_path: Path, head: Any, fork: bool) -> None:
    run = environment.here(environ(tmp_path, "pull_request", pull(head)))
    assert run
    assert run.fork is fork


@pytest.mark.parametrize("sha", ["main", "A" * 40, "a" * 39, "", None, 7, ["a" * 40], f"{BASE}\n", "--help"])
def test_a_base_that_is_no_commit_is_an_error(tmp_path: Path, sha: Any) -> None:
    with pytest.raises(AdapterError, match="names no base commit"):
        environment.here(environ(tmp_path, "pull_request", pull(sha=sha)))


@pytest.mark.parametrize("text", ["", "[", "[" * 200_000, "7", "{}"])
def test_an_event_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(AdapterError):
        environment.here(environ(tmp_path, "pull_request", text))


def test_an_event_that_is_not_there_or_too_large_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AdapterError):
        environment.here({**environ(tmp_path, "pull_request", pull()), "GITHUB_EVENT_PATH": str(tmp_path / "no")})
    monkeypatch.setattr(environment, "LARGEST_EVENT", 10)
    with pytest.raises(AdapterError, match="more than"):
        environment.here(environ(tmp_path, "pull_request", pull()))


def test_the_runs_page_is_made_of_what_looks_like_it(tmp_path: Path) -> None:
    run = environment.here(environ(tmp_path, "push", {}))
    assert run
    assert run.url == "https://github.com/acme/model/actions/runs/17"
    for name, value in (
        ("GITHUB_RUN_ID", "1\n2"),
        ("GITHUB_REPOSITORY", "a/b/c"),
        ("GITHUB_SERVER_URL", "javascript:alert(1)//"),
    ):
        odd = environment.here(environ(tmp_path, "push", {}, **{name: value}))
        assert odd
        assert odd.url == ""


def test_only_what_says_so_is_self_hosted(tmp_path: Path) -> None:
    for value, hosted in (("self-hosted", True), ("github-hosted", False), ("", False)):
        run = environment.here(environ(tmp_path, "push", {}, RUNNER_ENVIRONMENT=value))
        assert run
        assert run.self_hosted is hosted


@pytest.mark.parametrize(
    ("event", "ref", "branch", "reviewed"),
    [
        ("push", "refs/heads/main", "main", True),
        ("push", "refs/heads/feature", "main", False),
        ("push", "refs/tags/main", "main", False),
        ("workflow_dispatch", "refs/heads/main", "main", True),
        ("workflow_dispatch", "refs/heads/feature", "main", False),
        ("issue_comment", "refs/heads/main", None, False),
        ("push", "refs/heads/", "", False),
        ("schedule", "", None, True),
    ],
)
def test_only_the_default_branch_has_rules_that_somebody_let_in(
    tmp_path: Path, event: str, ref: str, branch: Any, reviewed: bool
) -> None:
    known = environ(tmp_path, event, {"repository": {"default_branch": branch}})
    run = environment.here({**known, "GITHUB_REF": ref})
    assert run
    assert run.is_reviewed is reviewed
